// What Java's admin client does about partitions and brokers that aren't there, and ours doesn't: it goes on looking for them
// until default.api.timeout.ms is over, since they might come.

import { systemClock } from '../../base/clock.ts'
import type { Result, TopicPartition } from '../../client/admin.ts'
import type { Cluster } from '../../client/cluster.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { JavaError } from './java-errors.ts'

export interface Outcome<T> extends TopicPartition {
  readonly result: Result<T> | { readonly ok: false; readonly error: unknown }
}

/**
 * In the order of `questions`; `call` is the admin call's name in Java, for time-outs. Throws what `ask` throws, but for a
 * broker that isn't there.
 */
export async function untilThere<Q extends TopicPartition, T>(
  { config }: Cluster,
  call: string,
  questions: readonly Q[],
  ask: Ask<Q, T>,
): Promise<Outcome<T>[]> {
  const deadline = systemClock.monotonic() + config.defaultApiTimeoutMs
  const outcomes: Outcome<T>[] = [...(await asked(questions, ask))]
  for (;;) {
    const missing = outcomes.flatMap(({ result }, at) => (!result.ok && isMissing(result.error) ? [at] : []))
    if (missing.length === 0) return outcomes
    if (systemClock.monotonic() >= deadline) {
      for (const at of missing) outcomes[at] = { ...outcomes[at], result: { ok: false, error: timedOut(call) } }
      return outcomes
    }
    await new Promise<void>((resolve) => systemClock.after(config.retryBackoffMs, resolve, true))
    const again = await asked(missing.map((at) => questions[at]), ask)
    for (const [index, outcome] of again.entries()) outcomes[missing[index]] = outcome
  }
}

type Ask<Q, T> = (questions: readonly Q[]) => Promise<readonly (TopicPartition & { readonly result: Result<T> })[]>

async function asked<Q extends TopicPartition, T>(questions: readonly Q[], ask: Ask<Q, T>): Promise<readonly (TopicPartition & { readonly result: Result<T> })[]> {
  try {
    return await ask(questions)
  } catch (error) {
    if (!isMissing(error)) throw error
    return questions.map(({ topic, partition }) => ({ topic, partition, result: { ok: false, error } }))
  }
}

/** As `untilThere`, for work on one partition that throws what is wrong. */
export async function untilItIsThere<T>(cluster: Cluster, call: string, place: TopicPartition, work: () => Promise<T>): Promise<T> {
  const [{ result }] = await untilThere(cluster, call, [place], async ([{ topic, partition }]) => [{ topic, partition, result: { ok: true, value: await work() } }])
  if (!result.ok) throw result.error
  return result.value
}

function isMissing(error: unknown): error is KafkaError {
  return error instanceof KafkaError && (error.error === 'UNKNOWN_TOPIC_OR_PARTITION' || error.error === 'BROKER_NOT_AVAILABLE')
}

function timedOut(call: string): JavaError {
  return new JavaError('org.apache.kafka.common.errors.TimeoutException', `Timed out waiting for a node assignment. Call: ${call}`)
}
