// The features of Kafka 4.3 and their levels, as its tools know them without asking a cluster (MetadataVersion, Feature).

import { illegalArgument } from './java-errors.ts'

export const METADATA_VERSION = 'metadata.version'

export interface MetadataVersion {
  readonly level: number
  /** As 4.3-IV0. */
  readonly name: string
}

const FIRST_LEVEL = 7

export const METADATA_VERSIONS: readonly MetadataVersion[] = [
  '3.3-IV3', '3.4-IV0', '3.5-IV0', '3.5-IV1', '3.5-IV2', '3.6-IV0', '3.6-IV1', '3.6-IV2', '3.7-IV0', '3.7-IV1', '3.7-IV2', '3.7-IV3',
  '3.7-IV4', '3.8-IV0', '3.9-IV0', '4.0-IV0', '4.0-IV1', '4.0-IV2', '4.0-IV3', '4.1-IV0', '4.1-IV1', '4.2-IV0', '4.2-IV1', '4.3-IV0',
  '4.4-IV0',
].map((name, index) => ({ name, level: FIRST_LEVEL + index })) // prettier-ignore

export const LATEST_PRODUCTION = '4.3-IV0'

export interface FeatureLevels {
  readonly name: string
  /** The metadata.version from which on each level, from 1, is a new cluster's. */
  readonly since: readonly string[]
  /** What a level needs, by level. */
  readonly needs?: Readonly<Record<number, Readonly<Record<string, number>>>>
}

/** Without metadata.version, in Kafka's order. */
export const FEATURES: readonly FeatureLevels[] = [
  { name: 'kraft.version', since: ['3.9-IV0'] },
  { name: 'transaction.version', since: ['4.0-IV2', '4.0-IV2'] },
  { name: 'group.version', since: ['4.0-IV0'] },
  { name: 'eligible.leader.replicas.version', since: ['4.1-IV0'], needs: { 1: { [METADATA_VERSION]: 23 } } },
  { name: 'share.version', since: ['4.2-IV0'] },
  { name: 'streams.version', since: ['4.2-IV1'] },
]

/** MetadataVersion.fromVersionString: 4.2, 4.2.1 and 4.2-IV0. Throws the JavaError of an unknown one. */
export function metadataVersion(text: string): MetadataVersion {
  const segments = text.split('.')
  const key = segments.length <= 2 ? text : segments.slice(0, 2).join('.')
  const found = METADATA_VERSIONS.find(({ name }) => name === key) ?? METADATA_VERSIONS.findLast(({ name }) => name.startsWith(`${key}-`) && !key.includes('-'))
  if (found !== undefined) return found
  throw illegalArgument(`Unknown metadata.version '${text}'. Supported metadata.version are: ${METADATA_VERSIONS.map(({ name }) => name).join(', ')}`)
}

/** undefined: no release has it. */
export function metadataVersionOf(level: number): MetadataVersion | undefined {
  return METADATA_VERSIONS.find((version) => version.level === level)
}

/** The level that a new cluster of this metadata.version has. */
export function defaultLevel(feature: FeatureLevels, { level }: MetadataVersion): number {
  return feature.since.filter((name) => metadataVersion(name).level <= level).length
}
