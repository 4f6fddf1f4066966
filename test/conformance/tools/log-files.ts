// The files that the play of kafka-dump-log looks at: every kind that a broker leaves, whole and damaged. Times and ids are
// fixed, so that nothing in the answers depends on when they were made.

import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { crc32c } from '../../../src/kernels/crc32c.ts'
import { BatchBuilder, type BatchOptions } from '../../../src/protocol/batch-builder.ts'
import { prepareCodec } from '../../../src/protocol/compression/index.ts'
import { stampTimestamps } from '../../../src/protocol/record-batch.ts'
import { encodeControlKey, encodeControlValue, EndTxnMarker } from '../../../src/protocol/records/control.ts'
import { encodePrefixed } from '../../../src/protocol/records/coordinator.ts'
import { ConsumerProtocolAssignment, ConsumerProtocolSubscription, encodeConsumerProtocol } from '../../../src/protocol/records/consumer-protocol.ts'
import { encodeGroupRecord } from '../../../src/protocol/records/group.ts'
import { encodeMetadataRecord } from '../../../src/protocol/records/metadata.ts'
import { encodeTransactionRecord } from '../../../src/protocol/records/transaction.ts'
import { int32, message, string } from '../../../src/protocol/schema.ts'

const AT = 1_000_000_000_000
const ID = 'MkU3OEVBNTcwNTJENDM2Qg'
const FIXTURES = new URL('../../broker/metadata-fixtures/kafka-4.3', import.meta.url).pathname

interface One {
  readonly key?: Buffer | string | null
  readonly value?: Buffer | string | null
  readonly headers?: readonly { readonly key: string; readonly value: Buffer | null }[]
}

type Options = Partial<BatchOptions> & { readonly at?: number }

function batch(records: readonly One[], options: Options = {}): Buffer {
  const { at = AT, ...rest } = options
  const builder = new BatchBuilder(1 << 24)
  const bytes = (part: Buffer | string | null | undefined): Buffer | null => (part === undefined || part === null ? null : Buffer.from(part))
  records.forEach(({ key, value, headers = [] }, index) => builder.append(bytes(key), bytes(value), headers, at + index))
  return Buffer.from(builder.finish({ codec: 'none', leaderEpoch: 0, ...rest }))
}

/** An entry of the formats before 0.11. */
function legacy(magic: 0 | 1, offset: number, key: string | null, value: Buffer, attributes = 0): Buffer {
  const keyBytes = key === null ? null : Buffer.from(key)
  const body = Buffer.alloc(2 + (magic === 1 ? 8 : 0) + 8 + (keyBytes?.length ?? 0) + value.length)
  let at = body.writeInt8(magic, 0)
  at = body.writeInt8(attributes, at)
  if (magic === 1) at = body.writeBigInt64BE(BigInt(AT + offset), at)
  at = body.writeInt32BE(keyBytes?.length ?? -1, at)
  at += keyBytes?.copy(body, at) ?? 0
  at = body.writeInt32BE(value.length, at)
  value.copy(body, at)
  const head = Buffer.alloc(16)
  head.writeBigInt64BE(BigInt(offset), 0)
  head.writeInt32BE(body.length + 4, 8)
  head.writeUInt32BE(crc32(body), 12)
  return Buffer.concat([head, body])
}

function crc32(bytes: Buffer): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return (crc ^ 0xffffffff) >>> 0
}

function marker(type: 'COMMIT' | 'ABORT', options: Options): Buffer {
  const value = encodeControlValue(EndTxnMarker, 0, { coordinatorEpoch: 3 })
  return batch([{ key: encodeControlKey(type), value }], { isTransactional: true, isControl: true, ...options })
}

/** Writes everything below `directory`. */
export async function writeLogFiles(directory: string): Promise<undefined> {
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) await prepareCodec(codec)
  const put = (name: string, ...pieces: readonly Buffer[]): void => {
    mkdirSync(join(directory, name, '..'), { recursive: true })
    writeFileSync(join(directory, name), Buffer.concat(pieces))
  }
  const base = '00000000000000000000'
  putOrders(put, `orders-0/${base}`)
  putDamaged(put, base)
  putCoordinators(put, base)
  putMetadata(put, base)
  cpSync(FIXTURES, join(directory, 'kafka'), { recursive: true })
  return undefined
}

