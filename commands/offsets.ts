// `ktool offsets`: where partitions begin and end.

import * as Flags from '@oclif/core/flags'
import { systemClock } from '../src/base/clock.ts'
import { ClusterCommand, topicsFlag, watchFlag, zoneFlag } from '../src/cli/base-command.ts'
import type { Connection } from '../src/cli/connection.ts'
import { errorJson, ExitCode, failureLine } from '../src/cli/errors.ts'
import { parsePlace } from '../src/cli/formats/positions.ts'
import { nowIn } from '../src/cli/formats/times.ts'
import { redraw } from '../src/cli/redraw.ts'
import { type OffsetWish, type PartitionOffsets, topicOffsets } from '../src/cli/verbs/offsets.ts'
import { selectTopics, type MissingTopic, type TopicSelection } from '../src/cli/verbs/topics.ts'

export default class Offsets extends ClusterCommand {
  static override words = { argument: 'topic' }

  static override description =
    'Shows for each partition the offset of its first record and of the next one; with --at also of the first record at or after a ' +
    'time, which is the end where there is none so young.'

  static override usage = ['offsets [TOPIC]… [--partition N]… [--at PLACE] [--regex] [--exclude-internal] [--watch]']

  static override examples = [
    { description: 'Where a topic begins and ends', command: 'ktool offsets orders' },
    { description: 'Where it was an hour ago', command: 'ktool offsets orders --at @-1h' },
    { description: 'Two partitions, for a program', command: 'ktool offsets orders -p 0,1 --json' },
  ]

  static override flags = {
    topic: topicsFlag('The topic. All of them, unless said.'),
    partition: Flags.integer({ char: 'p', min: 0, multiple: true, multipleNonGreedy: true, delimiter: ',', helpValue: 'N', summary: 'Only this partition.' }),
    at: Flags.string({
      helpValue: 'PLACE',
      summary: 'Also the offset of a place: @TIME (2026-03-01T09:00, -1h, milliseconds), now, today, yesterday, -N (before the end), stored:GROUP.',
    }),
    tz: zoneFlag,
    regex: Flags.boolean({ summary: '--topic is a regular expression for whole names.' }),
    'exclude-internal': Flags.boolean({ summary: "Leave out Kafka's own topics." }),
    watch: watchFlag,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Offsets)
    const at = flags.at === undefined ? undefined : parsePlace('--at', flags.at, nowIn(flags.tz, systemClock.now()))
    const connection = await this.connect(flags)
    const selection = { names: flags.topic ?? [], isPattern: flags.regex, excludeInternal: flags['exclude-internal'] }
    const show = () => this.#show(connection, selection, { partitions: flags.partition, at })
    await (flags.watch ? redraw(this.output, show) : show())
  }

  async #show({ cluster }: Connection, selection: TopicSelection, wish: OffsetWish): Promise<void> {
    const { names, missing } = await selectTopics(cluster, selection, false)
    if (names.length === 0 && missing.length === 1) throw missing[0].error
    const rows = await topicOffsets(cluster, names, wish)
    if (this.output.isJson) this.#showJson(names, rows, missing, wish.at !== undefined)
    else await this.#showTable(rows, wish.at !== undefined)
    const errors = [...rows, ...missing].flatMap(({ error }) => error ?? [])
    if (!this.output.isJson) for (const error of errors) this.output.talk(`ktool: ${failureLine(error)}`)
    if (errors.length > 0) process.exitCode = ExitCode.failed
  }

  #showJson(names: readonly string[], rows: readonly PartitionOffsets[], missing: readonly MissingTopic[], hasAt: boolean): void {
    const topics = names.map((name) => {
      const partitions = rows.filter(({ topic }) => topic === name).map(({ partition, start, end, at, error }) => {
        return { partition, start, end, ...(hasAt && { at }), error: errorJson(error) }
      }) // prettier-ignore
      return { name, partitions }
    })
    this.output.json({ topics: [...topics, ...missing.map(({ name, error }) => ({ name, error: errorJson(error) }))] })
  }

  async #showTable(rows: readonly PartitionOffsets[], hasAt: boolean): Promise<void> {
    const text = (offset: number | null): string => (offset === null ? '-' : String(offset))
    const right = (heading: string) => ({ heading, align: 'right' as const })
    const columns = [{ heading: 'topic' }, right('partition'), right('start'), right('end'), ...(hasAt ? [right('at')] : [])]
    const cells = rows.map(({ topic, partition, start, end, at }) => [topic, String(partition), text(start), text(end), ...(hasAt ? [text(at)] : [])])
    await this.output.table(columns, cells)
  }
}
