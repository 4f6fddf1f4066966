// What consumers of classic groups tell each other through JoinGroup and SyncGroup: the broker hands it on as bytes, and
// reads it only to describe groups and to keep offsets of topics that someone is subscribed to.

import { ProtocolError } from '../errors.ts'
import { Reader } from '../reader.ts'
import { array, bytes, int32, message, string } from '../schema.ts'
import type { Decoded, Encodable, Fields, Message } from '../schema.ts'
import { encodePrefixed } from './coordinator.ts'

export const ConsumerProtocolSubscription = message('ConsumerProtocolSubscription', [0, 3], Infinity, {
  topics: array(string),
  userData: bytes.nullable().or(null),
  ownedPartitions: array({ topic: string, partitions: array(int32) })
    .since(1)
    .ignorable(),
  generationId: int32.since(2).or(-1).ignorable(),
  rackId: string.since(3).nullable().or(null).ignorable(),
})

/**
 * The topics alone, by the schema of version 0, which begins all versions: as Kafka's coordinator reads them, since some
 * clients name a later version and leave out its fields. Throws ProtocolError.
 */
export function topicsSubscribed(value: Buffer): readonly string[] {
  const from = new Reader(value)
  if (from.int16() < 0) throw new ProtocolError('ConsumerProtocolSubscription of a version below 0')
  return ConsumerProtocolSubscription.codec(0).decode(from).topics
}

export const ConsumerProtocolAssignment = message('ConsumerProtocolAssignment', [0, 3], Infinity, {
  assignedPartitions: array({ topic: string, partitions: array(int32) }),
  userData: bytes.nullable().or(null),
})

/** The version, then the message. */
export function encodeConsumerProtocol<F extends Fields>(
  schema: Message<F>,
  version: number,
  value: Encodable<F>,
): Buffer {
  return encodePrefixed(version, schema, version, value)
}

/** Versions above those declared are read as the highest one, as Kafka's ConsumerProtocol does: they add at the end. */
export function decodeConsumerProtocol<F extends Fields>(schema: Message<F>, value: Buffer): Decoded<F> {
  const from = new Reader(value)
  const version = from.int16()
  if (version < 0) throw new ProtocolError(`${schema.name} of version ${version}`)
  return schema.codec(Math.min(version, schema.versions[1])).decode(from)
}
