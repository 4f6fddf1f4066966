// How topics look: a heading and a table of partitions for each; one line or one object for what became of each.

import type { Output } from './output.ts'
import { errorJson, failureLine } from './errors.ts'
import type { MissingTopic, TopicDetails, TopicOutcome } from './verbs/topics.ts'

/** `missing` are told among them in JSON, else on stderr. */
export async function showTopics(topics: readonly TopicDetails[], missing: readonly MissingTopic[], output: Output): Promise<void> {
  if (output.isJson) {
    output.json({ topics: [...topics, ...missing.map(({ name, error }) => ({ name, error: errorJson(error) }))] })
    return
  }
  for (const [i, topic] of topics.entries()) {
    if (i > 0) output.line('')
    const count = topic.partitions.length
    const facts = [
      `${count} partition${count === 1 ? '' : 's'}`,
      `replication factor ${topic.replicationFactor}`,
      `id ${topic.topicId}`,
      ...(topic.internal ? ['internal'] : []),
    ]
    await output.heading(topic.name, `  ${facts.join(', ')}`)
    for (const [name, value] of Object.entries(topic.configs)) output.line(`  ${name}=${value ?? ''}`)
    await output.table(
      [
        { heading: 'partition', align: 'right' },
        { heading: 'leader', align: 'right' },
        { heading: 'replicas' },
        { heading: 'in sync' },
        { heading: 'offline' },
      ],
      topic.partitions.map(({ partition, leader, replicas, isr, offlineReplicas }) => {
        const cells = [`${partition}`, leader < 0 ? 'none' : `${leader}`, ids(replicas), ids(isr), ids(offlineReplicas)]
        return cells
      }),
    )
  }
  for (const { error } of missing) output.talk(`ktool: ${failureLine(error)}`)
}

/** Says what became of each; false when one failed. With one topic that failed, the error is the command's own. */
export function reportOutcomes(
  verb: string,
  outcomes: readonly TopicOutcome[],
  say: (name: string, partitions: number | null) => string,
  output: Output,
  isDryRun: boolean,
): boolean {
  const failed = outcomes.filter(({ error }) => error !== null)
  const only = failed.at(0)?.error
  if (only && outcomes.length === 1) throw only
  if (output.isJson) {
    output.json({
      ...(isDryRun && { dryRun: true }),
      topics: outcomes.map(({ name, done, partitions, error }) => ({
        name,
        [verb]: done,
        ...(partitions === null ? {} : { partitions }),
        error: errorJson(error),
      })),
    })
  } else {
    for (const { name, done, partitions, error } of outcomes) {
      if (error !== null) output.talk(`ktool: ${namedIn(error.message, name)}${failureLine(error)}`)
      else if (done) output.line(say(name, partitions))
    }
  }
  return failed.length === 0
}

/** What a message lacks that doesn't say itself which topic it is about. */
function namedIn(message: string, name: string): string {
  return message.includes(name) ? '' : `${name}: `
}

function ids(brokers: readonly number[]): string {
  return brokers.length === 0 ? '-' : brokers.join(',')
}
