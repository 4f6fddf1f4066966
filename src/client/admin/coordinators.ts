// Which broker coordinates a group or a transactional id, and questions to those brokers: each is asked once for all of its
// keys; keys whose coordinator moved, or is not ready yet, are asked for again.

import { type Clock, systemClock } from '../../base/clock.ts'
import { FindCoordinator } from '../../protocol/apis/find-coordinator.ts'
import { type ErrorName, errorName, KafkaError } from '../../protocol/errors.ts'
import { backoffMs } from '../backoff.ts'
import type { Cluster, Wait } from '../cluster.ts'
import { groupBy } from './group-by.ts'
import { failed, resultOf, type Result } from './result.ts'

export const GROUP = 0
export const TRANSACTION = 1

export type CoordinatorKind = typeof GROUP | typeof TRANSACTION

/** Answers that say: ask again, and ask who coordinates first. */
export const COORDINATOR_MOVED: ReadonlySet<ErrorName> = new Set([
  'NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_LOAD_IN_PROGRESS',
]) // prettier-ignore

/** Node ids by key. Throws what Cluster.call throws. */
export async function findCoordinators(
  cluster: Cluster,
  kind: CoordinatorKind,
  keys: readonly string[],
  wait: Wait = {},
): Promise<Map<string, Result<number>>> {
  const version = (await cluster.versionFor(FindCoordinator, 'any', wait)) ?? 0
  const ask = (key: string, coordinatorKeys: readonly string[]) =>
    cluster.call(FindCoordinator, { key, keyType: kind, coordinatorKeys }, { ...wait, maxVersion: version })
  if (version >= 4) {
    const { coordinators } = await ask('', keys)
    return new Map(coordinators.map(({ key, nodeId, errorCode, errorMessage }) => [key, resultOf(errorCode, errorMessage, nodeId)]))
  }
  const found = new Map<string, Result<number>>()
  for (const key of keys) {
    const { nodeId, errorCode, errorMessage } = await ask(key, [])
    found.set(key, resultOf(errorCode, errorMessage, nodeId))
  }
  return found
}

export interface AskOptions extends Wait {
  readonly clock?: Clock | undefined
}

type Ask<T> = (node: number, keys: readonly string[], wait: Wait) => Promise<readonly (readonly [string, Result<T>])[]>

/** Results by key, in the order of the keys. Throws what Cluster.call throws. */
export async function askCoordinators<T>(
  cluster: Cluster,
  kind: CoordinatorKind,
  keys: readonly string[],
  { clock = systemClock, timeoutMs, signal }: AskOptions,
  ask: Ask<T>,
): Promise<Map<string, Result<T>>> {
  const { retryBackoffMs, retryBackoffMaxMs, retries, defaultApiTimeoutMs } = cluster.config
  const deadline = clock.monotonic() + (timeoutMs ?? defaultApiTimeoutMs)
  const missing = failed(new KafkaError('UNKNOWN_SERVER_ERROR', 'The broker left this item out of its answer.'))
  const results = new Map<string, Result<T>>(keys.map((key) => [key, missing]))
  let open = keys
  for (let attempt = 0; open.length > 0; attempt++) {
    const wait = { timeoutMs: Math.max(1, deadline - clock.monotonic()), signal }
    const coordinators = await findCoordinators(cluster, kind, open, wait)
    const byNode = new Map<number, string[]>()
    for (const [node, group] of groupBy(open, (key) => nodeOf(coordinators.get(key)))) {
      if (node !== undefined) byNode.set(node, group)
      else for (const key of group) results.set(key, asFailure(coordinators.get(key)) ?? missing)
    }
    const answers = await Promise.all([...byNode].map(([node, group]) => ask(node, group, wait)))
    for (const [key, result] of answers.flat()) results.set(key, result)
    open = open.filter((key) => {
      const result = results.get(key)
      return result !== undefined && !result.ok && COORDINATOR_MOVED.has(errorName(result.error.code))
    })
    const pause = backoffMs(attempt, retryBackoffMs, retryBackoffMaxMs)
    if (open.length === 0 || attempt >= retries || clock.monotonic() + pause >= deadline) break
    await new Promise<void>((resolve) => clock.after(pause, resolve, true))
    signal?.throwIfAborted()
  }
  return results
}

/** The same for one key; its failure is thrown. */
export async function askCoordinator<T>(
  cluster: Cluster,
  kind: CoordinatorKind,
  key: string,
  options: AskOptions,
  ask: (node: number, wait: Wait) => Promise<Result<T>>,
): Promise<T> {
  const results = await askCoordinators<T>(cluster, kind, [key], options, async (node, _, wait) => [[key, await ask(node, wait)]])
  const result = results.get(key)
  if (result?.ok === true) return result.value
  throw result?.error ?? new KafkaError('UNKNOWN_SERVER_ERROR')
}

function nodeOf(result: Result<number> | undefined): number | undefined {
  return result?.ok === true ? result.value : undefined
}

function asFailure(result: Result<number> | undefined): { readonly ok: false; readonly error: KafkaError } | undefined {
  return result?.ok === false ? result : undefined
}
