// `ktool records`: which records go, what to ask a person, and what became of it.

import * as Flags from '@oclif/core/flags'
import { systemClock } from '../src/base/clock.ts'
import { chosenAction, saidIn } from '../src/cli/actions.ts'
import { changeFlags, ClusterCommand, partitionsFlag, zoneFlag } from '../src/cli/base-command.ts'
import { errorJson, ExitCode, failureLine, usageError } from '../src/cli/errors.ts'
import { parsePositions } from '../src/cli/formats/positions.ts'
import { nowIn } from '../src/cli/formats/times.ts'
import type { WordRules } from '../src/cli/words.ts'
import { parseTopicScope } from '../src/cli/verbs/groups.ts'
import * as verbs from '../src/cli/verbs/records.ts'
import { selectTopics } from '../src/cli/verbs/topics.ts'

const ACTIONS = ['delete'] as const

export default class Records extends ClusterCommand {
  static override words: WordRules = { actions: ACTIONS, argument: 'topic' }

  static override description =
    'Deletes the oldest records of topics, up to a place; what lies behind it stays, and offsets go on counting. What is deleted is gone. ' +
    'Names are literal; --regex makes them patterns. --dry-run shows how much would go.'

  static override usage = ['records delete TOPIC[:PARTITION,…]… --before PLACE [--regex] [--yes] [--dry-run]']

  static override examples = [
    { description: 'Empty a topic', command: 'ktool records delete orders --before end' },
    { description: 'What is older than a week', command: 'ktool records delete orders --before @-7d' },
    { description: 'Of one partition, before an offset', command: 'ktool records delete orders:2 --before 1500 --dry-run' },
    { description: 'By partition', command: 'ktool records delete orders --before 0=1500,1=end' },
    { description: 'Of all topics that match', command: "ktool records delete --regex 'test-.*' --before end --yes" },
  ]

  static override flags = {
    delete: Flags.boolean({ summary: 'Delete the records before a place.' }),
    topic: partitionsFlag,
    before: Flags.string({ helpValue: 'PLACE', summary: 'In the words of `ktool consume --offset`: end, N, -N, +N, @TIME, stored:GROUP; also by partition: 0=47,1=end.' }),
    tz: zoneFlag,
    regex: Flags.boolean({ summary: '--topic is a regular expression for whole names.' }),
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
    const named = flags.regex ? undefined : flags.topic.map(parseTopicScope)
    const connection = await this.connect(flags)
    const { cluster } = connection
    const scopes = named ?? (await selectTopics(cluster, { names: flags.topic, isPattern: true, excludeInternal: true }, false)).names.map((topic) => ({ topic }))
    const plans = await verbs.planRecordDeletions(cluster, scopes, positions)
    const [only] = plans
    if (plans.length === 1 && only.error !== null) throw only.error
    const planned = plans.flatMap(({ rows }) => rows)
    const count = planned.reduce((sum, { offsets }) => sum + offsets, 0)
    const names = plans.filter(({ rows }) => rows.length > 0).map(({ topic }) => topic)
    const question = `Delete ${count} record${count === 1 ? '' : 's'} of topic${names.length === 1 ? '' : 's'} ${names.join(', ')}?`
    if (count > 0 && !(await this.mayChange(connection, { question, isSeveral: flags.regex || plans.length > 1, isFinal: true, flags }))) return
    const isDryRun = flags['dry-run']
    await this.#show(plans, isDryRun ? planned : await verbs.deletePlannedRecords(cluster, planned), isDryRun)
  }

  async #show(plans: readonly verbs.RecordDeletionPlan[], rows: readonly verbs.RecordDeletion[], isDryRun: boolean): Promise<void> {
    const refusal = plans.length === 1 && rows.length === 1 ? rows[0].error : null
    if (refusal !== null) throw refusal
    const unplanned = plans.flatMap(({ topic, error }) => (error === null ? [] : [{ name: topic, error: errorJson(error) }]))
    const failed = rows.filter(({ error }) => error !== null)
    if (this.output.isJson) {
      const topics = plans.filter(({ error }) => error === null).map(({ topic: name }) => {
        const own = rows.filter(({ topic }) => topic === name)
        return { name, partitions: own.map(({ partition, start, before, offsets, error }) => ({ partition, start, before, offsets, error: errorJson(error) })) }
      }) // prettier-ignore
      this.output.json({ ...(isDryRun && { dryRun: true }), topics: [...topics, ...unplanned] })
    } else {
      const heading = isDryRun ? 'would go' : 'deleted'
      await this.output.table(
        [{ heading: 'topic' }, ...['partition', heading, isDryRun ? 'from' : 'starts at'].map((each) => ({ heading: each, align: 'right' as const }))],
        rows.map(({ topic, partition, start, offsets, error }) => [topic, `${partition}`, error === null ? `${offsets}` : '-', `${start}`]),
      )
      for (const { error } of plans) if (error !== null) this.output.talk(`ktool: ${failureLine(error)}`)
      for (const { topic, partition, error } of failed) if (error !== null) this.output.talk(`ktool: ${topic}-${partition}: ${failureLine(error)}`)
    }
    if (failed.length > 0 || unplanned.length > 0) process.exitCode = ExitCode.failed
  }
}
