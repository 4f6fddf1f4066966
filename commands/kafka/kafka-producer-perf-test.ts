// kafka-producer-perf-test (ProducerPerformance of Apache Kafka 4.3).
//
// Its predecessor of 0.8 said --broker-list, --topics, --messages and --message-size; they are taken for what they are called
// now, without a limit unless --throughput is given.

import { resolve } from 'node:path'
import { randomUUID } from 'node:crypto'
import { systemClock } from '../../src/base/clock.ts'
import { argparseError, ArgparseError, HelpScreen, type Namespace, parseArguments, type Program } from '../../src/cli/apache/argparse.ts'
import { type Face, FaceExit, type FaceIo, traceOf } from '../../src/cli/apache/face.ts'
import { fileText } from '../../src/cli/apache/file-text.ts'
import { illegalArgument, toJava } from '../../src/cli/apache/java-errors.ts'
import { javaFinder } from '../../src/cli/apache/java-regex.ts'
import { fixedText, javaSplit, metricsText } from '../../src/cli/apache/java-text.ts'
import { loadProperties, openCluster } from '../../src/cli/apache/open-cluster.ts'
import { type Payload, producePerf } from '../../src/cli/verbs/perf-produce.ts'
import { LatencyStats, type Window } from '../../src/cli/verbs/perf-stats.ts'

export { runFace } from '../../src/cli/apache/face.ts'

const PROPERTIES = { nargs: '+', metavar: 'PROP-NAME=PROP-VALUE' } as const

const PROGRAM: Program = {
  prog: 'kafka-producer-perf-test',
  description: 'Measure how fast records are produced; in transactions where a transactional id or a duration is given.',
  groups: { payload: { isMutex: true, isRequired: true, description: 'Exactly one of --record-size, --payload-file and --payload-monotonic.' } },
  arguments: [
    { flags: ['--bootstrap-server'], metavar: 'BOOTSTRAP-SERVER', help: 'The broker to ask first, HOST:PORT.' },
    { flags: ['--topic'], metavar: 'TOPIC', isRequired: true, help: 'Where the records go.' },
    { flags: ['--num-records'], metavar: 'NUM-RECORDS', type: 'Long', isRequired: true, help: 'How many records.' },
    { flags: ['--record-size'], metavar: 'RECORD-SIZE', type: 'Integer', group: 'payload', help: 'Bytes of each record.' },
    { flags: ['--payload-file'], metavar: 'PAYLOAD-FILE', group: 'payload', help: 'A text file; each record is one of its pieces, by chance.' },
    { flags: ['--payload-monotonic'], action: 'storeTrue', group: 'payload', help: 'Records are numbers that count up.' },
    { flags: ['--payload-delimiter'], metavar: 'PAYLOAD-DELIMITER', default: '\\n', help: 'A regular expression: what is between the pieces of --payload-file.' },
    { flags: ['--throughput'], metavar: 'THROUGHPUT', type: 'Double', isRequired: true, help: 'Records a second at most, about; -1: no limit.' },
    { flags: ['--producer-props'], ...PROPERTIES, help: 'Old name of --command-property.' },
    { flags: ['--command-property'], ...PROPERTIES, help: 'Properties of the producer.' },
    { flags: ['--producer.config'], metavar: 'CONFIG-FILE', help: 'Old name of --command-config.' },
    { flags: ['--command-config'], metavar: 'CONFIG-FILE', help: 'A file of properties of the producer.' },
    { flags: ['--print-metrics'], action: 'storeTrue', help: 'Print metrics at the end.' },
    { flags: ['--transactional-id'], metavar: 'TRANSACTIONAL-ID', help: 'Wins over transactional.id of the properties.' },
    { flags: ['--transaction-duration-ms'], metavar: 'TRANSACTION-DURATION', type: 'Long', help: 'Transactions end after so many ms; 3000 unless given.' },
    { flags: ['--warmup-records'], metavar: 'WARMUP-RECORDS', type: 'Long', default: 0n, help: 'So many records at first are left out of a second summary.' },
    { flags: ['--reporting-interval'], metavar: 'INTERVAL-MS', type: 'Long', default: 5000n, help: 'Ms between reports.' },
  ],
}

const OLD_NAMES: Readonly<Record<string, string>> = {
  '--broker-list': '--bootstrap-server',
  '--topics': '--topic',
  '--messages': '--num-records',
  '--message-size': '--record-size',
}