type Put = (name: string, ...pieces: readonly Buffer[]) => void

function putOrders(put: Put, name: string): void {
  const plain = batch([
    { key: 'k', value: 'v' },
    { value: 'no key', headers: [{ key: 'a', value: Buffer.from('1') }, { key: 'b', value: null }, { key: 'a', value: Buffer.alloc(0) }] },
    { key: 'gone' },
  ])
  const two = [{ key: 'one', value: 'first' }, { key: 'two', value: 'zweite Zeile mit Ümlaut' }]
  const gzip = batch(two, { codec: 'gzip', baseOffset: 3, at: AT + 100 })
  const snappy = batch(two, { codec: 'snappy', baseOffset: 5, at: AT + 200 })
  const lz4 = batch(two, { codec: 'lz4', baseOffset: 7, at: AT + 300 })
  const zstd = batch(two, { codec: 'zstd', baseOffset: 9, at: AT + 400 })
  const appended = batch(two, { baseOffset: 11, at: AT + 500, leaderEpoch: 2 })
  stampTimestamps(appended, 0, appended.length, AT + 555, true)
  const transactional = batch(two, { baseOffset: 13, at: AT + 600, producerId: 4000n, producerEpoch: 1, baseSequence: 7, isTransactional: true })
  const commit = marker('COMMIT', { baseOffset: 15, at: AT + 700, producerId: 4000n, producerEpoch: 1 })
  const wrapped = batch(two, { baseOffset: 16, at: AT + 800, producerId: 4001n, producerEpoch: 0, baseSequence: 2147483647, isTransactional: true })
  const abort = marker('ABORT', { baseOffset: 18, at: AT + 900, producerId: 4001n, producerEpoch: 0 })
  const horizon = marker('COMMIT', { baseOffset: 19, at: AT + 950, producerId: 4000n, producerEpoch: 1 })
  horizon.writeInt16BE(horizon.readInt16BE(21) | 0x40, 21)
  horizon.writeBigInt64BE(BigInt(AT + 86_400_000), 27)
  horizon.writeUInt32BE(crc32c(horizon, 21, horizon.length), 17)
  const all = [plain, gzip, snappy, lz4, zstd, appended, transactional, commit, wrapped, abort, horizon]
  put(`${name}.log`, ...all)
  const positionOf = (of: Buffer): number => all.slice(0, all.indexOf(of)).reduce((sum, { length }) => sum + length, 0)
  put(`${name}.index`, offsetEntry(4, positionOf(gzip)), offsetEntry(12, positionOf(appended)), Buffer.alloc(16))
  put(`${name}.timeindex`, timeEntry(AT + 101, 4), timeEntry(AT + 555, 12), Buffer.alloc(24))
  put(`${name}.txnindex`, txnEntry(4001n, 16, 18, 16), txnEntry(4002n, 20, 22, 20))
  put(`${name.replace(/0$/, '')}0.snapshot`, snapshot([
    { id: 4000n, epoch: 1, sequence: 8, offset: 14, delta: 1, coordinator: 3, first: -1 },
    { id: 4001n, epoch: 0, sequence: -1, offset: -1, delta: 0, coordinator: -1, first: 16 },
    { id: 4002n, epoch: 5, sequence: 0, offset: 20, delta: 0, coordinator: 4, first: 20 },
  ]))
  put('orders-0/leader-epoch-checkpoint', Buffer.from('0\n1\n0 0\n'))
  put('orders-0/partition.metadata', Buffer.from(`version: 0\ntopic_id: ${ID}`))
}

function offsetEntry(offset: number, position: number): Buffer {
  const entry = Buffer.alloc(8)
  entry.writeInt32BE(offset, 0)
  entry.writeInt32BE(position, 4)
  return entry
}

function timeEntry(timestamp: number, offset: number): Buffer {
  const entry = Buffer.alloc(12)
  entry.writeBigInt64BE(BigInt(timestamp), 0)
  entry.writeInt32BE(offset, 8)
  return entry
}

