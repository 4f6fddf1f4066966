// CreateTopics, CreatePartitions, DeleteTopics: each code and text as Apache Kafka 4.3.0 gave it when it was asked the same.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CreatePartitions } from '../../src/protocol/apis/create-partitions.ts'
import { CreateTopics } from '../../src/protocol/apis/create-topics.ts'
import { DeleteTopics } from '../../src/protocol/apis/delete-topics.ts'
import { MetadataImage } from '../../src/broker/metadata/image.ts'
import { ZERO_UUID } from '../../src/protocol/reader.ts'
import type { RequestOf } from '../../src/protocol/schema.ts'
import { testBroker } from '../support/broker.ts'

type NewTopic = Partial<RequestOf<typeof CreateTopics>['topics'][number]> & { readonly name: string }

const NO_SUCH_ID = 'AAAAAAAAAAAAAAAAAAAABQ'

function topic(given: NewTopic) {
  return { numPartitions: 1, replicationFactor: 1, assignments: [], configs: [], ...given }
}

function assigned(...assignments: [partitionIndex: number, ...brokerIds: number[]][]) {
  const rows = assignments.map(([partitionIndex, ...brokerIds]) => ({ partitionIndex, brokerIds }))
  return { name: 'new', numPartitions: -1, replicationFactor: -1, assignments: rows }
}

test('names that collide with each other in one request are all made, as by Apache 4.3; after that they collide', async () => {
  const { broker, connect } = await testBroker()
  const client = await connect()
  const create = async (...names: string[]) => {
    const topics = names.map((name) => topic({ name }))
    const reply = await client.call(CreateTopics, 7, { topics, timeoutMs: 1000, validateOnly: false })
    return reply.topics.map(({ errorMessage }) => errorMessage)
  }
  const drop = (name: string) => client.call(DeleteTopics, 6, { topics: [{ name, topicId: ZERO_UUID }], timeoutMs: 1000 })
  expect(await create('a.b', 'a_b')).toEqual([null, null])
  await drop('a.b')
  expect(await create('a.b')).toEqual(["Topic 'a.b' collides with existing topic: a_b"])
  await drop('a_b')
  expect(await create('a.b', 'a-b', 'ab')).toEqual([null, null, null])
  expect(broker.metadata.image.topicCount).toBe(3)
})

test('nine thousand names with dots are held against nine thousand others in a moment', () => {
  const image = new MetadataImage()
  for (let i = 0; i < 9000; i++) {
    image.replay({ type: 2, version: 0, name: 'TopicRecord', value: { name: `x.${i}`, topicId: String(i) } })
  }
  const begin = performance.now()
  for (let i = 0; i < 9000; i++) expect(image.collidingTopic(`x_${i}`)).toBe(`x.${i}`)
  expect(performance.now() - begin).toBeLessThan(1000) // 2.5 s when each was compared with each
})

