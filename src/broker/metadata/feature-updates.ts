// Changes of finalized feature levels, checked as Kafka's controller checks them (FeatureControlManager): from the image
// and what is asked for to the records, or the first refusal; one refused update refuses all. And the raising of levels at
// a start, in a directory that an older ktool left. Pure.

import { KafkaError } from '../../protocol/errors.ts'
import { bootstrapRecords, supportedFeature } from './features.ts'
import { ResourceType } from './image.ts'
import type { MetadataImage } from './image.ts'
import { ELR_VERSION, METADATA_VERSION } from './records.ts'
import type { NewRecord } from './records.ts'

const UpgradeType = { upgrade: 1, safeDowngrade: 2, unsafeDowngrade: 3 } as const

interface FeatureUpdate {
  readonly feature: string
  readonly maxVersionLevel: number
  readonly upgradeType: number
}

/** Features that Kafka 4.3 knows and this broker lacks: a level that Apache left may be set to 0. */
const FOREIGN_FEATURES: ReadonlySet<string> = new Set([
  'group.version', 'transaction.version', 'share.version', 'streams.version', 'kraft.version',
]) // prettier-ignore

/** The levels of metadata.version below which the metadata itself looks different (MetadataVersion.didMetadataChange). */
const METADATA_CHANGES: readonly number[] = [7, 8, 11, 13, 14, 15, 17, 23, 30]

/** Throws KafkaError INVALID_UPDATE_VERSION. A feature named twice counts as it is named last, as in Kafka. */
export function featureUpdateRecords(
  image: MetadataImage,
  nodeId: number,
  defaultMinIsr: string,
  updates: readonly FeatureUpdate[],
): NewRecord[] {
  const latest = new Map(updates.map((update) => [update.feature, update]))
  const records: NewRecord[] = []
  for (const update of latest.values()) {
    checkUpdate(image, nodeId, update)
    const { feature: name, maxVersionLevel: featureLevel } = update
    records.push({ name: 'FeatureLevelRecord', value: { name, featureLevel } })
  }
  const isElrRaised = (latest.get(ELR_VERSION)?.maxVersionLevel ?? 0) > 0
  return isElrRaised ? [...minIsrRecords(image, nodeId, defaultMinIsr), ...records] : records
}

function checkUpdate(image: MetadataImage, nodeId: number, update: FeatureUpdate): void {
  const { feature, maxVersionLevel: level, upgradeType } = update
  const refuse = (text: string) => {
    return new KafkaError('INVALID_UPDATE_VERSION', `Invalid update version ${level} for feature ${feature}. ${text}`)
  }
  const { upgrade, safeDowngrade, unsafeDowngrade } = UpgradeType
  if (upgradeType !== upgrade && upgradeType !== safeDowngrade && upgradeType !== unsafeDowngrade) {
    throw refuse('The controller does not support the given upgrade type.')
  }
  if (level < 0) throw refuse('A feature version cannot be less than 0.')
  const current = image.features.get(feature) ?? 0
  const supported = supportedFeature(feature)
  const [min, max] = supported === undefined ? [0, 0] : [supported.minVersion, supported.maxVersion]
  if (level < min || level > max) {
    const what = max === 0 ? 'does not support this feature.' : `only supports versions ${min}-${max}`
    throw refuse(`Local controller ${nodeId} ${what}`)
  }
  if (level < current && upgradeType === upgrade) {
    const how = 'without setting the upgrade type to either safe or unsafe downgrade.'
    throw refuse(`Can't downgrade the version of this feature ${how}`)
  }
  if (level > current && upgradeType !== upgrade) throw refuse("Can't downgrade to a newer version.")
  if (feature === METADATA_VERSION) checkMetadataVersion(current, level, upgradeType === unsafeDowngrade)
  else if (supported === undefined && !FOREIGN_FEATURES.has(feature)) throw refuse(`Feature ${feature} not found.`)
}

function checkMetadataVersion(current: number, level: number, isUnsafe: boolean): void {
  if (level >= current || !METADATA_CHANGES.some((change) => change > level && change <= current)) return
  const why = isUnsafe
    ? 'Unsafe metadata downgrade is not supported in this version.'
    : 'Refusing to perform the requested downgrade because it might delete metadata information.'
  const text = `Unsupported metadata.version downgrade from ${current} to ${level}. ${why}`
  throw new KafkaError('INVALID_UPDATE_VERSION', text)
}

/** With eligible leader replicas there is one min.insync.replicas for the cluster, and none of a broker (KIP-966). */
function minIsrRecords(image: MetadataImage, nodeId: number, defaultMinIsr: string): NewRecord[] {
  const name = 'min.insync.replicas'
  const records: NewRecord[] = []
  const set = (resourceName: string, value: string | null) => {
    records.push({ name: 'ConfigRecord', value: { resourceType: ResourceType.broker, resourceName, name, value } })
  }
  if (!image.configs(ResourceType.broker, '').has(name)) set('', defaultMinIsr)
  if (image.configs(ResourceType.broker, String(nodeId)).has(name)) set(String(nodeId), null)
  return records
}

/**
 * What a directory that an older ktool left lacks of a new one's features. A feature that is absent was either unknown to
 * the software that served the directory last, and is raised; or it was known, and its absence is a decision, which
 * stays: somebody lowered it, or formatted for an older release. The node's last registration names the features its
 * software knew, and it is in every snapshot. Apache knew them all since the metadata.version from which a new cluster
 * has them, so that only ktool's own directories can be taken for unknowing.
 */
export function raisedFeatures(image: MetadataImage, nodeId: number): NewRecord[] {
  const registration = image.brokers.get(nodeId)
  if (registration === undefined) return [] // just formatted, or made this moment
  const knew = new Set(registration.features.map(({ name }) => name))
  return bootstrapRecords().filter((record) => {
    if (record.name !== 'FeatureLevelRecord' || image.features.has(record.value.name)) return false
    const since = FIRST_METADATA_VERSION.get(record.value.name)
    return since !== undefined && (image.features.get(METADATA_VERSION) ?? 0) >= since && !knew.has(record.value.name)
  })
}

/** From which metadata.version on a new cluster has a feature (bootstrapMetadataVersion of GroupVersion, TransactionVersion). */
const FIRST_METADATA_VERSION: ReadonlyMap<string, number> = new Map([
  ['group.version', 22],
  ['transaction.version', 24],
])