function txnEntry(producer: bigint, first: number, last: number, stable: number): Buffer {
  const entry = Buffer.alloc(34)
  entry.writeBigInt64BE(producer, 2)
  ;[first, last, stable].forEach((offset, index) => entry.writeBigInt64BE(BigInt(offset), 10 + 8 * index))
  return entry
}

interface Producer {
  readonly id: bigint
  readonly epoch: number
  readonly sequence: number
  readonly offset: number
  readonly delta: number
  readonly coordinator: number
  readonly first: number
}

function snapshot(producers: readonly Producer[]): Buffer {
  const bytes = Buffer.alloc(10 + producers.length * 46)
  bytes.writeInt16BE(1, 0)
  bytes.writeInt32BE(producers.length, 6)
  producers.forEach(({ id, epoch, sequence, offset, delta, coordinator, first }, index) => {
    let at = bytes.writeBigInt64BE(id, 10 + index * 46)
    at = bytes.writeInt16BE(epoch, at)
    at = bytes.writeInt32BE(sequence, at)
    at = bytes.writeBigInt64BE(BigInt(offset), at)
    at = bytes.writeInt32BE(delta, at)
    at = bytes.writeBigInt64BE(BigInt(AT), at)
    at = bytes.writeInt32BE(coordinator, at)
    bytes.writeBigInt64BE(BigInt(first), at)
  })
  bytes.writeUInt32BE(crc32c(bytes, 6, bytes.length), 2)
  return bytes
}

function putDamaged(put: Put, base: string): void {
  const first = batch([{ key: 'a', value: '1' }, { key: 'b', value: '2' }])
  const second = batch([{ key: 'c', value: '3' }], { baseOffset: 2, at: AT + 10 })
  const wrong = Buffer.from(second)
  wrong[wrong.length - 2] ^= 1
  put(`garbage-0/${base}.log`, first, second, Buffer.from('what is this, and why is it here?'))
  put(`garbage-0/${base}.index`, offsetEntry(1, 0), offsetEntry(3, first.length), Buffer.alloc(3))
  put(`garbage-0/${base}.timeindex`, timeEntry(AT + 9, 1), timeEntry(AT + 5, 2), timeEntry(AT + 20, 3), timeEntry(AT + 30, 70))
  put(`cut-0/${base}.log`, first, second.subarray(0, second.length - 5))
  put(`crc-0/${base}.log`, first, wrong)
  put(`zeros-0/${base}.log`, first, Buffer.alloc(64))
  put(`short-0/${base}.log`, Buffer.from('short'))
  put(`empty-0/${base}.log`)
  put(`empty-0/${base}.index`)
  put(`empty-0/${base}.timeindex`)
  put(`empty-0/${base}.txnindex`)
  put(`alone-0/${base}.index`, offsetEntry(1, 0))
  const late = '00000000000000000040'
  put(`late-0/${late}.log`, batch([{ key: 'x', value: 'y' }], { baseOffset: 40 }), batch([{ value: 'z' }], { baseOffset: 45, at: AT + 1 }))
  put(`late-0/${late}.index`, offsetEntry(5, first.length))
  put(`late-0/${late}.timeindex`, timeEntry(AT, 0), timeEntry(AT + 1, 5))
  put(`back-0/${late}.index`, offsetEntry(-5, 0))
  put(`back-0/${late}.timeindex`, timeEntry(AT, 0), timeEntry(AT - 1, 5))
  put(`back-0/${late}.log`, batch([{ key: 'x', value: 'y' }], { baseOffset: 40 }))
  const broken = snapshot([{ id: 1n, epoch: 0, sequence: 0, offset: 0, delta: 0, coordinator: -1, first: -1 }])
  broken[20] ^= 1
  put('snapshots/00000000000000000001.snapshot', broken)
  put('snapshots/00000000000000000002.snapshot', Buffer.from([0, 9, 0, 0, 0, 0, 0, 0, 0, 0]))
  put('snapshots/00000000000000000003.snapshot', snapshot([]))
  put('notes.txt', Buffer.from('hello'))
  const inner = Buffer.concat([legacy(1, 0, 'k', Buffer.from('inner')), legacy(1, 1, null, Buffer.from('other'))])
  put(`legacy-0/${base}.log`, legacy(0, 0, 'old', Buffer.from('oldest')), legacy(1, 1, null, Buffer.from('old')), legacy(1, 3, null, gzipSync(inner), 1))
  const numbers = Buffer.alloc(12)
  numbers.writeInt32BE(7, 0)
  numbers.writeBigInt64BE(2n ** 60n, 4)
  put(`numbers-0/${base}.log`, batch([{ key: numbers.subarray(0, 4), value: numbers.subarray(4) }]))
  put('named/first.log', first)
}

