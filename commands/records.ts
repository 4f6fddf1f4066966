// `ktool records`: which records go, what to ask a person, and what became of it.

import * as Flags from '@oclif/core/flags'
import { systemClock } from '../src/base/clock.ts'
import { chosenAction, saidIn } from '../src/cli/actions.ts'
import { changeFlags, ClusterCommand, zoneFlag } from '../src/cli/base-command.ts'
import { errorJson, ExitCode, failureLine, usageError } from '../src/cli/errors.ts'
import { parsePositions } from '../src/cli/formats/positions.ts'
import { nowIn } from '../src/cli/formats/times.ts'
import type { WordRules } from '../src/cli/words.ts'
import { parseTopicScope } from '../src/cli/verbs/groups.ts'
import * as verbs from '../src/cli/verbs/records.ts'

const ACTIONS = ['delete'] as const

export default class Records extends ClusterCommand {
  static override words: WordRules = { actions: ACTIONS, argument: 'topic' }

  static override description =
    'Deletes the oldest records of a topic, up to a place; what lies behind it stays, and offsets go on counting. What is deleted is gone. ' +
    '--dry-run shows how much that is.'

  static override usage = ['records delete TOPIC[:PARTITION,…] --before PLACE [--yes] [--dry-run]']

  static override examples = [
    { description: 'Empty a topic', command: 'ktool records delete orders --before end' },
    { description: 'What is older than a week', command: 'ktool records delete orders --before @-7d' },
    { description: 'Of one partition, before an offset', command: 'ktool records delete orders:2 --before 1500 --dry-run' },
    { description: 'By partition', command: 'ktool records delete orders --before 0=1500,1=end' },
  ]

  static override flags = {
    delete: Flags.boolean({ summary: 'Delete the records before a place.' }),
    topic: Flags.string({ char: 't', helpValue: 'NAME[:PARTITION,…]', summary: 'The topic, or some of its partitions.' }),
    before: Flags.string({ helpValue: 'PLACE', summary: 'In the words of `ktool consume --offset`: end, N, -N, +N, @TIME, stored:GROUP; also by partition: 0=47,1=end.' }),
    tz: zoneFlag,
    ...changeFlags,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Records)
    await chosenAction('records', ACTIONS, {}, saidIn(flags), this.output)
    if (flags.topic === undefined) throw usageError('--topic is missing', 'see `ktool topics --list` for the names')
    if (flags.before === undefined) throw usageError('--before is missing', 'say before what records go: an offset, @TIME, or end')
    const positions = parsePositions('--before', flags.before, nowIn(flags.tz, systemClock.now()))
    const spans = [...positions.byPartition.values(), ...(positions.all === undefined ? [] : [positions.all])]
    if (spans.some(({ to }) => to !== undefined)) throw usageError(`--before '${flags.before}' is a range`, 'say one place; all before it goes')
    const { topic, partitions } = parseTopicScope(flags.topic)
    const connection = await this.connect(flags)
    const plan = await verbs.planRecordDeletion(connection.cluster, topic, positions, partitions)
    const count = plan.reduce((sum, { offsets }) => sum + offsets, 0)
    const question = `Delete ${count} record${count === 1 ? '' : 's'} of topic ${topic}?`
    if (count > 0 && !(await this.mayChange(connection, { question, isSeveral: false, isFinal: true, flags }))) return
    const isDryRun = flags['dry-run']
    await this.#show(topic, isDryRun ? plan : await verbs.deletePlannedRecords(connection.cluster, plan), isDryRun)
  }

  async #show(topic: string, rows: readonly verbs.RecordDeletion[], isDryRun: boolean): Promise<void> {
    const failed = rows.filter(({ error }) => error !== null)
    const [only] = rows
    if (rows.length === 1 && only.error !== null) throw only.error
    if (this.output.isJson) {
      const partitions = rows.map(({ partition, start, before, offsets, error }) => ({ partition, start, before, offsets, error: errorJson(error) }))
      this.output.json({ ...(isDryRun && { dryRun: true }), topic, partitions })
    } else {
      const heading = isDryRun ? 'would go' : 'deleted'
      await this.output.table(
        [{ heading: 'topic' }, ...['partition', heading, isDryRun ? 'from' : 'starts at'].map((each) => ({ heading: each, align: 'right' as const }))],
        rows.map(({ topic, partition, start, offsets, error }) => [topic, `${partition}`, error === null ? `${offsets}` : '-', `${start}`]),
      )
      for (const { partition, error } of failed) if (error !== null) this.output.talk(`ktool: ${topic}-${partition}: ${failureLine(error)}`)
    }
    if (failed.length > 0) process.exitCode = ExitCode.failed
  }
}
