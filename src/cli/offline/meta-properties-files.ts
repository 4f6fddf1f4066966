// The meta.properties of several log directories, as Kafka's MetaPropertiesEnsemble sees them: which directories are
// formatted, which are not, which can't be read, and what doesn't fit together. Written in the form of java.util.Properties.

import { open, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readWhole } from '../../client/config-file.ts'
import { parseProperties } from '../../client/properties-file.ts'
import { runtimeException } from '../apache/java-errors.ts'
import type { ServerConfig } from './server-config.ts'

export interface MetaProperties {
  readonly version: string
  readonly clusterId: string | undefined
  readonly nodeId: number | undefined
  readonly directoryId: string | undefined
}

export interface Ensemble {
  /** By directory, sorted. */
  readonly formatted: ReadonlyMap<string, MetaProperties>
  readonly empty: readonly string[]
  readonly unreadable: readonly string[]
}

/** Looks, and writes nothing. */
export async function loadEnsemble(directories: readonly string[]): Promise<Ensemble> {
  const formatted = new Map<string, MetaProperties>()
  const empty: string[] = []
  const unreadable: string[] = []
  for (const directory of directories.toSorted()) {
    try {
      formatted.set(directory, await readMetaProperties(directory))
    } catch (error) {
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
      ;(isMissing ? empty : unreadable).push(directory)
    }
  }
  return { formatted, empty, unreadable }
}

/** What is at `path`. */
export async function kindOf(path: string): Promise<'directory' | 'other' | 'nothing'> {
  const found = await stat(path).catch(() => undefined)
  return found === undefined ? 'nothing' : found.isDirectory() ? 'directory' : 'other'
}

/** Rejects with Node's error, or one that says what the file lacks. */
export async function readMetaProperties(directory: string): Promise<MetaProperties> {
  const path = join(directory, 'meta.properties')
  const properties = await parseProperties((await readWhole(path)).toString(), path)
  const version = properties.get('version') ?? '0'
  if (version !== '0' && version !== '1') throw new Error(`Unknown meta.properties version number ${version}`)
  const nodeId = properties.get(version === '1' ? 'node.id' : 'broker.id')
  const [clusterId, directoryId] = [properties.get('cluster.id'), properties.get('directory.id')]
  if (version === '1' && clusterId === undefined) throw new Error("cluster.id was not found.")
  if (version === '1' && nodeId === undefined) throw new Error("node.id was not found.")
  if (nodeId !== undefined && !/^-?\d+$/.test(nodeId)) throw new Error(`Unable to read node.id as a base-10 number.`)
  return { version, clusterId, nodeId: nodeId === undefined ? undefined : Number(nodeId), directoryId }
}

/** MetaPropertiesEnsemble.verify. Throws its JavaErrors. */
export function verifyEnsemble({ formatted }: Ensemble, clusterId: string | undefined, nodeId: number): void {
  let cluster = clusterId
  const directoryOf = new Map<string, string>()
  for (const [directory, meta] of formatted) {
    const path = join(directory, 'meta.properties')
    cluster ??= meta.clusterId
    if (meta.clusterId !== undefined && meta.clusterId !== cluster) {
      throw runtimeException(`Invalid cluster.id in: ${path}. Expected ${cluster ?? ''}, but read ${meta.clusterId}`)
    }
    if (meta.nodeId !== undefined && meta.nodeId !== nodeId) {
      throw runtimeException(
        `Stored node id ${meta.nodeId} doesn't match previous node id ${nodeId} in ${path}. If you moved your data, make sure your configured ` +
          'node id matches. If you intend to create a new node, you should remove all data in your data directories.',
      )
    }
    if (meta.directoryId === undefined) continue
    const other = directoryOf.get(meta.directoryId)
    if (other !== undefined) {
      throw runtimeException(`Duplicate directory ID Optional[${meta.directoryId}] found. It was the ID of ${other}, but also of ${directory}`)
    }
    directoryOf.set(meta.directoryId, directory)
  }
}

/** Whether a server may start on these directories (KafkaRaftServer.initializeLogDirs). Throws the JavaErrors of what it finds. */
export async function checkDirectories({ logDirs, metadataLogDir, nodeId }: ServerConfig): Promise<void> {
  const ensemble = await loadEnsemble(logDirs)
  const { formatted, empty, unreadable } = ensemble
  const unformatted = empty.at(0)
  // Kafka says "No readable meta.properties files found." where all are empty, which helps nobody.
  if (unformatted !== undefined) {
    throw runtimeException(`No \`meta.properties\` found in ${unformatted} (have you run \`kafka-storage.sh\` to format the directory?)`)
  }
  if (formatted.size === 0) throw runtimeException('No readable meta.properties files found.')
  if ([...formatted.values()].some(({ version }) => version === '0')) {
    throw runtimeException('The kafka configuration file appears to be for a cluster in KRaft mode, but the directories are formatted for legacy mode.')
  }
  verifyEnsemble(ensemble, undefined, nodeId)
  if (unreadable.includes(metadataLogDir)) throw runtimeException(`Encountered I/O error in metadata log directory ${metadataLogDir}. Cannot continue.`)
}

/** Durably, and in one step. In the order of Java's hash table. */
export async function writeMetaProperties(directory: string, meta: MetaProperties, now: Date): Promise<void> {
  const path = join(directory, 'meta.properties')
  const entries: readonly (readonly [string, string])[] = [
    ['node.id', String(meta.nodeId ?? '')],
    ['directory.id', meta.directoryId ?? ''],
    ['version', meta.version],
    ['cluster.id', meta.clusterId ?? ''],
  ]
  const lines = ['#', `#${javaDate(now)}`, ...entries.map(([name, value]) => `${name}=${escaped(value)}`), '']
  const file = await open(`${path}.tmp`, 'w')
  try {
    await file.writeFile(lines.join('\n'))
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.tmp`, path)
  const parent = await open(directory, 'r')
  try {
    await parent.sync()
  } finally {
    await parent.close()
  }
}

/** Date.toString of Java. */
function javaDate(date: Date): string {
  const [weekday, month, day, year, time] = date.toString().split(' ')
  const zone = date.toLocaleTimeString('en-US', { timeZoneName: 'short' }).split(' ').pop() ?? 'UTC'
  return `${weekday} ${month} ${day} ${time} ${zone} ${year}`
}

/** As Properties.store escapes values. */
function escaped(value: string): string {
  return value.replace(/^ /, '\\ ').replaceAll(/[\\=:#!]/g, '\\$&').replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
}