describe('CreateTopics refuses', () => {
  const notReplicated =
    'Unable to replicate the partition 2 time(s): The target replication factor of 2 cannot be reached because only 1 broker(s) are registered or some brokers have all their log directories cordoned.'
  const cases: [NewTopic | NewTopic[], number, string][] = [
    [{ name: '' }, 17, 'Topic name is invalid: the empty string is not allowed'],
    [{ name: '.' }, 17, "Topic name is invalid: '.' is not allowed"],
    [{ name: '..' }, 17, "Topic name is invalid: '..' is not allowed"],
    [{ name: 'a b' }, 17, "Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"],
    [{ name: 'x'.repeat(250) }, 17, `Topic name is invalid: the length of '${'x'.repeat(250)}' is longer than the max allowed length 249`],
    [{ name: 'there' }, 36, "Topic 'there' already exists."],
    [{ name: 'with_dot' }, 17, "Topic 'with_dot' collides with existing topic: with.dot"],
    [{ name: '__cluster_metadata' }, 42, 'Creation of internal topic __cluster_metadata is prohibited.'],
    [[{ name: 'twice' }, { name: 'twice' }], 42, 'Duplicate topic name.'],
    [{ name: 'new', numPartitions: 0 }, 37, 'Number of partitions was set to an invalid non-positive value.'],
    [{ name: 'new', numPartitions: -2 }, 37, 'Number of partitions was set to an invalid non-positive value.'],
    [{ name: 'new', replicationFactor: 0 }, 38, 'Replication factor must be larger than 0, or -1 to use the default value.'],
    [{ name: 'new', replicationFactor: 2 }, 38, notReplicated],
    [{ name: 'new', numPartitions: 10_001 }, 44, 'Excessively large number of partitions per request.'],
    [{ ...assigned([0, 1]), replicationFactor: 1 }, 42, 'A manual partition assignment was specified, but replication factor was not set to -1.'],
    [{ ...assigned([0, 1]), numPartitions: 1 }, 42, 'A manual partition assignment was specified, but number of partitions was not set to -1.'],
    [assigned([1, 1]), 39, 'partitions should be a consecutive 0-based integer sequence'],
    [assigned([0, 1], [0, 1]), 39, 'Found multiple manual partition assignments for partition 0'],
    [assigned([0, 9]), 39, 'The manual partition assignment includes broker 9, but no such broker is registered.'],
    [assigned([0]), 39, 'The manual partition assignment includes an empty replica list.'],
    [assigned([0, 1, 1]), 39, 'The manual partition assignment includes the broker 1 more than once.'],
    [{ name: 'new', configs: [{ name: 'retention.ms', value: null }] }, 40, 'Null value not supported for topic configs: retention.ms'],
  ]
  test.each(cases)('%j', async (given, errorCode, errorMessage) => {
    const { broker, connect } = await testBroker({ topics: ['there', 'with.dot'] })
    const client = await connect()
    const topics = [given].flat().map(topic)
    const reply = await client.call(CreateTopics, 7, { topics, timeoutMs: 1000, validateOnly: false })
    expect(reply.topics).toEqual([
      {
        name: topics[0].name,
        topicId: ZERO_UUID,
        errorCode,
        errorMessage,
        topicConfigErrorCode: 0,
        numPartitions: -1,
        replicationFactor: -1,
        configs: [],
      },
    ])
    expect(broker.metadata.image.topicCount).toBe(2)
  })
})

test('CreateTopics makes what it can, says what it made, and leaves it out when it shall only check', async () => {
  const { broker, connect } = await testBroker({ properties: { 'num.partitions': '3' } })
  const client = await connect()
  const configs = [
    { name: 'retention.ms', value: '10' },
    { name: 'cleanup.policy', value: 'compact, delete' },
  ]
  const topics = [topic({ name: 'made', numPartitions: -1, replicationFactor: -1, configs }), topic({ name: 'a b' }), topic(assigned([1, 1], [0, 1]))]
  const check = await client.call(CreateTopics, 7, { topics, timeoutMs: 1000, validateOnly: true })
  expect(check.topics.map(({ errorCode, numPartitions }) => [errorCode, numPartitions])).toEqual([[0, 3], [17, -1], [0, 2]])
  expect(broker.metadata.image.topicCount).toBe(0)

  const reply = await client.call(CreateTopics, 7, { topics, timeoutMs: 1000, validateOnly: false })
  const [made] = reply.topics
  expect(made).toMatchObject({ name: 'made', errorCode: 0, numPartitions: 3, replicationFactor: 1 })
  expect(made.topicId).toBe(broker.metadata.image.topic('made')?.id)
  expect(made.configs?.length).toBe(33)
  expect(made.configs?.map(({ name }) => name)).toEqual(made.configs?.map(({ name }) => name).sort())
  expect(made.configs).toContainEqual({ name: 'retention.ms', value: '10', readOnly: false, configSource: 1, isSensitive: false })
  expect(made.configs).toContainEqual({ name: 'min.insync.replicas', value: '1', readOnly: false, configSource: 3, isSensitive: false })
  expect(broker.metadata.image.topic('new')?.partitions.size).toBe(2)
  // The partitions are there when the reply leaves.
  expect([0, 1, 2].map((index) => broker.partitions.get('made', index).log.logEndOffset)).toEqual([0, 0, 0])
})

test.each([2, 3, 4, 5, 6, 7])('CreateTopics version %i', async (version) => {
  const { connect } = await testBroker()
  const client = await connect()
  const reply = await client.call(CreateTopics, version, { topics: [topic({ name: 'made' })], timeoutMs: 1000, validateOnly: false })
  expect(reply.topics.map(({ errorCode, errorMessage }) => [errorCode, errorMessage])).toEqual([[0, null]])
})

