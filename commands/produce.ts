// `ktool produce`: flags, prompt and progress, and what to say when not every record arrived.

import * as Flags from '@oclif/core/flags'
import { systemClock } from '../src/base/clock.ts'
import { askText, canAsk } from '../src/cli/ask.ts'
import { changeFlags, ClusterCommand } from '../src/cli/base-command.ts'
import { refuseReadOnly } from '../src/cli/context-guard.ts'
import { CliError, ExitCode, type Failure, failureOf, usageError } from '../src/cli/errors.ts'
import { EnvelopeParser } from '../src/cli/formats/envelope-parser.ts'
import { FixedFields, parseHeader } from '../src/cli/formats/fixed-fields.ts'
import { FormatReader } from '../src/cli/formats/format-reader.ts'
import { LineParser } from '../src/cli/formats/line-parser.ts'
import { type LineSource, stdinSource } from '../src/cli/formats/line-source.ts'
import { parseProperties } from '../src/cli/formats/properties.ts'
import type { RecordParser } from '../src/cli/formats/record-parser.ts'
import { bytesText } from '../src/cli/quantities.ts'
import { onSignals } from '../src/cli/signals.ts'
import type { WordRules } from '../src/cli/words.ts'
import { ensureTopic } from '../src/cli/verbs/existing-topic.ts'
import { parseLines, produceLines, type ProduceOptions, type ProduceResult } from '../src/cli/verbs/produce.ts'

const PROGRESS_MS = 200
// Kafka's default.
const MAX_REQUEST_SIZE = 1_048_576

export default class Produce extends ClusterCommand {
  static override words: WordRules = {
    argument: 'topic',
    surplus: (topic, file) => `produce reads stdin: ktool produce ${topic} < ${file}`,
  }

  static override description =
    'Each line of stdin is a record, sent in batches and acknowledged by all replicas unless said. Exits 1 if any record was not ' +
    'acknowledged. With no cluster named and no broker running, the bundled one is started; there, a missing topic is created. ' +
    '--dry-run reads and counts, and talks to no cluster. On a terminal each line typed is a record; Ctrl-D ends.'

  static override exits = ['0', '1', '2', '3', '130, 143']

  static override usage = ['produce TOPIC [--property NAME=VALUE]… [--partition N] [--dry-run] < FILE']

  static override examples = [
    { description: 'Lines to the bundled broker', command: "printf 'a\\nb\\n' | ktool produce messages" },
    {
      description: 'Keys before a colon',
      command: 'ktool produce users --property parse.key=true --property key.separator=: < users.txt',
    },
    { description: 'One record with a key and headers', command: "echo paid | ktool produce orders -k order-7 -H source=shop -H version=2" },
    { description: 'Headers, a key and a value in each line, with tabs between them', command: "printf 'h1:v1,h2:v2\\tkey\\tvalue\\n' | ktool produce orders --parse-headers --property parse.key=true" },
    { description: 'Compressed, to a cluster', command: 'ktool produce logs -b kafka:9092 --compression-type zstd < app.log' },
  ]

