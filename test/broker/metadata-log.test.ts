// What Apache Kafka leaves is read into the image it meant; what is damaged, foreign or newer is refused with a line.

import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { ResourceType, type MetadataImage } from '../../src/broker/metadata/image.ts'
import { readMetadata } from '../../src/broker/metadata/metadata-reader.ts'
import { recordsBatch } from '../../src/broker/metadata/metadata-writer.ts'
import { encodeRecord, type NewRecord } from '../../src/broker/metadata/records.ts'
import { MetadataLogError } from '../../src/broker/metadata/replay.ts'
import { stampOffset } from '../../src/protocol/record-batch.ts'
import { nodeDisk } from '../../src/storage/node-disk.ts'
import { temporaryDirectory } from '../support/broker.ts'

// A fresh Apache Kafka 4.3.0 node: two topics made and one deleted, a partition added, records from an idempotent
// producer, a SCRAM user, a quota, an ACL, a cluster-wide broker config; a snapshot at 37; stopped cleanly at 48.
const APACHE = join(dirname(fileURLToPath(import.meta.url)), 'metadata-fixtures/kafka-4.3')
const LOG = '__cluster_metadata-0/00000000000000000000.log'
const SNAPSHOT = '__cluster_metadata-0/00000000000000000037-0000000001.checkpoint'
const END_OF_APACHE = 48

function copyOfApache(): string {
  const directory = temporaryDirectory()
  cpSync(APACHE, directory, { recursive: true })
  return directory
}

/** What an image says, in an order that does not depend on how it came about. */
function contents(image: MetadataImage): string[] {
  const plain = (key: string, value: unknown) => {
    if (key === 'features' && Array.isArray(value)) return value.map((one) => JSON.stringify(one)).sort()
    return typeof value === 'bigint' ? String(value) : value
  }
  // Apache's snapshots don't say which broker had the last block of producer ids.
  const records = [...image.records()].filter(({ name }) => name !== 'ProducerIdsRecord')
  return [...records.map((record) => JSON.stringify(record, plain)).sort(), `producer ids from ${image.nextProducerId}`]
}

/** Appends records to the fixture's log as a controller would. */
function append(directory: string, records: readonly (NewRecord | Buffer)[], at = END_OF_APACHE): void {
  const values = records.map((record) => (Buffer.isBuffer(record) ? record : encodeRecord(record, new Map())))
  const batch = recordsBatch(values, 1_700_000_000_000)
  stampOffset(batch, 0, at, 1)
  writeFileSync(join(directory, LOG), batch, { flag: 'a' })
}

test('a log that Apache Kafka left', () => {
  const { replay, endOffset, snapshotOffset, quorumState, bootstrap } = readMetadata(nodeDisk, APACHE, 1)
  const { image } = replay
  expect({ endOffset, snapshotOffset, epoch: replay.epoch, quorumState, bootstrap }).toEqual({
    endOffset: END_OF_APACHE,
    snapshotOffset: 37,
    epoch: 1,
    quorumState: { leaderEpoch: 1, dataVersion: 0 },
    bootstrap: undefined,
  })
  expect([...image.topics()].map(({ name }) => name)).toEqual(['orders'])
  const orders = image.topic('orders')
  expect([...(orders?.partitions.keys() ?? [])]).toEqual([0, 1, 2])
  // A clean stop of Apache takes the leaders away and keeps who may lead next.
  expect(orders?.partitions.get(2)).toMatchObject({ leader: -1, isr: [], eligibleLeaderReplicas: [1], leaderEpoch: 1, partitionEpoch: 1 })
  expect([...image.configs(ResourceType.topic, 'orders')]).toEqual([['retention.ms', '60000']])
  expect(Object.fromEntries(image.configs(ResourceType.broker, ''))).toEqual({ 'log.cleaner.threads': '2', 'min.insync.replicas': '1' })
  expect(Object.fromEntries(image.features)).toMatchObject({ 'metadata.version': 30, 'eligible.leader.replicas.version': 1 })
  expect(image.nextProducerId).toBe(1000n)
  expect(image.brokers.get(1)).toMatchObject({ fenced: true, rack: null })
  expect([...image.quotas.records()]).toHaveLength(1)
  expect([...image.acls.entries()].map(([, acl]) => acl)).toEqual([
    { resourceType: 2, resourceName: 'orders', patternType: 3, principal: 'User:ann', host: '*', operation: 3, permissionType: 3 },
  ])
  expect([...image.scramUsers.records()]).toHaveLength(1)
  expect([...image.kept()]).toEqual([])
})

test('the snapshot says the same as the log before it', () => {
  const directory = copyOfApache()
  const withSnapshot = contents(readMetadata(nodeDisk, directory, 1).replay.image)
  rmSync(join(directory, SNAPSHOT))
  const found = readMetadata(nodeDisk, directory, 1)
  expect(contents(found.replay.image)).toEqual(withSnapshot)
  expect(found.snapshotOffset).toBe(-1)
})

test('a directory that was formatted and never started begins with what the formatting said', () => {
  const directory = copyOfApache()
  rmSync(join(directory, '__cluster_metadata-0'), { recursive: true })
  const { bootstrap = [], endOffset } = readMetadata(nodeDisk, directory, 1)
  expect(endOffset).toBe(0)
  expect(bootstrap).toContainEqual({ name: 'FeatureLevelRecord', value: { name: 'transaction.version', featureLevel: 2 } })
  expect(bootstrap.at(0)?.name).toBe('BeginTransactionRecord')
  expect(bootstrap.at(-1)?.name).toBe('EndTransactionRecord')
})

