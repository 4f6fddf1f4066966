// kafka-consumer-perf-test (ConsumerPerformance of Apache Kafka 4.3).
//
// From older releases: --broker-list (until 2.4), --zookeeper (until 1.1; loopback means the broker here), --threads and
// --num-fetch-threads (until 3.9), --new-consumer, and what it shared with the producer's test, which nothing has looked at.

import { randomInt } from 'node:crypto'
import { simpleDateFormat } from '../../src/cli/apache/java-dates.ts'
import { type Face, type FaceIo, traceOf } from '../../src/cli/apache/face.ts'
import { illegalArgument, toJava } from '../../src/cli/apache/java-errors.ts'
import { javaMatcher } from '../../src/cli/apache/java-regex.ts'
import { fixedText, metricsText } from '../../src/cli/apache/java-text.ts'
import { checkInvalid, checkRequired, DEFAULT_OPTIONS, type Jopt, maybeHelp, parseOrUsage } from '../../src/cli/apache/jopt.ts'
import { brokerForZookeeper, loadProperties, openCluster } from '../../src/cli/apache/open-cluster.ts'
import { parseProperties } from '../../src/cli/formats/properties.ts'
import { consumePerf, type PerfConsumed, type PerfConsumeOptions, type Progress } from '../../src/cli/verbs/perf-consume.ts'

export { runFace } from '../../src/cli/apache/face.ts'

const OPTIONS = {
  ...DEFAULT_OPTIONS,
  'bootstrap-server': { arg: 'required', aliases: ['broker-list'], describedAs: 'server to connect to', help: 'REQUIRED: the broker to ask first, HOST:PORT.' },
  topic: { arg: 'required', describedAs: 'topic', help: 'The topic to read.' },
  include: { arg: 'required', describedAs: 'Java regex (String)', help: 'Read all topics whose names this regular expression matches.' },
  group: { arg: 'required', describedAs: 'gid', default: `perf-consumer-${randomInt(100_000)}`, help: 'The group to read as.' },
  'fetch-size': { arg: 'required', type: 'Integer', describedAs: 'size', default: '1048576', help: 'Most bytes of a partition in one answer.' },
  'command-property': { arg: 'required', describedAs: 'prop1=val1', help: 'A property of the consumer.' },
  'from-latest': { help: 'Where the group has no offset, begin at the end.' },
  'socket-buffer-size': { arg: 'required', type: 'Integer', describedAs: 'size', default: '2097152', help: 'Bytes of the buffer that TCP receives into.' },
  'consumer.config': { arg: 'required', describedAs: 'config file', help: 'Old name of --command-config.' },
  'command-config': { arg: 'required', describedAs: 'config file', help: 'A file of properties of the consumer.' },
  'print-metrics': { help: 'Print metrics at the end.' },
  'show-detailed-stats': { help: 'Print a line for each reporting interval instead of one at the end.' },
  timeout: { arg: 'optional', type: 'Long', describedAs: 'milliseconds', default: '10000', help: 'Stop when for so many ms nothing came.' },
  messages: { arg: 'required', type: 'Long', describedAs: 'count', help: 'Old name of --num-records.' },
  'num-records': { arg: 'required', type: 'Long', describedAs: 'count', help: 'REQUIRED: how many records to read.' },
  'reporting-interval': { arg: 'required', type: 'Long', describedAs: 'interval_ms', default: '5000', help: 'Ms between reports.' },
  'date-format': { arg: 'required', describedAs: 'date format', default: 'yyyy-MM-dd HH:mm:ss:SSS', help: 'How times are written, as for java.text.SimpleDateFormat.' },
  'hide-header': { help: 'No line with the names of the columns.' },
  zookeeper: { arg: 'required', isHidden: true },
  threads: { arg: 'required', isHidden: true },
  'num-fetch-threads': { arg: 'required', isHidden: true },
  'new-consumer': { isHidden: true },
  'message-size': { arg: 'required', isHidden: true },
  'batch-size': { arg: 'required', isHidden: true },
  'compression-codec': { arg: 'optional', isHidden: true },
} as const

type Name = keyof typeof OPTIONS
type Options = Jopt<Name>

const JOIN_COLUMNS = 'rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec'

export const face: Face = async (argv, io) => {
  const options = parsed(argv, io)
  const isDetailed = options.has('show-detailed-stats')
  try {
    if (!options.has('hide-header')) {
      io.out(`${isDetailed ? 'time, threadId' : 'start.time, end.time'}, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, ${JOIN_COLUMNS}\n`)
    }
    await run(options, isDetailed, io)
    return 0
  } catch (error) {
    const java = toJava(error)
    io.err(`${java.message === '' ? 'null' : java.message}\n${traceOf(java)}\n`)
    return 1
  }
}