  static override flags = {
    topic: Flags.string({ char: 't', helpValue: 'NAME', summary: 'Where to. There is no default.' }),
    property: Flags.string({
      aliases: ['reader-property'],
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME=VALUE',
      summary:
        "How lines are read, by Kafka's names: parse.key, key.separator, parse.headers, headers.delimiter, headers.separator, " +
        'headers.key.separator, null.marker, ignore.error.',
    }),
    partition: Flags.integer({ char: 'p', min: 0, helpValue: 'N', summary: 'All records to this partition.' }),
    input: Flags.option({ options: ['lines', 'json'] as const })({
      helpValue: 'lines|json',
      summary: 'What a line is: a record as `ktool consume --json` prints it, or, unless said, the text of one.',
    }),
    format: Flags.string({
      char: 'f',
      helpValue: 'FORMAT',
      summary:
        "How a record stands in the input, in the language of `ktool consume -f`: '%k:%v\\n', or with lengths in front '%K{big32}%k%V{big32}%v'. " +
        'A %t, %p or %d in it is the topic, the partition or the timestamp to write with.',
    }),
    'key-separator': Flags.string({ char: 'K', helpValue: 'TEXT', summary: 'A line is a key and a value, with this between them.' }),
    'parse-headers': Flags.boolean({ summary: "A line begins with headers, as name:value,name:value and a tab; the same as --property parse.headers=true." }),
    key: Flags.string({ char: 'k', helpValue: 'TEXT', summary: 'The key of every record that has none of its own.' }),
    header: Flags.string({
      char: 'H',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME=VALUE',
      summary: 'A header of every record, behind those of its own; a NAME alone has no value, which is null.',
    }),
    'topic-from': Flags.option({ options: ['record'] as const })({ helpValue: 'record', summary: 'With --input json: to the topic the record names.' }),
    'partition-from': Flags.option({ options: ['record'] as const })({ helpValue: 'record', summary: 'With --input json: to the partition the record names.' }),
    'timestamp-from': Flags.option({ options: ['record'] as const })({ helpValue: 'record', summary: 'With --input json: with the timestamp of the record, not of now.' }),
    'compression-type': Flags.string({
      aliases: ['compression-codec'],
      helpValue: 'none|gzip|snappy|lz4|zstd',
      summary: 'How batches are compressed. --compression-codec alone means gzip.',
    }),
    acks: Flags.string({
      aliases: ['request-required-acks'],
      helpValue: 'all|1|0',
      summary: 'Which replicas must have a record before it counts. All, unless said.',
    }),
    'batch-size': Flags.integer({ helpValue: 'BYTES', summary: 'The most in one batch.' }),
    linger: Flags.integer({ aliases: ['timeout'], helpValue: 'MS', summary: 'How long a batch waits to get fuller. 5, unless said.' }),
    sync: Flags.boolean({ summary: 'Wait for each record, and stop at the first that fails.' }),
    'allow-auto-topic-creation': Flags.boolean({ summary: 'Let the cluster create the topic if it is not there.' }),
    'dry-run': changeFlags['dry-run'],
    'command-property': Flags.string({
      char: 'X',
      aliases: ['producer-property'],
      helpGroup: 'connection',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME=VALUE',
      summary: "A client property by Kafka's name.",
    }),
  }

  // --compression-codec takes its value or leaves it, which oclif has no notion of.
  override async init(): Promise<void> {
    const at = this.argv.indexOf('--compression-codec')
    const next = this.argv[at + 1] as string | undefined
    if (at >= 0 && (next === undefined || next.startsWith('-'))) this.argv.splice(at + 1, 0, 'gzip')
    await super.init()
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Produce)
    this.#separators = [...(flags.property ?? []), ...(flags['key-separator'] === undefined ? [] : ['key.separator'])].join()
    const parser = withFixedFields(parserOf(flags), flags)
    if (flags.topic !== undefined && flags['topic-from'] !== undefined) {
      throw usageError('TOPIC and --topic-from=record say different things', 'leave one of them out')
    }
    const properties = parseProperties('--command-property', flags['command-property'] ?? [])
    const named = {
      'compression.type': flags['compression-type'],
      acks: flags.acks,
      'batch.size': flags['batch-size'],
      'linger.ms': flags.linger,
    }
    for (const [name, value] of Object.entries(named)) if (value !== undefined) properties.set(name, String(value))
    if (flags.sync) properties.set('linger.ms', '0') // nothing else will come before the answer
    if (flags.sync && properties.get('acks') === '0') throw usageError('--sync waits for answers, and with --acks 0 there are none')

