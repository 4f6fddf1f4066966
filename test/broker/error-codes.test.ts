// Error codes that handlers answer in cases of their own, which the tests of their APIs don't come by.

import { describe, expect, test, vi } from 'vitest'
import type { NewRecord } from '../../src/broker/metadata/records.ts'
import { AlterClientQuotas } from '../../src/protocol/apis/alter-client-quotas.ts'
import { AlterConfigs } from '../../src/protocol/apis/alter-configs.ts'
import { AlterUserScramCredentials } from '../../src/protocol/apis/alter-user-scram-credentials.ts'
import { CreateAcls } from '../../src/protocol/apis/create-acls.ts'
import { CreatePartitions } from '../../src/protocol/apis/create-partitions.ts'
import { CreateTopics } from '../../src/protocol/apis/create-topics.ts'
import { DeleteAcls } from '../../src/protocol/apis/delete-acls.ts'
import { DeleteTopics } from '../../src/protocol/apis/delete-topics.ts'
import { DescribeProducers } from '../../src/protocol/apis/describe-producers.ts'
import { FindCoordinator } from '../../src/protocol/apis/find-coordinator.ts'
import { Heartbeat } from '../../src/protocol/apis/heartbeat.ts'
import { IncrementalAlterConfigs } from '../../src/protocol/apis/incremental-alter-configs.ts'
import { InitProducerId } from '../../src/protocol/apis/init-producer-id.ts'
import { Metadata } from '../../src/protocol/apis/metadata.ts'
import { OffsetFetch } from '../../src/protocol/apis/offset-fetch.ts'
import { Produce } from '../../src/protocol/apis/produce.ts'
import { UpdateFeatures } from '../../src/protocol/apis/update-features.ts'
import { WriteTxnMarkers } from '../../src/protocol/apis/write-txn-markers.ts'
import { errorName, KafkaError } from '../../src/protocol/errors.ts'
import { ZERO_UUID } from '../../src/protocol/reader.ts'
import { testBroker } from '../support/broker.ts'
import { GroupClient } from '../support/group-client.ts'
import { manualClock } from '../support/manual-clock.ts'
import { batchOf, type RawClient } from '../support/raw-client.ts'
import { OLD_PROTOCOL, TransactionClient } from '../support/transaction-client.ts'

const NO_SUCH_ID = 'AAAAAAAAAAAAAAAAAAAAZw'

test('Produce: what is not safe in time is REQUEST_TIMED_OUT', async () => {
  const clock = manualClock()
  const { broker, connect } = await testBroker({ topics: ['t'], clock })
  const { log } = broker.partitions.get('t', 0)
  const stuck = vi.spyOn(log, 'safe').mockReturnValue(new Promise(() => undefined))
  const topicData = [{ name: 't', topicId: ZERO_UUID, partitionData: [{ index: 0, records: batchOf(['a'], { timestamp: clock.now() }) }] }]
  const produced = (await connect()).call(Produce, 9, { transactionalId: null, acks: -1, timeoutMs: 5000, topicData })
  await expect.poll(() => stuck.mock.calls.length).toBe(1)
  clock.advance(5000)
  const [row] = (await produced).responses[0].partitionResponses
  expect([errorName(row.errorCode), row.baseOffset]).toEqual(['REQUEST_TIMED_OUT', -1])
})

test('Produce: transactional batches of two producers are INVALID_PRODUCER_ID_MAPPING, all of them', async () => {
  const { connect } = await testBroker({ topics: ['t:2'] })
  const batch = (producerId: bigint) => batchOf(['a'], { producerId, producerEpoch: 0, baseSequence: 0, isTransactional: true })
  const partitionData = [{ index: 0, records: batch(1n) }, { index: 1, records: batch(2n) }] // prettier-ignore
  const topicData = [{ name: 't', topicId: ZERO_UUID, partitionData }]
  const { responses } = await (await connect()).call(Produce, 9, { transactionalId: 'tx', acks: -1, timeoutMs: 5000, topicData })
  expect(responses[0].partitionResponses.map(({ errorCode }) => errorName(errorCode))).toEqual(['INVALID_PRODUCER_ID_MAPPING', 'INVALID_PRODUCER_ID_MAPPING'])
})

