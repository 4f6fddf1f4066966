// The topics as groups see them whose members the broker assigns, of any such kind, and the hash by which a group notices
// that its topics have changed. The hash is Apache's (coordinator.group.Utils): a group that moves there or back keeps its
// assignment.

import { xxh3 } from '../../kernels/xxh3.ts'
import type { MetadataController } from '../metadata/controller.ts'

export interface GroupTopic {
  readonly name: string
  readonly id: string
  readonly partitions: { readonly size: number }
}

export interface GroupTopics {
  topic(name: string): GroupTopic | undefined
  topicById(id: string): GroupTopic | undefined
  /** All there are. */
  topics(): Iterable<GroupTopic>
  readonly topicCount: number
  /** Where one partition's replicas are. */
  racksOf(topic: GroupTopic, partition: number): readonly string[]
  /** Of the metadata; later ones are greater. */
  readonly version: number
}

/** Those of this broker, as they are when they are looked at. */
export function groupTopics(metadata: MetadataController): GroupTopics {
  const { image } = metadata
  return {
    topic: (name) => image.topic(name),
    topicById: (id) => image.topicById(id),
    topics: () => image.topics(),
    get topicCount() {
      return image.topicCount
    },
    racksOf({ name }, partition) {
      const replicas = image.topic(name)?.partitions.get(partition)?.replicas ?? []
      return replicas.map((id) => image.brokers.get(id)?.rack).filter((rack) => typeof rack === 'string')
    },
    get version() {
      return metadata.version
    },
  }
}

const MAGIC = 0

/** Signed, as it is stored. Topics that don't exist don't count; 0 when none is left. */
export function metadataHash(names: Iterable<string>, topics: GroupTopics): bigint {
  const found = [...new Set(names)].sort(byCodeUnits).map((name) => topics.topic(name)).filter((topic) => topic !== undefined)
  if (found.length === 0) return 0n
  const hashes = Buffer.alloc(8 * found.length)
  found.forEach((topic, at) => hashes.writeBigUInt64LE(topicHash(topic, topics), 8 * at))
  return BigInt.asIntN(64, xxh3(hashes))
}

// A topic of the image is a new object when it is made; its partitions are counted along, since they are added to it.
const cache = new WeakMap<GroupTopic, { readonly partitions: number; readonly version: number; readonly hash: bigint }>()

function topicHash(topic: GroupTopic, topics: GroupTopics): bigint {
  const known = cache.get(topic)
  const partitions = topic.partitions.size
  if (known?.partitions === partitions && known.version === topics.version) return known.hash
  const id = Buffer.from(topic.id, 'base64url')
  const parts = [Buffer.from([MAGIC]), int64(id.readBigUInt64BE(0)), int64(id.readBigUInt64BE(8)), text(topic.name), int32(partitions)]
  for (let partition = 0; partition < partitions; partition++) {
    parts.push(int32(partition))
    for (const rack of [...topics.racksOf(topic, partition)].sort(byCodeUnits)) parts.push(int32(rack.length), text(rack))
  }
  const hash = xxh3(Buffer.concat(parts))
  cache.set(topic, { partitions, version: topics.version, hash })
  return hash
}

/** UTF-16 units, then how many there are: what hash4j makes of a string. */
function text(value: string): Buffer {
  return Buffer.concat([Buffer.from(value, 'utf16le'), int32(value.length)])
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return bytes
}

function byCodeUnits(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