export const face: Face = async (argv, io) => {
  let options: Namespace
  try {
    options = parseArguments(PROGRAM, inTodaysWords(argv), io)
    checkOptions(options, io)
  } catch (error) {
    if (argv.length === 0 && error instanceof ArgparseError) return printHelp(io)
    if (error instanceof HelpScreen) throw new FaceExit(1, { out: error.help })
    if (error instanceof ArgparseError) throw new FaceExit(1, { err: error.report })
    throw error
  }
  await run(options, io)
  return 0
}

function printHelp(io: FaceIo): number {
  try {
    parseArguments(PROGRAM, ['--help'], io)
  } catch (error) {
    if (!(error instanceof HelpScreen)) throw error
    io.out(error.help)
  }
  return 0
}

function inTodaysWords(argv: readonly string[]): readonly string[] {
  const words = argv.map((word) => OLD_NAMES[word] ?? word)
  const isOld = words.some((word, index) => word !== argv[index])
  return isOld && !words.includes('--throughput') ? [...words, '--throughput', '-1'] : words
}

function checkOptions(options: Namespace, io: FaceIo): void {
  const fail = (message: string): never => {
    throw argparseError(PROGRAM, message, io)
  }
  const records = options.long('num_records') ?? 0n
  const has = (...names: readonly string[]): boolean => names.every((name) => options.string(name) !== undefined || options.strings(name) !== undefined)
  if (records <= 0n) fail('--num-records should be greater than zero.')
  if ((options.long('warmup_records') ?? 0n) >= records) {
    fail('The value for --warmup-records must be strictly fewer than the number of records in the test, --num-records.')
  }
  if ((options.number('record_size') ?? 1) <= 0) fail('--record-size should be greater than zero.')
  if (!['bootstrap_server', 'command_property', 'producer_props', 'producer.config', 'command_config'].some((name) => has(name))) {
    fail('At least one of --bootstrap-server, --command-property, --producer-props, --producer.config or --command-config must be specified.')
  }
  if (has('command_property', 'producer_props')) fail('--command-property and --producer-props cannot be specified together.')
  if (has('command_config', 'producer.config')) fail('--command-config and --producer.config cannot be specified together.')
  if ((options.long('transaction_duration_ms') ?? 1n) <= 0n) fail('--transaction-duration-ms should be greater than zero.')
  if ((options.long('reporting_interval') ?? 1n) <= 0n) fail('--reporting-interval should be greater than zero.')
}

async function run(options: Namespace, io: FaceIo): Promise<void> {
  const payload = payloadOf(options, io)
  const properties = await propertiesOf(options, io)
  const isTransactional = options.long('transaction_duration_ms') !== undefined || properties.has('transactional.id')
  if (isTransactional && !properties.has('transactional.id')) properties.set('transactional.id', `performance-producer-${randomUUID()}`)
  const bootstrapServer = options.string('bootstrap_server')
  const cluster = await openCluster(io, { bootstrapServer, properties, clientId: 'perf-producer-client', kind: 'KafkaProducer' })
  const records = Number(options.long('num_records') ?? 0n)
  const warmupRecords = Math.max(0, Number(options.long('warmup_records') ?? 0n))
  const intervalMs = Number(options.long('reporting_interval') ?? 0n)
  const now = (): number => systemClock.now()
  let failed = 0
  let steady: LatencyStats | undefined
  if (warmupRecords > 0) io.out(`Warmup first ${warmupRecords} records. Steady state results will print after the complete test summary.\n`)
  const printWindow = (window: Window, elapsedMs: number): void => io.out(windowText(window, elapsedMs))
  const stats = new LatencyStats(now(), intervalMs, (window, elapsedMs) => {
    if (steady === undefined) printWindow(window, elapsedMs)
  })
  const onSteady = (): void => {
    steady = new LatencyStats(now(), intervalMs, (window, elapsedMs) => {
      if (steady?.total.records === window.records) io.out('In steady state.\n')
      printWindow(window, elapsedMs)
    })
  }
  try {
    await producePerf(cluster, {
      topic: options.string('topic') ?? '',
      records,
      payload,
      transactionMs: isTransactional ? Number(options.long('transaction_duration_ms') ?? 3000n) : undefined,
      throughput: options.number('throughput') ?? -1,
      warmupRecords,
      onSteady,
      onSent(run) {
        const at = now()
        stats.record(run, at)
        if (run.isSteady) steady?.record(run, at)
      },
      onFailed(error) {
        failed++
        io.err(traceOf(toJava(error)))
      },
    })
  } finally {
    await cluster.close()
  }
  io.out(totalText(stats, now() - stats.startedAt, ''))
  if (steady !== undefined) io.out(totalText(steady, now() - steady.startedAt, ' steady state'))
  if (options.has('print_metrics')) {
    const tags = `{client-id=${cluster.config.clientId}}`
    io.out(metricsText([
      [`producer-metrics:record-send-total:${tags}`, stats.total.records],
      [`producer-metrics:record-error-total:${tags}`, failed],
    ])) // prettier-ignore
  }
}