    const topic = flags.topic ?? (flags['topic-from'] === undefined ? await this.#asked() : undefined)
    if (flags['dry-run']) return this.#try(topic, parser, Number(properties.get('max.request.size') ?? MAX_REQUEST_SIZE))
    const connection = await this.connect(flags, { start: true, properties })
    const { cluster, isBundled, isNamed, context } = connection
    refuseReadOnly(context, 'produce')
    // In a pipe, and where the command line says it, nobody has to be told.
    if (process.stderr.isTTY && !isNamed) await this.announce(connection)
    const ifMissing = flags['allow-auto-topic-creation'] && !isBundled ? 'auto' : isBundled ? 'create' : 'fail'
    const prepareTopic = async (name: string): Promise<void> => {
      if (await ensureTopic(cluster, name, ifMissing)) this.output.talk(`created topic ${name}`)
    }
    if (topic !== undefined) await prepareTopic(topic)

    if (process.stdin.isTTY && process.stderr.isTTY && !this.output.isJson) this.output.talk('each line is a record; Ctrl-D ends')
    const source = stdinSource(process)
    const signals = onSignals(() => source.close())
    const options: ProduceOptions = { topic, partition: flags.partition, source, parser, prepareTopic, sync: flags.sync }
    try {
      const onTrouble = (error: Error): void => {
        this.#clearProgress()
        this.output.talk(`${error.message} Trying again until delivery.timeout.ms is over.`)
      }
      const result = await produceLines(cluster, { ...options, onTrouble, onWait: this.#onWait(source) })
      this.#clearProgress()
      this.#report(topic, result, flags.verbose)
    } finally {
      signals.release()
      source.close()
    }
    if (signals.exitCode !== undefined) process.exitCode = signals.exitCode
  }

  async #try(topic: string | undefined, parser: RecordParser, longest: number): Promise<void> {
    const source = stdinSource(process)
    const { lines, records, tooLong, bytes, parseError } = await parseLines({ source, parser }, longest).finally(() => source.close())
    if (parseError !== undefined) {
      const { code, message, hint } = this.#readingFailure(parseError)
      const counts = `${records} ${records === 1 ? 'record' : 'records'} could be read`
      throw new CliError({ code, message: `${counts}, and ${stopText(lines, message)}`, hint, exitCode: ExitCode.failed })
    }
    if (this.output.isJson) this.output.json({ dryRun: true, topic: topic ?? null, records, tooLong, bytes })
    else this.output.talk(`would write ${records} records, ${bytesText(bytes)}, to ${topic ?? 'the topics they name'}`)
    if (tooLong === 0) return
    if (!this.output.isJson) this.output.talk(`ktool: ${tooLong} lines are longer than max.request.size, ${longest} bytes`)
    process.exitCode = ExitCode.failed
  }

  #asked(): Promise<string> {
    if (canAsk(this.output)) return askText('Produce to which topic?')
    throw usageError('--topic is missing', 'see `ktool produce --help`')
  }

  #separators = ''

  /** A tab can't be seen in the line, nor in Kafka's text. */
  #readingFailure(error: Error): Failure {
    const failure = failureOf(error)
    const name = /^No (headers delimiter|key separator) found/.exec(failure.message)?.[1].replace(' ', '.')
    return name === undefined || this.#separators.includes(name) ? failure : { ...failure, hint: `it is a tab, unless --property ${name}=TEXT says otherwise` }
  }

  #shownAt = 0
  #hasProgress = false

  /** Kafka's prompt where a person types; progress where somebody watches a long input go. */
  #onWait(source: LineSource): ProduceOptions['onWait'] {
    if (!process.stderr.isTTY || this.output.isJson) return undefined
    if (process.stdin.isTTY) return () => process.stderr.write('>')
    const started = systemClock.monotonic()
    return ({ lines, totals }) => {
      const now = systemClock.monotonic()
      if (now - started < 2 * PROGRESS_MS || now - this.#shownAt < PROGRESS_MS) return
      this.#shownAt = now
      this.#hasProgress = true
      const share = source.size === undefined ? '' : ` of ${bytesText(source.size)}`
      const text = `${lines} lines, ${bytesText(source.bytes)}${share}, ${totals.acknowledged} acknowledged`
      process.stderr.write(`\r\x1b[K${text}`)
    }
  }

  #clearProgress(): void {
    if (this.#hasProgress) process.stderr.write('\r\x1b[K')
  }

  #report(topic: string | undefined, result: ProduceResult, verbose: boolean): void {
    const { acknowledged, failed, bytes, firstFailure, parseError, lines } = result
    if (firstFailure !== undefined) {
      // The context forbids it: the same for all records, and nothing was tried.
      if (firstFailure.error instanceof CliError) throw firstFailure.error
      const { code, message, hint } = failureOf(firstFailure.error)
      const where = firstFailure.line > 0 ? `line ${firstFailure.line} failed: ` : ''
      const counts = `${acknowledged} of ${acknowledged + failed} records were acknowledged`
      throw new CliError({ code, message: `${counts}; ${where}${message}`, hint, exitCode: ExitCode.failed })
    }
    if (parseError !== undefined) {
      const { code, message, hint } = this.#readingFailure(parseError)
      const counts = `${acknowledged} ${acknowledged === 1 ? 'record was' : 'records were'} acknowledged`
      throw new CliError({ code, message: `${counts}, and ${stopText(lines, message)}`, hint, exitCode: ExitCode.failed })
    }
    if (this.output.isJson) this.output.json({ topic: topic ?? null, acknowledged, failed, bytes })
    else if (verbose) this.output.talk(`${acknowledged} records acknowledged, ${bytesText(bytes)}`)
  }
}