function putCoordinators(put: Put, base: string): void {
  const subscription = encodeConsumerProtocol(ConsumerProtocolSubscription, 3, { topics: ['orders', 'other'], userData: null, ownedPartitions: [{ topic: 'orders', partitions: [0, 2] }], generationId: 4, rackId: 'r1' })
  const assignment = encodeConsumerProtocol(ConsumerProtocolAssignment, 1, { assignedPartitions: [{ topic: 'orders', partitions: [1] }], userData: Buffer.from('data') })
  const member = { memberId: 'm-1', groupInstanceId: null, clientId: 'c', clientHost: '/127.0.0.1', rebalanceTimeout: 300000, sessionTimeout: 45000 }
  const group = { generation: 3, protocol: 'range', leader: 'm-1', currentStateTimestamp: AT }
  const groups = [
    encodeGroupRecord({ name: 'OffsetCommit', key: { group: 'g', topic: 'orders', partition: 0 }, version: 4, value: { offset: 42n, metadata: 'note', commitTimestamp: AT, topicId: ID } }),
    encodeGroupRecord({ name: 'OffsetCommit', key: { group: 'g', topic: 'orders', partition: 1 }, version: 3, value: { offset: 9007199254740993n, leaderEpoch: 5, metadata: '', commitTimestamp: AT } }),
    encodeGroupRecord({ name: 'OffsetCommit', key: { group: 'g', topic: 'orders', partition: 1 }, version: 1, value: { offset: 1n, metadata: '', commitTimestamp: AT, expireTimestamp: AT + 1 } }),
    encodeGroupRecord({ name: 'OffsetCommit', key: { group: 'g', topic: 'orders', partition: 1 }, value: null }),
    encodeGroupRecord({ name: 'LegacyOffsetCommit', key: { group: 'g', topic: 'orders', partition: 1 }, version: 0, value: { offset: 1n, metadata: '"quoted" \\ ü\u0001', commitTimestamp: AT } }),
    encodeGroupRecord({ name: 'GroupMetadata', key: { group: 'g' }, version: 3, value: { ...group, protocolType: 'consumer', members: [{ ...member, subscription, assignment }] } }),
    encodeGroupRecord({ name: 'GroupMetadata', key: { group: 'g' }, version: 3, value: { ...group, protocolType: 'consumer', members: [{ ...member, subscription: Buffer.from([0]), assignment: Buffer.alloc(0) }] } }),
    encodeGroupRecord({ name: 'GroupMetadata', key: { group: 'connect' }, version: 2, value: { ...group, protocolType: 'connect', protocol: null, leader: null, members: [{ ...member, subscription: Buffer.from('subs'), assignment: Buffer.from('a') }] } }),
    encodeGroupRecord({ name: 'GroupMetadata', key: { group: 'g' }, value: null }),
    encodeGroupRecord({ name: 'ConsumerGroupMetadata', key: { groupId: 'new' }, version: 0, value: { epoch: 7, metadataHash: -8446744073709551n } }),
    encodeGroupRecord({ name: 'ConsumerGroupMetadata', key: { groupId: 'new' }, version: 0, value: { epoch: 8 } }),
    encodeGroupRecord({ name: 'ConsumerGroupPartitionMetadata', key: { groupId: 'new' }, version: 0, value: { topics: [{ topicId: ID, topicName: 'orders', numPartitions: 1, partitionMetadata: [{ partition: 0, racks: ['a'] }] }] } }),
    encodeGroupRecord({ name: 'ConsumerGroupMemberMetadata', key: { groupId: 'new', memberId: 'm' }, version: 0, value: { instanceId: null, rackId: 'r', clientId: 'c', clientHost: '/127.0.0.1', subscribedTopicNames: ['orders'], subscribedTopicRegex: 'o.*', serverAssignor: null, classicMemberMetadata: null } }),
    encodeGroupRecord({ name: 'ConsumerGroupTargetAssignmentMetadata', key: { groupId: 'new' }, version: 0, value: { assignmentEpoch: 7, assignmentTimestamp: AT } }),
    encodeGroupRecord({ name: 'ConsumerGroupTargetAssignmentMember', key: { groupId: 'new', memberId: 'm' }, version: 0, value: { topicPartitions: [{ topicId: ID, partitions: [0, 1] }] } }),
    encodeGroupRecord({ name: 'ConsumerGroupCurrentMemberAssignment', key: { groupId: 'new', memberId: 'm' }, version: 0, value: { memberEpoch: 7, previousMemberEpoch: 6, state: 0, assignedPartitions: [{ topicId: ID, partitions: [0] }], partitionsPendingRevocation: [] } }),
    encodeGroupRecord({ name: 'ConsumerGroupRegularExpression', key: { groupId: 'new', regularExpression: 'o.*' }, version: 0, value: { topics: ['orders'], version: 3, timestamp: AT } }),
    { key: Buffer.from([0, 99]), value: Buffer.from([0, 0]) },
    { key: Buffer.from([0, 2, 0]), value: Buffer.from([0, 0]) },
    { key: encodeGroupRecord({ name: 'GroupMetadata', key: { group: 'g' }, value: null }).key, value: Buffer.from([0, 9]) },
    { key: Buffer.alloc(0), value: null },
  ]
  put(`__consumer_offsets-0/${base}.log`, batch(groups))
  put(`__consumer_offsets-1/${base}.log`, batch([{ value: 'no key' }]))
  const transaction = { producerId: 4000n, producerEpoch: 1, transactionTimeoutMs: 60000, transactionStatus: 1, transactionPartitions: [{ topic: 'orders', partitionIds: [0, 1] }], transactionLastUpdateTimestampMs: AT, transactionStartTimestampMs: AT }
  const key = { transactionalId: 'tx' }
  const transactions = [
    encodeTransactionRecord({ name: 'TransactionLog', key, version: 0, value: transaction }),
    encodeTransactionRecord({ name: 'TransactionLog', key, version: 1, value: { ...transaction, previousProducerId: 3999n, nextProducerId: 4001n, nextProducerEpoch: 0, clientTransactionVersion: 2, transactionPartitions: null } }),
    encodeTransactionRecord({ name: 'TransactionLog', key, value: null }),
    { key: Buffer.from([0, 5]), value: Buffer.from([0, 0]) },
  ]
  put(`__transaction_state-0/${base}.log`, batch(transactions))
  const shareKey = message('ShareSnapshotKey', [0, 0], Infinity, { groupId: string, topicIdLow: int32, topicId: int32, more: int32, most: int32, partition: int32 })
  const share = encodePrefixed(0, shareKey, 0, { groupId: 'sg', topicIdLow: 1, topicId: 2, more: 3, most: 4, partition: 5 })
  put(`__share_group_state-0/${base}.log`, batch([{ key: share, value: null }]))
}

