// The levels of the cluster's features: those that its software knows, those that are agreed on, and changes of the latter.

import { UpdateFeatures } from '../../protocol/apis/update-features.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { Cluster, Target, Wait } from '../cluster.ts'
import { failed, resultOf, type Result } from './result.ts'
import { brokerTimeout } from './topics.ts'

export interface Feature {
  readonly name: string
  readonly minLevel: number
  readonly maxLevel: number
  /** 0: not in use. */
  readonly finalizedLevel: number
}

export interface Features {
  /** Sorted by name: those that the node knows. */
  readonly features: readonly Feature[]
  /** -1: the node doesn't say. */
  readonly epoch: number
}

/** As a node says when it is connected to. Throws what Cluster.versionsOf throws. */
export async function describeFeatures(cluster: Cluster, { node = 'any', ...wait }: Wait & { readonly node?: Target | undefined } = {}): Promise<Features> {
  const { supportedFeatures, finalizedFeatures, finalizedFeaturesEpoch } = await cluster.versionsOf(node, wait)
  const levels = new Map(finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]))
  const features = supportedFeatures.map(({ name, minVersion, maxVersion }) => {
    return { name, minLevel: minVersion, maxLevel: maxVersion, finalizedLevel: levels.get(name) ?? 0 }
  })
  return { features: features.sort((a, b) => (a.name < b.name ? -1 : 1)), epoch: finalizedFeaturesEpoch }
}

const UPGRADE_TYPES = { upgrade: 1, safeDowngrade: 2, unsafeDowngrade: 3 } as const

export interface FeatureUpdate {
  readonly name: string
  /** 0: no longer in use. */
  readonly level: number
  readonly type: keyof typeof UPGRADE_TYPES
}

/** By name, in the order asked. Since Kafka 4.0 all succeed or fail together. Throws what Cluster.call throws. */
export async function updateFeatures(
  cluster: Cluster,
  updates: readonly FeatureUpdate[],
  { validateOnly = false, node = 'controller', ...wait }: Wait & { readonly validateOnly?: boolean; readonly node?: Target | undefined } = {},
): Promise<Map<string, Result<null>>> {
  const version = await cluster.versionFor(UpdateFeatures, node, wait)
  const request = {
    timeoutMs: brokerTimeout(cluster, wait),
    featureUpdates: updates.map(({ name, level, type }) => ({
      feature: name,
      maxVersionLevel: level,
      allowDowngrade: version === 0 && type !== 'upgrade',
      upgradeType: UPGRADE_TYPES[type],
    })),
    validateOnly,
  }
  const isElsewhere = ({ errorCode }: { errorCode: number }): boolean => errorCode === ErrorCode.NOT_CONTROLLER
  const { errorCode, errorMessage, results } = await cluster.call(UpdateFeatures, request, { ...wait, node, retryIf: isElsewhere })
  const one = new Map(results.map((each) => [each.feature, resultOf(each.errorCode, each.errorMessage, null)]))
  const all = resultOf(errorCode, errorMessage, null)
  const missing = failed(new KafkaError('UNKNOWN_SERVER_ERROR', 'The broker left this feature out of its answer.'))
  return new Map(updates.map(({ name }) => [name, !all.ok || results.length === 0 ? all : (one.get(name) ?? missing)]))
}
