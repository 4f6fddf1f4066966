// Formatting a log directory as Kafka's Formatter does: the first records of the cluster in bootstrap.checkpoint, of a quorum
// whose voters are in the log (KIP-853) a snapshot that names them, and meta.properties last, which makes it formatted.

import { chmod, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemClock } from '../../base/clock.ts'
import { BatchBuilder } from '../../protocol/batch-builder.ts'
import { stampOffset } from '../../protocol/record-batch.ts'
import {
  encodeControlKey, encodeControlValue, KRaftVersionRecord, SnapshotFooterRecord, SnapshotHeaderRecord, VotersRecord, type ControlType,
} from '../../protocol/records/control.ts' // prettier-ignore
import { encodeMetadataRecord } from '../../protocol/records/metadata.ts'
import { defaultLevel, FEATURES, type FeatureLevels, METADATA_VERSION, type MetadataVersion } from '../apache/feature-levels.ts'
import { illegalArgument } from '../apache/java-errors.ts'
import { makeDirectory } from '../make-directory.ts'
import { FormatterError } from './formatter-error.ts'
import { type MetaProperties, writeMetaProperties } from './meta-properties-files.ts'
import type { ScramRecord } from './scram-argument.ts'

const KRAFT_VERSION = 'kraft.version'
const LARGEST_BATCH = 8 * 1024 * 1024

export interface Voter {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly directoryId: string
}

/** What a cluster begins with. */
export interface Bootstrap {
  readonly release: MetadataVersion
  /** metadata.version first, then by name; those at 0 and kraft.version are left out. */
  readonly features: readonly (readonly [name: string, level: number])[]
  readonly users: readonly ScramRecord[]
  readonly kraftVersion: number
}

/** The levels of all features. Throws FormatterError, and the JavaErrors that Kafka's tool doesn't catch. */
export function featureLevels(release: MetadataVersion, wanted: ReadonlyMap<string, number>, hasDynamicQuorum: boolean): Map<string, number> {
  const known = new Map(FEATURES.map((feature) => [feature.name, feature]))
  for (const name of [...wanted.keys()].sort()) {
    if (name === METADATA_VERSION || known.has(name)) continue
    throw new FormatterError(`Unsupported feature: ${name}. Supported features are: ${[...known.keys()].sort().join(', ')}`)
  }
  const levels = new Map([...wanted, [METADATA_VERSION, release.level] as const])
  for (const feature of FEATURES) {
    if (feature.name === KRAFT_VERSION) levels.set(KRAFT_VERSION, kraftLevel(levels.get(KRAFT_VERSION), hasDynamicQuorum))
    else if (!levels.has(feature.name)) levels.set(feature.name, defaultLevel(feature, release))
  }
  for (const [name, feature] of [...known].sort(([a], [b]) => (a < b ? -1 : 1))) checkLevel(feature, levels.get(name) ?? 0, levels)
  return levels
}

function checkLevel({ name, since, needs }: FeatureLevels, level: number, levels: ReadonlyMap<string, number>): void {
  if (level < 0 || level > since.length) throw illegalArgument(`No feature:${name} with feature level ${level}`)
  for (const [other, least] of Object.entries(needs?.[level] ?? {})) {
    if ((levels.get(other) ?? 0) >= least) continue
    throw illegalArgument(`${name} could not be set to ${level} because it depends on ${other} level ${least}`)
  }
}

const MODES = 'one of the flags --standalone, --initial-controllers, or --no-initial-controllers is used.'

function kraftLevel(wanted: number | undefined, hasDynamicQuorum: boolean): number {
  if (wanted === undefined) return hasDynamicQuorum ? 1 : 0
  if (wanted === 0 && hasDynamicQuorum) {
    throw new FormatterError(
      `Cannot set kraft.version to 0 if controller.quorum.voters is empty and ${MODES} For dynamic controllers support, try removing the ` +
        '--feature flag for kraft.version.',
    )
  }
  if (wanted !== 0 && !hasDynamicQuorum) {
    throw new FormatterError(
      `Cannot set kraft.version to ${wanted} unless controller.quorum.voters is empty and ${MODES} For dynamic controllers support, try using ` +
        'one of --standalone, --initial-controllers, or --no-initial-controllers and removing controller.quorum.voters.',
    )
  }
  return wanted
}

/** The records of a new cluster, from `levels` and the users to be added. */
export function bootstrapOf(release: MetadataVersion, levels: ReadonlyMap<string, number>, users: readonly ScramRecord[]): Bootstrap {
  const others = [...levels].filter(([name, level]) => name !== METADATA_VERSION && name !== KRAFT_VERSION && level > 0)
  const features = [[METADATA_VERSION, release.level] as const, ...others.sort(([a], [b]) => (a < b ? -1 : 1))]
  return { release, features, users, kraftVersion: levels.get(KRAFT_VERSION) ?? 0 }
}

