// The features this broker implements, and what a new cluster starts with: a fresh Kafka 4.3's records, less the
// features that are not implemented, because clients choose their protocol by the finalized level.

import { ResourceType } from './image.ts'
import type { MetadataImage } from './image.ts'
import { ELR_VERSION, GROUP_VERSION, LATEST_METADATA_VERSION, METADATA_VERSION, OLDEST_METADATA_VERSION } from './records.ts'
import type { NewRecord } from './records.ts'

const TRANSACTION_VERSION = 'transaction.version'

export interface SupportedFeature {
  readonly name: string
  readonly minVersion: number
  readonly maxVersion: number
}

export const SUPPORTED_FEATURES: readonly SupportedFeature[] = [
  { name: METADATA_VERSION, minVersion: OLDEST_METADATA_VERSION, maxVersion: LATEST_METADATA_VERSION },
  { name: ELR_VERSION, minVersion: 0, maxVersion: 1 },
  { name: GROUP_VERSION, minVersion: 0, maxVersion: 1 },
  { name: TRANSACTION_VERSION, minVersion: 0, maxVersion: 2 },
]

/** undefined for what this broker does not implement. */
export function supportedFeature(name: string): SupportedFeature | undefined {
  return SUPPORTED_FEATURES.find((feature) => feature.name === name)
}

/** The finalized levels that clients may rely on here; those a Kafka left that this broker lacks are kept, not shown. */
export function finalizedFeatures(image: MetadataImage): { name: string; level: number }[] {
  const levels: { name: string; level: number }[] = []
  for (const { name } of SUPPORTED_FEATURES) {
    const level = image.features.get(name)
    if (level !== undefined) levels.push({ name, level })
  }
  return levels
}

/** How transactions go by default: from 2 on each has an epoch of its own (KIP-890). */
export function transactionVersion(image: MetadataImage): number {
  return image.features.get(TRANSACTION_VERSION) ?? 0
}

/** What a Kafka with eligible leader replicas begins with beside its features. */
export const MIN_ISR_RECORD: NewRecord = {
  name: 'ConfigRecord',
  value: { resourceType: ResourceType.broker, resourceName: '', name: 'min.insync.replicas', value: '1' },
}

/** The first records of a new cluster, for one batch. */
export function bootstrapRecords(): NewRecord[] {
  return [
    { name: 'BeginTransactionRecord', value: { name: 'Bootstrap records' } },
    { name: 'FeatureLevelRecord', value: { name: METADATA_VERSION, featureLevel: LATEST_METADATA_VERSION } },
    { name: 'FeatureLevelRecord', value: { name: ELR_VERSION, featureLevel: 1 } },
    { name: 'FeatureLevelRecord', value: { name: GROUP_VERSION, featureLevel: 1 } },
    { name: 'FeatureLevelRecord', value: { name: TRANSACTION_VERSION, featureLevel: 2 } },
    MIN_ISR_RECORD,
    { name: 'EndTransactionRecord', value: {} },
  ]
}