test('OffsetFetch 10: a topic id that nobody has is UNKNOWN_TOPIC_ID, and the others are answered', async () => {
  const { connect, topicId } = await testBroker({ topics: ['t'] })
  const client = await connect()
  const group = new GroupClient(client, 'g')
  await group.findCoordinator()
  expect(await group.commit('t', 7)).toBe('NONE')
  const topics = [NO_SUCH_ID, topicId('t')].map((id) => ({ name: '', topicId: id, partitionIndexes: [0] }))
  const { groups } = await client.call(OffsetFetch, 10, { groupId: '', topics: [], groups: [{ groupId: 'g', topics }], requireStable: false })
  const rows = groups[0].topics.map(({ partitions: [row] }) => [errorName(row.errorCode), row.committedOffset])
  expect(rows).toEqual([['UNKNOWN_TOPIC_ID', -1n], ['NONE', 7n]]) // prettier-ignore
})

test('FindCoordinator: when its topic can not be made: COORDINATOR_NOT_AVAILABLE, and the next one finds it', async () => {
  const { broker, connect } = await testBroker()
  const client = await connect()
  const ask = async () => errorName((await client.call(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })).coordinators[0].errorCode)
  vi.spyOn(broker.groups, 'ensureTopic').mockRejectedValueOnce(new Error('no'))
  expect(await ask()).toBe('COORDINATOR_NOT_AVAILABLE')
  expect(await ask()).toBe('NONE')
})

test('WriteTxnMarkers: groups that are not to be had are NOT_LEADER_OR_FOLLOWER, so that the marker is sent again', async () => {
  const { broker, connect } = await testBroker({ properties: { 'offsets.topic.num.partitions': '1' } })
  const client = await connect()
  await new GroupClient(client, 'g').findCoordinator()
  vi.spyOn(broker.groups, 'endTransaction').mockRejectedValue(new KafkaError('COORDINATOR_LOAD_IN_PROGRESS'))
  const topics = [{ name: '__consumer_offsets', partitionIndexes: [0] }]
  const marker = { producerId: 1n, producerEpoch: 0, transactionResult: true, topics, coordinatorEpoch: 0 }
  const { markers } = await client.call(WriteTxnMarkers, 1, { markers: [marker] })
  expect(errorName(markers[0].topics[0].partitions[0].errorCode)).toBe('NOT_LEADER_OR_FOLLOWER')
})

test('Heartbeat: while the group is read the member hears NONE, in every version; it has a full session after it', async () => {
  const { broker, connect } = await testBroker()
  const client = await connect()
  const loading = vi.spyOn(broker.groups, 'heartbeat').mockRejectedValue(new KafkaError('COORDINATOR_LOAD_IN_PROGRESS'))
  const beat = async (version: number) => {
    return errorName((await client.call(Heartbeat, version, { groupId: 'g', generationId: 1, memberId: 'm' })).errorCode)
  }
  for (const version of [0, 1, 2, 3, 4]) expect(await beat(version)).toBe('NONE')
  loading.mockRejectedValue(new KafkaError('NOT_COORDINATOR'))
  expect(await beat(4)).toBe('NOT_COORDINATOR')
  loading.mockRestore()
  expect(await beat(4)).toBe('UNKNOWN_MEMBER_ID')
})

test('TxnOffsetCommit: while the group is read COORDINATOR_LOAD_IN_PROGRESS, which clients know from version 2 on', async () => {
  const { broker, connect } = await testBroker({ topics: ['t'] })
  const client = await connect()
  const old = new TransactionClient(client, 'old', OLD_PROTOCOL)
  const producer = new TransactionClient(client, 'new')
  for (const one of [old, producer]) expect(await one.init()).toBe('NONE')
  expect(await old.addOffsets('g')).toBe('NONE')
  const loading = vi.spyOn(broker.groups, 'commit').mockRejectedValue(new KafkaError('COORDINATOR_LOAD_IN_PROGRESS'))
  for (const version of [0, 1]) expect(await old.commitOffset('g', 't', 1, { version })).toBe('COORDINATOR_NOT_AVAILABLE')
  for (const version of [2, 3, 4]) expect(await old.commitOffset('g', 't', 1, { version })).toBe('COORDINATOR_LOAD_IN_PROGRESS')
  expect(await producer.commitOffset('g', 't', 1, { version: 5 })).toBe('COORDINATOR_LOAD_IN_PROGRESS')
  loading.mockRestore()
  expect(await old.commitOffset('g', 't', 1, { version: 0 })).toBe('NONE')
})