function putMetadata(put: Put, base: string): void {
  const records = [
    encodeMetadataRecord('TopicRecord', 0, { name: 'orders', topicId: ID }),
    encodeMetadataRecord('PartitionRecord', 2, { partitionId: 0, topicId: ID, replicas: [1], isr: [1], removingReplicas: [], addingReplicas: [], leader: 1, leaderEpoch: 0, partitionEpoch: 0, directories: [ID], leaderRecoveryState: 1, eligibleLeaderReplicas: [1], lastKnownElr: [] }),
    encodeMetadataRecord('PartitionChangeRecord', 2, { partitionId: 0, topicId: ID, leader: 1, isr: [1] }),
    encodeMetadataRecord('ConfigRecord', 0, { resourceType: 2, resourceName: 'orders', name: 'retention.ms', value: null }),
    encodeMetadataRecord('ClientQuotaRecord', 0, { entity: [{ entityType: 'user', entityName: null }], key: 'producer_byte_rate', value: 1024, remove: false }),
    encodeMetadataRecord('ClientQuotaRecord', 0, { entity: [{ entityType: 'user', entityName: 'u' }], key: 'producer_byte_rate', value: 12345678.5, remove: true }),
    encodeMetadataRecord('ClientQuotaRecord', 0, { entity: [], key: 'request_percentage', value: 0.0001, remove: false }),
    encodeMetadataRecord('UserScramCredentialRecord', 0, { name: 'alice', mechanism: 1, salt: Buffer.from('salt'), storedKey: Buffer.from([255, 0, 251]), serverKey: Buffer.from('key'), iterations: 4096 }),
    encodeMetadataRecord('RemoveUserScramCredentialRecord', 0, { name: 'alice', mechanism: 1 }),
    encodeMetadataRecord('AccessControlEntryRecord', 0, { id: ID, resourceType: 2, resourceName: '*', patternType: 3, principal: 'User:a', host: '*', operation: 3, permissionType: 3 }),
    encodeMetadataRecord('RemoveAccessControlEntryRecord', 0, { id: ID }),
    encodeMetadataRecord('ProducerIdsRecord', 0, { brokerId: 1, brokerEpoch: 5, nextProducerId: 1000n }),
    encodeMetadataRecord('RegisterControllerRecord', 0, { controllerId: 1, incarnationId: ID, zkMigrationReady: false, endPoints: [{ name: 'CONTROLLER', host: 'localhost', port: 65535, securityProtocol: 0 }], features: [{ name: 'group.version', minSupportedVersion: 0, maxSupportedVersion: 1 }] }),
    encodeMetadataRecord('RegisterBrokerRecord', 4, { brokerId: 1, incarnationId: ID, brokerEpoch: 5, endPoints: [], features: [], rack: null, logDirs: [ID], cordonedLogDirs: [] }),
    encodeMetadataRecord('BrokerRegistrationChangeRecord', 0, { brokerId: 1, brokerEpoch: 5, fenced: -1 }),
    encodeMetadataRecord('BeginTransactionRecord', 0, { name: 'some' }),
    encodeMetadataRecord('AbortTransactionRecord', 0, { reason: 'why not' }),
    encodeMetadataRecord('BeginTransactionRecord', 0, {}),
    encodeMetadataRecord('EndTransactionRecord', 0, {}),
    encodeMetadataRecord('NoOpRecord', 0, {}),
    encodeMetadataRecord('ClearElrRecord', 0, { topicName: 'orders' }),
    encodeMetadataRecord('RemoveTopicRecord', 0, { topicId: ID }),
    encodeMetadataRecord('FenceBrokerRecord', 0, { id: 1, epoch: 2 }),
    encodeMetadataRecord('UnregisterBrokerRecord', 0, { brokerId: 1, brokerEpoch: 2 }),
    encodeMetadataRecord('ZkMigrationStateRecord', 0, { zkMigrationState: 2 }),
    encodeMetadataRecord('DelegationTokenRecord', 0, { owner: 'o', requester: 'r', renewers: ['x'], issueTimestamp: 1, maxTimestamp: 2, expirationTimestamp: 3, tokenId: 't' }),
    Buffer.from([1, 120, 0]),
    Buffer.from([2, 2, 0]),
    Buffer.from([1, 2, 9]),
    Buffer.from([1, 2]),
    Buffer.alloc(0),
  ]
  put(`records-0/${base}.log`, batch(records.map((value) => ({ value }))))
  const unknown = encodeControlKey('COMMIT')
  unknown.writeInt16BE(77, 2)
  put(`control-0/${base}.log`, batch([{ key: unknown, value: Buffer.from([0, 0]) }], { isControl: true }))
}