describe('CreatePartitions', () => {
  const cases: [count: number, assignments: number[][] | null, errorCode: number, errorMessage: string | null][] = [
    [1, null, 37, 'The topic there currently has 2 partition(s); 1 would not be an increase.'],
    [2, null, 37, 'Topic already has 2 partition(s).'],
    [-1, null, 37, 'The topic there currently has 2 partition(s); -1 would not be an increase.'],
    [4, [[1]], 39, 'Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.'],
    [3, [], 39, 'Attempted to add 1 additional partition(s), but only 0 assignment(s) were specified.'],
    [3, [[9]], 39, 'The manual partition assignment includes broker 9, but no such broker is registered.'],
    [3, [[1, 1]], 39, 'The manual partition assignment includes the broker 1 more than once.'],
    [3, [[]], 39, 'The manual partition assignment includes an empty replica list.'],
    [2_000_000_000, null, 44, 'Excessively large number of partitions per request.'],
    [3, [[1]], 0, null],
    [5, null, 0, null],
  ]
  test.each(cases)('to %i %j: %i', async (count, brokers, errorCode, errorMessage) => {
    const { broker, connect } = await testBroker({ topics: ['there:2'] })
    const client = await connect()
    const assignments = brokers?.map((brokerIds) => ({ brokerIds })) ?? null
    const topics = [{ name: 'there', count, assignments }]
    for (const validateOnly of [true, false]) {
      const reply = await client.call(CreatePartitions, 3, { topics, timeoutMs: 1000, validateOnly })
      expect(reply.results).toEqual([{ name: 'there', errorCode, errorMessage }])
      const size = broker.metadata.image.topic('there')?.partitions.size
      expect(size).toBe(validateOnly || errorCode !== 0 ? 2 : count)
    }
  })

  test('of unknown topics, and of one twice', async () => {
    const { connect } = await testBroker({ topics: ['there'] })
    const client = await connect()
    const topics = ['nowhere', 'there', 'there'].map((name) => ({ name, count: 3, assignments: null }))
    const reply = await client.call(CreatePartitions, 3, { topics, timeoutMs: 1000, validateOnly: false })
    expect(reply.results).toEqual([
      { name: 'nowhere', errorCode: 3, errorMessage: null },
      { name: 'there', errorCode: 42, errorMessage: 'Duplicate topic name.' },
    ])
  })
})

test('DeleteTopics by name and by id', async () => {
  const { broker, connect, topicId } = await testBroker({ topics: ['one', 'two', 'three'] })
  const client = await connect()
  const [one, two] = [topicId('one'), topicId('two')]
  const { directory } = broker.partitions.get('one', 0).log
  const topics = [
    { name: 'one', topicId: ZERO_UUID },
    { name: null, topicId: two },
    { name: 'nowhere', topicId: ZERO_UUID },
    { name: null, topicId: NO_SUCH_ID },
    { name: null, topicId: ZERO_UUID },
    { name: 'three', topicId: NO_SUCH_ID },
  ]
  const reply = await client.call(DeleteTopics, 6, { topics, timeoutMs: 1000 })
  expect(reply.responses).toEqual([
    { name: 'one', topicId: one, errorCode: 0, errorMessage: null },
    { name: 'two', topicId: two, errorCode: 0, errorMessage: null },
    { name: 'nowhere', topicId: ZERO_UUID, errorCode: 3, errorMessage: 'This server does not host this topic-partition.' },
    { name: null, topicId: NO_SUCH_ID, errorCode: 100, errorMessage: 'This server does not host this topic ID.' },
    { name: null, topicId: ZERO_UUID, errorCode: 42, errorMessage: 'Neither topic name nor id were specified.' },
    { name: 'three', topicId: NO_SUCH_ID, errorCode: 42, errorMessage: 'You may not specify both topic name and topic id.' },
  ])
  expect([...broker.metadata.image.topics()].map(({ name }) => name)).toEqual(['three'])
  expect(existsSync(directory)).toBe(false)
  expect(existsSync(join(broker.store.directory, 'three-0'))).toBe(true)
})

test('DeleteTopics where topics may not be deleted', async () => {
  const { connect } = await testBroker({ topics: ['one'], properties: { 'delete.topic.enable': 'false' } })
  const client = await connect()
  const codes = await Promise.all(
    [1, 2, 3, 5].map(async (version) => (await client.call(DeleteTopics, version, { topicNames: ['one'], timeoutMs: 1 })).responses[0].errorCode),
  )
  expect(codes).toEqual([42, 42, 73, 73])
})
