// `ktool consume`: flags, what is said on stderr, and which end is a success.

import * as Flags from '@oclif/core/flags'
import { systemClock } from '../src/base/clock.ts'
import { canAsk, chooseTopic } from '../src/cli/ask.ts'
import { ClusterCommand, topicsFlag, zoneFlag } from '../src/cli/base-command.ts'
import type { Connection } from '../src/cli/connection.ts'
import { expectationError, usageError } from '../src/cli/errors.ts'
import { sinkFor } from '../src/cli/formats/byte-sink.ts'
import { envelopeFormat, type JsonStyle } from '../src/cli/formats/envelope-format.ts'
import { formatString, kcatFormat } from '../src/cli/formats/format-string.ts'
import { joinPositions, parsePositions, type Positions } from '../src/cli/formats/positions.ts'
import { parseProperties } from '../src/cli/formats/properties.ts'
import { nowIn, parseDuration } from '../src/cli/formats/times.ts'
import { type RecordFormat, textFormat } from '../src/cli/formats/record-format.ts'
import { onSignals } from '../src/cli/signals.ts'
import {
  consumeGroup, type ConsumeResult, consumeTopic, type ConsumerPosition, peekGroup, type Start,
} from '../src/cli/verbs/consume.ts' // prettier-ignore
import { ensureTopic } from '../src/cli/verbs/existing-topic.ts'
import { DEFAULT_TOPIC, selectTopics } from '../src/cli/verbs/topics.ts'

export default class Consume extends ClusterCommand {
  static override words = { argument: 'topic' }

  static override description =
    'Prints records as they are stored, each followed by a newline, from now on unless said. Goes on until --max-messages, ' +
    '--exit-at-end, a time-out or Ctrl-C. --json prints one object a line. With --group it shares the partitions with the ' +
    "group's other members, goes on where the group is, and commits what was printed and taken by whoever reads it; it leaves the group when it ends."

  static override exits = ['0', '1', '2', '3', '4', '130, 143']

  static override usage = [
    'consume [TOPIC]… [--from-beginning] [--partition N,…] [--offset OFFSET] [--max-messages N] [--exit-at-end]',
    'consume [TOPIC]… --group NAME [--from-beginning] [--no-commit] [--max-messages N] [--exit-at-end]',
  ]

  static override examples = [
    { description: 'All there is, and no more', command: 'ktool consume messages --from-beginning --exit-at-end' },
    { description: 'The last 10 of each partition, as JSON', command: 'ktool consume messages -o -10 -e --json' },
    { description: 'What came in the last five minutes', command: 'ktool consume orders -o @-5m -e' },
    { description: 'What the group has not seen yet, and go on from there next time', command: 'ktool consume orders --group billing --exit-at-end' },
    { description: 'A test that expects 3 records within 10 s', command: 'ktool consume out --from-beginning --max-messages 3 --timeout 10s' },
  ]