function parsed(argv: readonly string[], io: FaceIo): Options {
  const options = parseOrUsage(OPTIONS, argv)
  maybeHelp(options, argv, 'This tool is used to verify the consumer performance.')
  if (!options.has('zookeeper')) checkRequired(options, 'bootstrap-server')
  checkOneOf(options, 'topic', 'include')
  checkOneOf(options, 'messages', 'num-records')
  checkInvalid(options, 'consumer.config', ['command-config'])
  if (options.has('messages')) io.out('Warning: --messages is deprecated. Use --num-records instead.\n')
  if (options.has('consumer.config')) io.out('Warning: --consumer.config is deprecated. Use --command-config instead.\n')
  return options
}

function checkOneOf(options: Options, ...names: readonly Name[]): void {
  if (names.filter((name) => options.has(name)).length === 1) return
  throw options.usage(`Exactly one of the following arguments is required: ${names.map((name) => `[${name}]`).join(', ')}`)
}

async function run(options: Options, isDetailed: boolean, io: FaceIo): Promise<void> {
  const properties = await propertiesOf(options)
  const bootstrapServer = options.value('bootstrap-server') ?? (await brokerForZookeeper(io, options.value('zookeeper') ?? ''))
  const groupId = properties.get('group.id') ?? ''
  const cluster = await openCluster(io, { bootstrapServer, properties, clientId: 'perf-consumer-client', kind: 'KafkaConsumer' })
  try {
    const records = (options.has('messages') ? options.long('messages') : options.long('num-records')) ?? 0
    const timeoutMs = options.long('timeout') ?? 0
    const reportingIntervalMs = options.long('reporting-interval') ?? 0
    if (reportingIntervalMs <= 0) throw illegalArgument('Reporting interval must be greater than 0.')
    const dateText = simpleDateFormat(options.value('date-format') ?? '')
    const consumed = await consumePerf(cluster, {
      groupId,
      wanted: wantedOf(options),
      reset: options.has('from-latest') ? 'latest' : 'earliest',
      records,
      timeoutMs,
      reportingIntervalMs,
      onProgress: (progress) => {
        if (isDetailed) io.out(progressText(progress, dateText))
      },
    })
    if (consumed.records < records) {
      io.out(
        `WARNING: Exiting before consuming the expected number of records: timeout (${timeoutMs} ms) exceeded. ` +
          'You can use the --timeout option to increase the timeout.\n',
      )
    }
    if (!isDetailed) io.out(totalText(consumed, dateText))
    if (options.has('print-metrics')) {
      const tags = `{client-id=${cluster.config.clientId}}`
      io.out(metricsText([
        [`consumer-fetch-manager-metrics:records-consumed-total:${tags}`, consumed.records],
        [`consumer-fetch-manager-metrics:bytes-consumed-total:${tags}`, consumed.bytes],
      ])) // prettier-ignore
    }
  } finally {
    await cluster.close()
  }
}

async function propertiesOf(options: Options): Promise<Map<string, string>> {
  const file = options.has('consumer.config') ? options.value('consumer.config') : options.value('command-config')
  const properties = new Map([...(await loadProperties(file)), ...parseProperties('--command-property', options.all('command-property'), true)])
  properties.set('group.id', options.value('group') ?? '')
  properties.set('receive.buffer.bytes', String(options.int('socket-buffer-size')))
  properties.set('max.partition.fetch.bytes', String(options.int('fetch-size')))
  properties.set('auto.offset.reset', options.has('from-latest') ? 'latest' : 'earliest')
  properties.set('check.crcs', 'false')
  return properties
}

function wantedOf(options: Options): PerfConsumeOptions['wanted'] {
  const topic = options.value('topic')
  if (topic !== undefined) return [topic]
  return javaMatcher(options.value('include') ?? '')
}

const MB = 1024 * 1024

function totalText({ startedAt, endedAt, records, bytes, joinMs }: PerfConsumed, dateText: (at: number) => string): string {
  const seconds = (endedAt - startedAt) / 1000
  const fetchMs = endedAt - startedAt - joinMs
  const mb = bytes / MB
  const rates = [mb / seconds, records / seconds, mb / (fetchMs / 1000), records / (fetchMs / 1000)].map((rate) => fixedText(rate, 4))
  return `${dateText(startedAt)}, ${dateText(endedAt)}, ${fixedText(mb, 4)}, ${rates[0]}, ${records}, ${rates[1]}, ${joinMs}, ${fetchMs}, ${rates[2]}, ${rates[3]}\n`
}

function progressText({ endedAt, records, bytes, window }: Progress, dateText: (at: number) => string): string {
  const elapsedMs = endedAt - window.startedAt
  const fetchMs = elapsedMs - window.joinMs
  const mb = window.bytes / MB
  const rate = (amount: number, ms: number): string => fixedText(ms <= 0 ? 0 : (1000 * amount) / ms, 4)
  return (
    `${dateText(endedAt)}, 0, ${fixedText(bytes / MB, 4)}, ${rate(mb, elapsedMs)}, ${records}, ${rate(window.records, elapsedMs)}, ` +
    `${window.joinMs}, ${fetchMs}, ${rate(mb, fetchMs)}, ${rate(window.records, fetchMs)}\n`
  )
}