async function propertiesOf(options: Namespace, io: FaceIo): Promise<Map<string, string>> {
  const old = options.strings('producer_props')
  const oldFile = options.string('producer.config')
  if (old !== undefined) io.out('Option --producer-props has been deprecated and will be removed in a future version. Use --command-property instead.\n')
  if (oldFile !== undefined) io.out('Option --producer.config has been deprecated and will be removed in a future version. Use --command-config instead.\n')
  const properties = new Map(await loadProperties(oldFile ?? options.string('command_config')))
  for (const pair of old ?? options.strings('command_property') ?? []) {
    const parts = javaSplit(pair, '=')
    if (parts.length !== 2) throw illegalArgument(`Invalid property: ${pair}`)
    properties.set(parts[0], parts[1])
  }
  const transactionalId = options.string('transactional_id')
  if (transactionalId !== undefined) properties.set('transactional.id', transactionalId)
  return properties
}

function payloadOf(options: Namespace, io: FaceIo): Payload {
  const path = options.string('payload_file')
  if (path === undefined) return options.has('payload_monotonic') ? 'monotonic' : { size: options.number('record_size') ?? 0 }
  io.out(`Reading payloads from: ${resolve(path)}\n`)
  const text = fileText(path)
  if (!text) throw illegalArgument('File does not exist or empty file provided.')
  const delimiter = options.string('payload_delimiter') ?? ''
  const list = pieces(text, delimiter === '\\n' ? '\n' : delimiter).map((piece) => Buffer.from(piece))
  io.out(`Number of records read: ${list.length}\n`)
  if (list.length === 0) throw illegalArgument('No payload file, record size or payload-monotonic option provided.')
  return { list }
}

/** As java.util.Scanner parts a text: a delimiter that begins or ends it leaves nothing behind. */
function pieces(text: string, delimiter: string): string[] {
  const parts: string[] = []
  let from = 0
  // Not String.split, which gives what groups matched, too.
  for (const { 0: match, index } of text.matchAll(javaFinder(delimiter))) {
    parts.push(text.slice(from, index))
    from = index + match.length
  }
  parts.push(text.slice(from))
  if (parts.at(0) === '') parts.shift()
  if (parts.at(-1) === '') parts.pop()
  return parts
}

const MB = 1024 * 1024

function windowText({ records, bytes, latencyMs, maxLatencyMs }: Window, elapsedMs: number): string {
  const rate = fixedText((1000 * records) / elapsedMs, 1)
  const mb = fixedText((1000 * bytes) / elapsedMs / MB, 2)
  return `${records} records sent, ${rate} records/sec (${mb} MB/sec), ${fixedText(latencyMs / records, 1)} ms avg latency, ${fixedText(maxLatencyMs, 1)} ms max latency.\n`
}

function totalText(stats: LatencyStats, elapsedMs: number, kind: string): string {
  const { records, bytes, latencyMs, maxLatencyMs } = stats.total
  const rate = fixedText((1000 * records) / elapsedMs, 6)
  const mb = fixedText((1000 * bytes) / elapsedMs / MB, 2)
  const [half, most, nearly, last] = [0.5, 0.95, 0.99, 0.999].map((share) => stats.percentile(share))
  return (
    `${records}${kind} records sent, ${rate} records/sec (${mb} MB/sec), ${fixedText(latencyMs / records, 2)} ms avg latency, ` +
    `${fixedText(maxLatencyMs, 2)} ms max latency, ${half} ms 50th, ${most} ms 95th, ${nearly} ms 99th, ${last} ms 99.9th.\n`
  )
}