/** Most messages name their line, some as Kafka does. */
function stopText(line: number, message: string): string {
  const isNamed = new RegExp(`\\bline (number )?${line}\\b`).test(message)
  return `reading stopped${isNamed ? '' : ` at line ${line}`}: ${message}`
}

interface InputFlags {
  readonly input?: 'lines' | 'json' | undefined
  readonly property?: readonly string[] | undefined
  readonly partition?: number | undefined
  readonly 'key-separator'?: string | undefined
  readonly 'parse-headers'?: boolean
  readonly format?: string | undefined
  readonly 'topic-from'?: string | undefined
  readonly 'partition-from'?: string | undefined
  readonly 'timestamp-from'?: string | undefined
}

/** What the input is read by. Usage error for flags that don't go with it. */
function parserOf(flags: InputFlags): RecordParser {
  const isSaid = (name: keyof InputFlags): boolean => flags[name] !== undefined && flags[name] !== false
  const asked = (['topic-from', 'partition-from', 'timestamp-from'] as const).find(isSaid)
  if (flags.format !== undefined) {
    const other = (['input', 'property', 'key-separator', 'parse-headers'] as const).find(isSaid) ?? asked
    if (other !== undefined) throw usageError(`--format and --${other} both say how records are read`, 'leave one of them out')
    return new FormatReader(flags.format)
  }
  if (flags.input === 'json') {
    const line = (['property', 'key-separator', 'parse-headers'] as const).find(isSaid)
    if (line !== undefined) throw usageError(`--${line} is about lines of text, and --input is json`, 'leave one of them out')
    if (flags.partition !== undefined && flags['partition-from'] !== undefined) {
      throw usageError('--partition and --partition-from say different things', 'leave one of them out')
    }
    return new EnvelopeParser({ topic: isSaid('topic-from'), partition: isSaid('partition-from'), timestamp: isSaid('timestamp-from') })
  }
  if (asked !== undefined) throw usageError(`--${asked} needs --input json`, 'a line of text says no such thing')
  const properties = parseProperties('--property', flags.property ?? [])
  if (flags['parse-headers']) properties.set('parse.headers', 'true')
  const separator = flags['key-separator']
  if (separator !== undefined) {
    if (separator === '') throw usageError('--key-separator is empty')
    properties.set('parse.key', 'true').set('key.separator', separator)
  }
  return new LineParser(properties)
}

interface FixedFlags {
  readonly key?: string | undefined
  readonly header?: readonly string[] | undefined
}

function withFixedFields(parser: RecordParser, { key, header = [] }: FixedFlags): RecordParser {
  if (key === undefined && header.length === 0) return parser
  return new FixedFields(parser, key, header.map((word) => parseHeader('--header', word)))
}