test('a new directory begins with the features that this broker has', () => {
  const { bootstrap = [] } = readMetadata(nodeDisk, join(temporaryDirectory(), 'none'), 1)
  expect(bootstrap.map(({ value }) => value)).toEqual([
    { name: 'Bootstrap records' },
    { name: 'metadata.version', featureLevel: 30 },
    { name: 'eligible.leader.replicas.version', featureLevel: 1 },
    { name: 'group.version', featureLevel: 1 },
    { name: 'transaction.version', featureLevel: 2 },
    { resourceType: 4, resourceName: '', name: 'min.insync.replicas', value: '1' },
    {},
  ])
})

test('a transaction takes effect when it ends, and not at all when it was aborted or never ended', () => {
  const setting = (value: string): NewRecord => {
    return { name: 'ConfigRecord', value: { resourceType: 2, resourceName: 'orders', name: 'segment.ms', value } }
  }
  const begin: NewRecord = { name: 'BeginTransactionRecord', value: {} }
  const valueAfter = (records: NewRecord[]) => {
    const directory = copyOfApache()
    append(directory, records)
    const { replay } = readMetadata(nodeDisk, directory, 1)
    return [replay.image.configs(ResourceType.topic, 'orders').get('segment.ms'), replay.isInTransaction]
  }
  expect(valueAfter([begin, setting('1'), { name: 'EndTransactionRecord', value: {} }])).toEqual(['1', false])
  expect(valueAfter([begin, setting('1'), { name: 'AbortTransactionRecord', value: {} }])).toEqual([undefined, false])
  expect(valueAfter([begin, setting('1')])).toEqual([undefined, true])
})

test('a torn tail is passed over, whatever was lost of it', () => {
  const size = readFileSync(join(APACHE, LOG)).length
  for (let lost = 1; lost < 60; lost++) {
    const directory = copyOfApache()
    truncateSync(join(directory, LOG), size - lost)
    expect(readMetadata(nodeDisk, directory, 1).endOffset).toBeLessThan(END_OF_APACHE)
  }
  const zeros = copyOfApache()
  writeFileSync(join(zeros, LOG), Buffer.alloc(500), { flag: 'a' })
  expect(readMetadata(nodeDisk, zeros, 1).endOffset).toBe(END_OF_APACHE)
})

const refusals: Record<string, [prepare: (directory: string) => void, message: RegExp, nodeId?: number]> = {
  'another node': [() => undefined, /belongs to a cluster with node 1; this broker is node 2/, 2],
  'a broker of the cluster that is not this one': [
    (directory) => {
      append(directory, [{ name: 'RegisterBrokerRecord', value: { brokerId: 7, incarnationId: 'AAAAAAAAAAAAAAAAAAAABQ', brokerEpoch: 48, endPoints: [], features: [], rack: null } }])
    },
    /cluster with node 7/,
  ],
  'a type of record that is not known': [
    (directory) => append(directory, [Buffer.from([1, 99, 0, 0])]),
    /does not know, at offset 48: metadata record of unknown type 99/,
  ],
  'a version of a record that is not known': [(directory) => append(directory, [Buffer.from([1, 2, 9, 0])]), /TopicRecord has no version 9/],
  'a newer metadata.version': [
    (directory) => append(directory, [{ name: 'FeatureLevelRecord', value: { name: 'metadata.version', featureLevel: 31 } }]),
    /metadata.version=31; this broker knows versions up to 30/,
  ],
  'a partition of no topic': [
    (directory) => append(directory, [{ name: 'PartitionChangeRecord', value: { topicId: 'AAAAAAAAAAAAAAAAAAAABQ', partitionId: 0, leader: 1 } }]),
    /damaged at offset 48: no topic has the id/,
  ],
  'offsets that are missing': [(directory) => append(directory, [{ name: 'NoOpRecord', value: {} }], 50), /offset 50 follows 47/],
  'damage with whole batches behind it': [
    (directory) => {
      const bytes = readFileSync(join(directory, LOG))
      bytes[2000] ^= 1
      writeFileSync(join(directory, LOG), bytes)
    },
    /the metadata log is damaged: .*00000000000000000000.log at byte \d+/,
  ],
  'a damaged snapshot': [
    (directory) => truncateSync(join(directory, SNAPSHOT), 900),
    /snapshot .*checkpoint is damaged at byte \d+/,
  ],
  'a log without its beginning': [
    (directory) => {
      rmSync(join(directory, SNAPSHOT))
      cpSync(join(directory, LOG), join(directory, '__cluster_metadata-0/00000000000000000020.log'))
      rmSync(join(directory, LOG))
    },
    /starts at 20, and no snapshot holds what was before/,
  ],
}

for (const [what, [prepare, message, nodeId = 1]] of Object.entries(refusals)) {
  test(`refused: ${what}`, () => {
    const directory = copyOfApache()
    prepare(directory)
    const read = () => readMetadata(nodeDisk, directory, nodeId)
    expect(read).toThrow(MetadataLogError)
    expect(read).toThrow(message)
  })
}