  static override flags = {
    topic: topicsFlag('Where from. `messages` on the bundled broker, unless said.'),
    regex: Flags.boolean({ summary: '--topic is a regular expression for whole names; those that are there at the start are read.' }),
    group: Flags.string({ char: 'g', helpValue: 'NAME', summary: 'Read as a member of this consumer group.' }),
    'no-commit': Flags.boolean({ summary: 'Read from where the group is, without joining it or moving it.' }),
    'from-beginning': Flags.boolean({ summary: 'Start at the first record; with --group where the group has committed no offset.' }),
    partition: Flags.integer({
      char: 'p',
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      min: 0,
      helpValue: 'N,…',
      summary: 'Only these partitions.',
    }),
    offset: Flags.string({
      char: 'o',
      helpValue: 'OFFSET',
      summary:
        'start, end, N (with --partition), -N before the end of each partition, +N behind the start, @TIME (2026-03-01T09:00, -1h, milliseconds), now, ' +
        'today, yesterday, stored:GROUP; a range of two as A:B or A..B, which stops at its end; or by partition: 0=47,1=-5,*=end.',
    }),
    from: Flags.string({ helpValue: 'PLACE', exclusive: ['offset', 'from-beginning'], summary: 'Where to start, in the words of --offset.' }),
    to: Flags.string({ helpValue: 'PLACE', exclusive: ['offset', 'from-beginning'], summary: 'Where to stop: the first record that is not printed.' }),
    last: Flags.integer({
      min: 0,
      helpValue: 'N',
      exclusive: ['offset', 'from-beginning'],
      summary: 'The last N of each partition, not of the topic as a whole, and no more.',
    }),
    tz: zoneFlag,
    'max-messages': Flags.integer({ char: 'c', charAliases: ['n'], min: 0, helpValue: 'N', summary: 'Stop after so many records.' }),
    'exit-at-end': Flags.boolean({ char: 'e', summary: 'Stop at the end as it is when the command starts.' }),
    timeout: Flags.string({
      helpValue: 'DURATION',
      summary: 'Stop after so long (10s, 500ms). Exits 4 if --max-messages or --exit-at-end is not met by then.',
    }),
    'timeout-ms': Flags.integer({ helpValue: 'MS', summary: "Stop when no record came for so long, as Kafka's console consumer does." }),
    'isolation-level': Flags.option({ options: ['read_uncommitted', 'read_committed'] as const })({
      summary: 'read_committed leaves out what transactions have not committed.',
    }),
    key: Flags.option({ options: ['string', 'json'] as const })({ helpValue: 'json|string', summary: 'With --json: keys that are JSON are spliced in, not quoted.' }),
    value: Flags.option({ options: ['string', 'json'] as const })({ helpValue: 'json|string', summary: 'With --json: values that are JSON are spliced in, not quoted.' }),
    format: Flags.string({
      char: 'f',
      helpValue: 'FORMAT',
      summary:
        "How a record is printed, in the language of rpk and kcl, as '%t/%p/%o %k %h{%k=%v }%v\\n': %t topic, %k key, %v value, " +
        '%h{…} headers, %h{NAME} one of them, %p partition, %o offset, %d timestamp, %e %a %x %y %i %[ %| %], lengths %T %K %V %H. ' +
        'In braces behind it: hex, base64, json, trunc:80, unpack[…] for text; hex32, big32, little16 … for numbers; iso, strftime[…], go[…] for times.',
    }),
    'kcat-format': Flags.string({ helpValue: 'FORMAT', summary: "The same in kcat's language: %s %S %R %k %K %T %t %p %o %h." }),
    'key-separator': Flags.string({ char: 'K', helpValue: 'TEXT', summary: 'Print the key in front of the value, with this between them.' }),
    property: Flags.string({
      aliases: ['formatter-property'],
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME=VALUE',
      summary:
        "How records are printed, by Kafka's names: print.key, print.value, print.timestamp, print.partition, print.offset, " +
        'print.headers, print.epoch, print.delivery, key.separator, line.separator, headers.separator, null.literal.',
    }),
    'command-property': Flags.string({
      char: 'X',
      aliases: ['consumer-property'],
      helpGroup: 'connection',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME=VALUE',
      summary: "A client property by Kafka's name.",
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Consume)
    const started = systemClock.monotonic()
    const start = startOf(flags)
    const timeoutMs = flags.timeout === undefined ? undefined : parseDuration('--timeout', flags.timeout)
    const idle = flags['timeout-ms']
    const format = formatOf(flags, this.output.isJson)

    const properties = parseProperties('--command-property', flags['command-property'] ?? [])
    const connection = await this.connect(flags, { properties })
    const { cluster, isBundled } = connection
    const groupId = groupOf(flags, cluster)
    const topics = flags.regex ? await matching(cluster, flags.topic) : [...new Set(flags.topic ?? [isBundled ? DEFAULT_TOPIC : await this.#asked(connection)])]
    if (!flags.regex) for (const topic of topics) await ensureTopic(cluster, topic, 'fail')

    const sink = sinkFor(process.stdout, groupId !== undefined)
    const abort = new AbortController()
    const signals = onSignals(() => abort.abort())
    const { consumer } = cluster.config
    const common = {
      isolation: flags['isolation-level'] ?? consumer.isolationLevel,
      untilEnd: flags['exit-at-end'],
      maxMessages: flags['max-messages'],
      timeoutMs: timeoutMs === undefined ? undefined : Math.max(0, timeoutMs - (systemClock.monotonic() - started)),
      idleMs: idle === undefined || idle < 0 ? undefined : idle,
      format,
      sink,
      signal: abort.signal,
      onNotice: (text: string) => this.output.talk(text),
      ...(flags.verbose && { onPositioned: (positions: readonly ConsumerPosition[]) => this.#positioned(positions) }),
    }
    try {
      const reset = flags['from-beginning'] ? 'earliest' : consumer.autoOffsetReset
      const [topic, ...otherTopics] = topics
      const partitions = flags.partition && [...new Set(flags.partition)]
      const result =
        groupId === undefined
          ? await consumeTopic(cluster, { ...common, topic, otherTopics, partitions, start: start ?? defaultStart(reset) })
          : await (flags['no-commit'] ? peekGroup : consumeGroup)(cluster, { ...common, groupId, topics, reset })
      this.#report(result, common.maxMessages, common.untilEnd || hasEnd(start), flags.timeout)
    } finally {
      signals.release()
      if (signals.exitCode !== undefined) process.exitCode = signals.exitCode
    }
  }

  #asked({ cluster }: Connection): Promise<string> {
    if (canAsk(this.output)) return chooseTopic(cluster, 'Consume which topic?')
    throw usageError('--topic is missing', 'there is a default on the bundled broker only')
  }

  #positioned(positions: readonly ConsumerPosition[]): void {
    if (positions.length === 0) this.output.talk('no partitions: the other members of the group have them')
    for (const { topic, partition, offset, end } of positions) {
      const until = end === Infinity ? '' : ` until ${end}`
      this.output.talk(`reading ${topic}-${partition} from offset ${offset}${until}`)
    }
  }

  #report({ messages, reason }: ConsumeResult, maxMessages: number | undefined, untilEnd: boolean, timeout: string | undefined): void {
    const isUnmet = reason === 'timeout' && (maxMessages !== undefined || untilEnd)
    if (!this.output.isJson) this.output.talk(`Processed a total of ${messages} messages`)
    if (!isUnmet) return
    const wanted = maxMessages === undefined ? 'the end was not reached' : `${maxMessages} were expected`
    throw expectationError('TIMEOUT', `${messages} records came within ${timeout ?? ''}, and ${wanted}`)
  }
}

async function matching(cluster: Connection['cluster'], patterns: readonly string[] | undefined): Promise<readonly string[]> {
  if (patterns === undefined) throw usageError('--regex needs --topic', 'it says how the topic is meant')
  return (await selectTopics(cluster, { names: patterns, isPattern: true, excludeInternal: true }, false)).names
}

interface FormatFlags {
  readonly format?: string | undefined
  readonly 'kcat-format'?: string | undefined
  readonly 'key-separator'?: string | undefined
  readonly key?: JsonStyle | undefined
  readonly value?: JsonStyle | undefined
  readonly property?: readonly string[] | undefined
}

function formatOf(flags: FormatFlags, isJson: boolean): RecordFormat {
  const said = (['format', 'kcat-format', 'key-separator', 'property'] as const).filter((name) => flags[name] !== undefined)
  if (isJson) {
    if (said.length > 0) throw usageError('--json prints all fields', `leave out --${said[0]}`)
    return envelopeFormat({ key: flags.key, value: flags.value })
  }
  if ((flags.key ?? flags.value) !== undefined) throw usageError('--key and --value say how --json prints', 'add --json')
  const isLayout = flags.format !== undefined || flags['kcat-format'] !== undefined
  if (isLayout && said.length > 1) throw usageError(`--${said[0]} and --${said[1]} both say how records are printed`, 'leave one of them out')
  if (flags.format !== undefined) return formatString(flags.format)
  if (flags['kcat-format'] !== undefined) return kcatFormat(flags['kcat-format'])
  const properties = parseProperties('--property', flags.property ?? [])
  if (flags['key-separator'] !== undefined) properties.set('print.key', 'true').set('key.separator', flags['key-separator'])
  return textFormat(properties)
}

interface GroupFlags {
  readonly group?: string | undefined
  readonly 'no-commit': boolean
  readonly 'from-beginning': boolean
  readonly partition?: readonly number[] | undefined
  readonly offset?: string | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly last?: number | undefined
  readonly tz?: string | undefined
}

/** The group to read for, from wherever it is named. Usage error for what doesn't go with it, in Kafka's words where it has some. */
function groupOf(flags: GroupFlags, { config: { consumer, given } }: Connection['cluster']): string | undefined {
  const groupId = flags.group ?? consumer.groupId
  if (flags['from-beginning'] && given.has('auto.offset.reset') && consumer.autoOffsetReset !== 'earliest') {
    throw usageError('--from-beginning and the property auto.offset.reset say different things', 'leave one of them out')
  }
  if (groupId === undefined) {
    if (flags['no-commit']) throw usageError('--no-commit needs --group', 'without a group nothing is committed')
    return undefined
  }
  if (groupId === '') throw usageError('--group is empty')
  if (consumer.groupId !== undefined && consumer.groupId !== groupId) {
    throw usageError(`--group says '${groupId}', and the property group.id '${consumer.groupId}'`, 'leave one of them out')
  }
  if (flags.partition !== undefined) throw usageError('Options group and partition cannot be specified together.', 'the group shares out the partitions')
  const place = (['offset', 'from', 'to', 'last'] as const).find((name) => flags[name] !== undefined)
  if (place !== undefined) throw usageError(`Options group and ${place} cannot be specified together.`, 'the group knows where it is; `ktool groups --reset-offsets` moves it')
  return groupId
}

function startOf(flags: GroupFlags): Positions | undefined {
  const now = nowIn(flags.tz, systemClock.now())
  if (flags['from-beginning']) {
    if (flags.offset !== undefined) throw usageError('Options from-beginning and offset cannot be specified together.')
    return parsePositions('--from-beginning', 'start', now)
  }
  const positions = flags.offset === undefined ? joinPositions(flags, now) : parsePositions('--offset', flags.offset, now)
  if (positions?.all !== undefined && 'offset' in positions.all.from && flags.partition === undefined) {
    throw usageError('The partition is required when offset is specified.', 'add --partition N')
  }
  return positions
}

/** Whether reading stops by itself, once it is there. */
function hasEnd(positions: Positions | undefined): boolean {
  if (positions === undefined) return false
  return [positions.all, ...positions.byPartition.values()].every((span) => span === undefined || span.to !== undefined)
}

function defaultStart(reset: 'earliest' | 'latest' | 'none' | { readonly byDuration: number }): Start {
  if (typeof reset === 'object') return { timestamp: systemClock.now() - reset.byDuration }
  return { at: reset === 'earliest' ? 'beginning' : 'end' }
}
