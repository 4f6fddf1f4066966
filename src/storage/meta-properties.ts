// meta.properties: whose data directory this is. Written once, in the form of java.util.Properties.

import { type Disk, readFile, replaceFile } from './disk.ts'

export interface MetaProperties {
  readonly version: number
  readonly clusterId: string
  readonly nodeId: number
  readonly directoryId: string
}

const VERSION = 1
const MAX_BYTES = 64 * 1024
const UUID = /^[A-Za-z0-9_-]{22}$/

/** Why a meta.properties cannot be used. */
export class MetaPropertiesError extends Error {
  override readonly name = 'MetaPropertiesError'
  readonly reason: 'newerVersion' | 'unreadable'

  constructor(reason: MetaPropertiesError['reason'], message: string) {
    super(message)
    this.reason = reason
  }
}

/** undefined when there is no such file; `directoryId` is undefined in one that Kafka before 3.7 wrote. */
export function readMetaProperties(
  disk: Disk,
  path: string,
): (Omit<MetaProperties, 'directoryId'> & { readonly directoryId: string | undefined }) | undefined {
  const bytes = readFile(disk, path, MAX_BYTES)
  if (bytes === undefined) return undefined
  const properties = parseProperties(bytes.toString('latin1'))
  const version = Number(properties.get('version'))
  if (version > VERSION) {
    throw new MetaPropertiesError('newerVersion', `${path} has version ${version}; this program knows ${VERSION}`)
  }
  const clusterId = properties.get('cluster.id')
  const nodeId = properties.get('node.id')
  if (version !== VERSION || !clusterId || nodeId === undefined || !/^\d{1,10}$/.test(nodeId)) {
    throw new MetaPropertiesError('unreadable', `${path} does not say version=1, cluster.id and node.id`)
  }
  const directoryId = properties.get('directory.id')
  if (directoryId !== undefined && !UUID.test(directoryId)) throw new MetaPropertiesError('unreadable', `${path}: directory.id is not an id`)
  return { version, clusterId, nodeId: Number(nodeId), directoryId }
}

export async function writeMetaProperties(disk: Disk, path: string, meta: MetaProperties, now: Date): Promise<void> {
  const lines = [
    '#',
    `#${now.toUTCString()}`,
    `cluster.id=${meta.clusterId}`,
    `directory.id=${meta.directoryId}`,
    `node.id=${meta.nodeId}`,
    `version=${meta.version}`,
    '',
  ]
  await replaceFile(disk, path, Buffer.from(lines.join('\n')))
}

/** The part of java.util.Properties that Kafka's writer uses: no continued lines. */
function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*([^#!\s=:][^=:]*?)\s*[=:]\s*(.*?)\s*$/.exec(line)
    if (match) properties.set(match[1], match[2].replace(/\\(.)/g, '$1'))
  }
  return properties
}