/** BootstrapMetadata.toString. */
export function bootstrapText({ release, features, users }: Bootstrap): string {
  const bytes = (of: Buffer): string => `[${[...new Int8Array(of)].join(', ')}]`
  const records = [
    ...features.map(([name, level]) => `FeatureLevelRecord(name='${name}', featureLevel=${level})`),
    ...users.map(({ name, mechanism, salt, storedKey, serverKey, iterations }) => {
      return `UserScramCredentialRecord(name='${name}', mechanism=${mechanism}, salt=${bytes(salt)}, storedKey=${bytes(storedKey)}, serverKey=${bytes(serverKey)}, iterations=${iterations})`
    }),
  ].map((record) => `ApiMessageAndVersion(${record} at version 0)`)
  return `BootstrapMetadata(records=[${records.join(', ')}], metadataVersionLevel=${release.level}, source=format command)`
}

/**
 * Formats one directory. `voters`: those that the quorum begins with, for the directory of the metadata alone. Rejects with
 * Node's errors.
 */
export async function formatDirectory(
  directory: string,
  meta: MetaProperties,
  bootstrap: Bootstrap,
  quorum: { readonly voters: readonly Voter[]; readonly listener: string } | undefined,
): Promise<void> {
  const now = systemClock.now()
  await makeDirectory(directory)
  await writeWhole(join(directory, 'bootstrap.checkpoint'), bootstrapFile(bootstrap, now))
  if (quorum !== undefined) {
    const metadata = join(directory, '__cluster_metadata-0')
    await makeDirectory(metadata)
    const file = join(metadata, '00000000000000000000-0000000000.checkpoint')
    await writeWhole(file, votersFile(quorum.voters, quorum.listener, bootstrap.kraftVersion, now))
    await chmod(file, 0o400) // a snapshot that is done is never written again
  }
  await writeMetaProperties(directory, meta, new Date(now))
}

function bootstrapFile({ features, users }: Bootstrap, now: number): Buffer {
  const records = [
    ...features.map(([name, featureLevel]) => encodeMetadataRecord('FeatureLevelRecord', 0, { name, featureLevel })),
    ...users.map((user) => encodeMetadataRecord('UserScramCredentialRecord', 0, user)),
  ]
  return snapshotFile([['SNAPSHOT_HEADER', encodeControlValue(SnapshotHeaderRecord, 0, { version: 0, lastContainedLogTimestamp: 0 })]], records, now)
}

function votersFile(voters: readonly Voter[], name: string, kRaftVersion: number, now: number): Buffer {
  const controls: [ControlType, Buffer][] = [
    ['SNAPSHOT_HEADER', encodeControlValue(SnapshotHeaderRecord, 0, { version: 0, lastContainedLogTimestamp: now })],
    ['KRAFT_VERSION', encodeControlValue(KRaftVersionRecord, 0, { version: 0, kRaftVersion })],
  ]
  const entries = voters.map(({ nodeId, host, port, directoryId }) => ({
    voterId: nodeId,
    voterDirectoryId: directoryId,
    endpoints: [{ name, host, port }],
    kRaftVersionFeature: { minSupportedVersion: 0, maxSupportedVersion: 1 },
  }))
  controls.push(['KRAFT_VOTERS', encodeControlValue(VotersRecord, 0, { version: 0, voters: entries })])
  return snapshotFile(controls, [], now)
}

function snapshotFile(controls: readonly (readonly [ControlType, Buffer])[], records: readonly Buffer[], now: number): Buffer {
  const footer = encodeControlValue(SnapshotFooterRecord, 0, { version: 0 })
  const batches: readonly (readonly (readonly [Buffer | null, Buffer])[])[] = [
    controls.map(([type, value]) => [encodeControlKey(type), value] as const),
    records.map((value) => [null, value] as const),
    [[encodeControlKey('SNAPSHOT_FOOTER'), footer]],
  ]
  let offset = 0
  const files = batches.filter((batch) => batch.length > 0).map((batch) => {
    const builder = new BatchBuilder(LARGEST_BATCH)
    for (const [key, value] of batch) builder.append(key, value, [], now)
    const bytes = builder.finish({ codec: 'none', isControl: batch[0][0] !== null })
    stampOffset(bytes, 0, offset, 0)
    offset += batch.length
    return bytes
  })
  return Buffer.concat(files)
}

async function writeWhole(path: string, bytes: Buffer): Promise<void> {
  const part = `${path}.tmp`
  await rm(part, { force: true })
  const file = await open(part, 'wx')
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(part, path)
  const parent = await open(dirname(path), 'r')
  try {
    await parent.sync()
  } finally {
    await parent.close()
  }
}