test('DescribeProducers: names that are none, topics and partitions that are not there', async () => {
  const { connect } = await testBroker({ topics: ['t'] })
  const topics = [['a b', 0], ['absent', 0], ['t', 9], ['t', -1]] as const // prettier-ignore
  const answer = await (await connect()).call(DescribeProducers, 0, { topics: topics.map(([name, index]) => ({ name, partitionIndexes: [index] })) })
  const codes = answer.topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorName(errorCode)))
  expect(codes).toEqual(['INVALID_TOPIC_EXCEPTION', 'UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_OR_PARTITION'])
})

test('InitProducerId: half of an identity is INVALID_REQUEST, an empty transactional id, too', async () => {
  const { connect } = await testBroker()
  const client = await connect()
  const init = async (transactionalId: string | null, producerId: bigint, producerEpoch: number) => {
    const { errorCode } = await client.call(InitProducerId, 4, { transactionalId, transactionTimeoutMs: 1000, producerId, producerEpoch })
    return errorName(errorCode)
  }
  expect(await init(null, 5n, -1)).toBe('INVALID_REQUEST')
  expect(await init(null, -1n, 5)).toBe('INVALID_REQUEST')
  expect(await init('', -1n, -1)).toBe('INVALID_REQUEST')
})

describe('changes of metadata that are not taken', () => {
  /** The code, and where there is one the text, of each item that each API answers. */
  async function answers(client: RawClient): Promise<Record<string, unknown>> {
    const told = ({ errorCode, errorMessage }: { errorCode: number; errorMessage?: string | null }) => `${errorName(errorCode)} ${errorMessage ?? ''}`.trim()
    const named = (rows: readonly { name: string | null; errorCode: number; errorMessage?: string | null }[]) => rows.map((row) => [row.name, told(row)])
    const topic = { numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
    const resources = ['t', 'u'].map((resourceName) => ({ resourceType: 2, resourceName, configs: [{ name: 'retention.ms', value: '1', configOperation: 0 }] }))
    const entity = [{ entityType: 'user', entityName: 'alice' }] // prettier-ignore
    const entries = [{ entity, ops: [{ key: 'producer_byte_rate', value: 1, remove: false }] }] // prettier-ignore
    const acl = { resourceType: 2, resourceName: 't', principal: 'User:a', host: '*', operation: 3, permissionType: 3 }
    const filter = { resourceTypeFilter: 2, resourceNameFilter: 't', patternTypeFilter: 3, principalFilter: null, hostFilter: null, operation: 1, permissionType: 1 }
    const creations = [{ ...acl, resourcePatternType: 3 }]
    const change = { timeoutMs: 1000, validateOnly: false }
    const update = { ...change, featureUpdates: [{ feature: 'group.version', maxVersionLevel: 0, allowDowngrade: false, upgradeType: 2 }] }
    const created = async (version: number) => (await client.call(CreateTopics, version, { ...change, topics: [{ name: 'a', ...topic }, { name: 'b', ...topic }] })).topics
    const configsOf = (rows: readonly { resourceName: string; resourceType: number; errorCode: number; errorMessage: string | null }[]) =>
      rows.map((row) => [row.resourceType, row.resourceName, told(row)])
    return {
      CreateTopics: named(await created(2)),
      'CreateTopics 7': named(await created(7)),
      DeleteTopics: named((await client.call(DeleteTopics, 1, { topicNames: ['t', 'x'], timeoutMs: 1000 })).responses),
      'DeleteTopics 6': named((await client.call(DeleteTopics, 6, { topics: [{ name: 't', topicId: ZERO_UUID }, { name: null, topicId: NO_SUCH_ID }], timeoutMs: 1000 })).responses),
      CreatePartitions: named((await client.call(CreatePartitions, 3, { ...change, topics: [{ name: 't', count: 2, assignments: null }] })).results),
      AlterConfigs: configsOf((await client.call(AlterConfigs, 2, { ...change, resources })).responses),
      IncrementalAlterConfigs: configsOf((await client.call(IncrementalAlterConfigs, 1, { ...change, resources })).responses),
      AlterClientQuotas: (await client.call(AlterClientQuotas, 1, { ...change, entries })).entries.map((row) => [row.entity, told(row)]),
      CreateAcls: (await client.call(CreateAcls, 3, { creations })).results.map(told),
      DeleteAcls: (await client.call(DeleteAcls, 3, { filters: [filter] })).filterResults.map(told),
      AlterUserScramCredentials: (await client.call(AlterUserScramCredentials, 0, { deletions: [{ name: 'bob', mechanism: 1 }], upsertions: [] })).results.map((row) => [row.user, told(row)]),
      UpdateFeatures: told(await client.call(UpdateFeatures, 1, update)),
      Metadata: named((await client.call(Metadata, 9, { topics: [{ name: 'auto', topicId: ZERO_UUID }], allowAutoTopicCreation: true, includeClusterAuthorizedOperations: false, includeTopicAuthorizedOperations: false })).topics),
      InitProducerId: errorName((await client.call(InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 1, producerId: -1n, producerEpoch: -1 })).errorCode),
    }
  }

  /** As Kafka's requests answer an error for all of them. */
  function refusedWith(error: string, text: string, noText = ''): Record<string, unknown> {
    const all = `${error} ${text}`.trim()
    const configs = [[2, 't', all], [2, 'u', all]] // prettier-ignore
    return {
      CreateTopics: [['a', all], ['b', all]],
      'CreateTopics 7': [['a', all], ['b', all]],
      DeleteTopics: [['t', error], ['x', error]],
      'DeleteTopics 6': [['t', error], [null, error]],
      CreatePartitions: [['t', all]],
      AlterConfigs: configs,
      IncrementalAlterConfigs: configs,
      AlterClientQuotas: [[[{ entityType: 'user', entityName: 'alice' }], `${error} ${noText}`]],
      CreateAcls: [all],
      DeleteAcls: [all],
      AlterUserScramCredentials: [['bob', all]],
      UpdateFeatures: all,
      Metadata: [['auto', 'UNKNOWN_TOPIC_OR_PARTITION']],
      InitProducerId: 'COORDINATOR_LOAD_IN_PROGRESS',
    } // prettier-ignore
  }

  const properties = { 'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer', 'allow.everyone.if.no.acl.found': 'true' }
  const TIMED_OUT = 'The request timed out.'

  test('because ten thousand wait: REQUEST_TIMED_OUT, for each of what was asked', async () => {
    const { broker, connect } = await testBroker({ topics: ['t', 'u'], properties })
    const client = await connect()
    let go = (): void => undefined
    const stop = broker.metadata.onChange(() => new Promise<void>((resolve) => (go = resolve)))
    const change: NewRecord = { name: 'ConfigRecord', value: { resourceType: 2, resourceName: 't', name: 'retention.ms', value: '5' } }
    const changes = [broker.metadata.commit([change]), ...Array.from({ length: 9999 }, () => broker.metadata.commit([]))]
    expect(await answers(client)).toEqual(refusedWith('REQUEST_TIMED_OUT', 'Too many changes of metadata wait.', TIMED_OUT))
    stop()
    go()
    await Promise.all(changes)
    expect((await answers(client)).CreatePartitions).toEqual([['t', 'UNKNOWN_TOPIC_OR_PARTITION']])
  })

  test('because the controller stops: REQUEST_TIMED_OUT, which clients try again', async () => {
    const { broker, connect } = await testBroker({ topics: ['t', 'u'], properties })
    const client = await connect()
    await broker.metadata.close()
    expect(await answers(client)).toEqual(refusedWith('REQUEST_TIMED_OUT', 'The controller is shutting down.', TIMED_OUT))
  })

  test('because of a defect: UNKNOWN_SERVER_ERROR, and the text is in the log alone', async () => {
    const { broker, connect, lines } = await testBroker({ topics: ['t', 'u'], properties })
    const client = await connect()
    vi.spyOn(broker.metadata, 'submit').mockRejectedValue(new Error('secret'))
    const { CreateTopics: created, AlterConfigs: altered, DeleteTopics: deleted } = await answers(client)
    expect([created, altered, deleted].flat(2).join()).not.toContain('secret')
    expect([created, deleted]).toEqual([[['a', 'UNKNOWN_SERVER_ERROR'], ['b', 'UNKNOWN_SERVER_ERROR']], [['t', 'UNKNOWN_SERVER_ERROR'], ['x', 'UNKNOWN_SERVER_ERROR']]]) // prettier-ignore
    expect(lines.join('\n')).toContain('CreateTopics version 2 failed: Error: secret')
  })
})
