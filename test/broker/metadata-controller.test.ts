// The controller on a machine whose power may go: what was committed is there after any restart, through the log or a
// snapshot of it, and ids are never given twice.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { silentLogger } from '../../src/base/logger.ts'
import type { MetadataController } from '../../src/broker/metadata/controller.ts'
import type { MetadataDelta } from '../../src/broker/metadata/delta.ts'
import { ResourceType, type MetadataImage } from '../../src/broker/metadata/image.ts'
import { readMetadata, snapshotsIn } from '../../src/broker/metadata/metadata-reader.ts'
import { openMetadata } from '../../src/broker/metadata/open.ts'
import type { NewRecord } from '../../src/broker/metadata/records.ts'
import { partitionRecords, topicRecords } from '../../src/broker/metadata/topics.ts'
import { randomUuid } from '../../src/base/uuid.ts'
import { KafkaError } from '../../src/protocol/errors.ts'
import { openLogStore, type LogStore } from '../../src/storage/log-store.ts'
import { manualClock } from '../support/manual-clock.ts'
import { SimulatedMachine } from '../support/simulated-disk.ts'

const DIRECTORY = '/data'
const MANY = 1_000_000

interface Node {
  readonly store: LogStore
  readonly metadata: MetadataController
}

async function start({ disk }: SimulatedMachine, snapshotBytes = MANY): Promise<Node> {
  const clock = manualClock()
  const found = readMetadata(disk, DIRECTORY, 1)
  const store = await openLogStore({ directory: DIRECTORY, disk, clock, nodeId: 1, reserveBytes: 0 })
  const endpoints = [{ name: 'PLAINTEXT', protocol: 'PLAINTEXT', host: '127.0.0.1', port: 9092 }] as const
  const options = { store, found, disk, clock, logger: silentLogger, nodeId: 1, endpoints, rack: null, snapshotBytes }
  return { store, metadata: await openMetadata(options) }
}

async function stop({ store, metadata }: Node): Promise<void> {
  await metadata.close()
  await store.close({ brokerEpoch: metadata.brokerEpoch })
}

/** What lasts: everything but who is registered just now. */
function contents(image: MetadataImage): string[] {
  const lasting = [...image.records()].filter(({ name }) => !name.startsWith('Register'))
  return lasting.map((record) => JSON.stringify(record, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))).sort()
}

function config(resourceType: number, resourceName: string, name: string, value: string | null): NewRecord {
  return { name: 'ConfigRecord', value: { resourceType, resourceName, name, value } }
}

async function createTopic({ metadata, store }: Node, name: string, partitions = 1): Promise<string> {
  const topicId = randomUuid()
  await metadata.commit(topicRecords(name, topicId, partitions, { nodeId: 1, directoryId: store.directoryId }))
  return topicId
}

test('a new cluster has the features and configs of a fresh Kafka 4.3 that are implemented, and this node in it', async () => {
  const { metadata, store } = await start(new SimulatedMachine())
  const { image } = metadata
  expect(Object.fromEntries(image.features)).toEqual({
    'metadata.version': 30,
    'eligible.leader.replicas.version': 1,
    'group.version': 1,
    'transaction.version': 2,
  })
  expect([...image.configs(ResourceType.broker, '')]).toEqual([['min.insync.replicas', '1']])
  expect(image.brokers.get(1)).toMatchObject({
    fenced: false,
    logDirs: [store.directoryId],
    cordonedLogDirs: [],
    endPoints: [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 9092, securityProtocol: 0 }],
  })
  // Offsets as documented: LeaderChange, seven bootstrap records, the controller, then the broker under its own offset.
  expect(metadata.brokerEpoch).toBe(9)
})

test('each start has its own epoch, and takes over partitions that lost their leader', async () => {
  const machine = new SimulatedMachine()
  const first = await start(machine)
  const topicId = await createTopic(first, 'orders', 2)
  // As Apache leaves it after a clean stop.
  await first.metadata.commit([
    {
      name: 'PartitionChangeRecord',
      value: { topicId, partitionId: 1, leader: -1, isr: [], eligibleLeaderReplicas: [1], lastKnownElr: [1] },
    },
  ])
  await stop(first)
  const { replay, quorumState } = readMetadata(machine.disk, DIRECTORY, 1)
  expect([replay.epoch, quorumState]).toEqual([1, { leaderEpoch: 1, dataVersion: 0 }])
  expect(replay.image.brokers.get(1)?.fenced).toBe(true)

  const second = await start(machine)
  expect(readMetadata(machine.disk, DIRECTORY, 1).replay.epoch).toBe(2)
  const partitions = second.metadata.image.topic('orders')?.partitions
  expect(partitions?.get(0)).toMatchObject({ leader: 1, leaderEpoch: 0 })
  expect(partitions?.get(1)).toMatchObject({ leader: 1, leaderEpoch: 2, isr: [1], eligibleLeaderReplicas: [], lastKnownElr: [] })
})

test('after an unclean start leader epochs can be raised', async () => {
  const node = await start(new SimulatedMachine())
  const topicId = await createTopic(node, 'orders', 2)
  await node.metadata.raiseLeaderEpochs([{ topicId, partition: 1 }])
  const epochs = [...(node.metadata.image.topic('orders')?.partitions.values() ?? [])].map(({ leaderEpoch }) => leaderEpoch)
  expect(epochs).toEqual([0, 1])
})

test('what one operation checks still holds when it is committed', async () => {
  const node = await start(new SimulatedMachine())
  const create = () =>
    node.metadata.submit((image) => {
      if (image.topic('orders') !== undefined) throw new KafkaError('TOPIC_ALREADY_EXISTS')
      const records = topicRecords('orders', randomUuid(), 1, { nodeId: 1, directoryId: node.store.directoryId })
      return { records, result: 'made' }
    })
  const results = await Promise.allSettled([create(), create(), create()])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
})

test('listeners hear what changed, before the commit is answered', async () => {
  const node = await start(new SimulatedMachine())
  const kept = await createTopic(node, 'kept')
  const doomed = await createTopic(node, 'doomed')
  const deltas: MetadataDelta[] = []
  node.metadata.onChange(async (delta) => {
    await Promise.resolve()
    deltas.push(delta)
  })
  const directoryId = node.store.directoryId
  await node.metadata.commit([
    { name: 'RemoveTopicRecord', value: { topicId: doomed } },
    ...topicRecords('made', randomUuid(), 2, { nodeId: 1, directoryId }),
    config(ResourceType.topic, 'made', 'retention.ms', '1'),
    ...partitionRecords(kept, 1, 2, { nodeId: 1, directoryId }),
    config(ResourceType.topic, 'kept', 'retention.ms', '2'),
    config(ResourceType.broker, '', 'log.retention.ms', '3'),
  ])
  const [{ createdTopics, deletedTopics, changedPartitions, changedConfigs }] = deltas
  expect(createdTopics.map(({ name, partitions }) => [name, partitions.size])).toEqual([['made', 2]])
  expect(deletedTopics.map(({ name, partitions }) => [name, partitions.size])).toEqual([['doomed', 1]])
  expect(changedPartitions.map(({ topic, partition, isNew }) => [topic.name, partition.index, isNew])).toEqual([['kept', 1, true]])
  // A new topic's configs come with it.
  expect(changedConfigs.map(({ resourceName }) => resourceName)).toEqual(['kept', ''])
})

test('producer ids are given once, also when the power goes in between', async () => {
  const machine = new SimulatedMachine()
  const given: bigint[] = []
  for (let life = 0; life < 3; life++) {
    const { metadata } = await start(machine)
    given.push(...(await Promise.all(Array.from({ length: 1500 }, () => metadata.nextProducerId()))))
    machine.restart()
  }
  expect(new Set(given).size).toBe(4500)
  expect(given[0]).toBe(0n)
})

test('a full disk is an error of that commit, and the image stays what the log says', async () => {
  const machine = new SimulatedMachine()
  const node = await start(machine)
  await createTopic(node, 'before')
  machine.capacity = 0
  await expect(createTopic(node, 'during')).rejects.toMatchObject({ error: 'KAFKA_STORAGE_ERROR' })
  expect(node.metadata.image.topic('during')).toBeUndefined()
  machine.capacity = Infinity
  await createTopic(node, 'after')
  machine.restart()
  const { metadata } = await start(machine)
  expect([...metadata.image.topics()].map(({ name }) => name)).toEqual(['before', 'after'])
})

// Commits as users cause them: topics by number, so that they meet.
type Change = { do: 'create' | 'delete' | 'grow' | 'configure' | 'unset' | 'quota'; topic: number; value: number }
type Step = Change | { do: 'restart' | 'cut' }

const steps = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.record({ do: fc.constantFrom('create', 'delete', 'grow', 'configure', 'unset', 'quota'), topic: fc.nat(3), value: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('restart', 'cut') }) },
  ),
  { maxLength: 30 },
)

async function take(node: Node, step: Change): Promise<void> {
  const { metadata, store } = node
  const name = `topic-${step.topic}`
  const topic = metadata.image.topic(name)
  const home = { nodeId: 1, directoryId: store.directoryId }
  switch (step.do) {
    case 'create':
      if (topic === undefined) await createTopic(node, name, step.value + 1)
      return
    case 'delete':
      if (topic !== undefined) await metadata.commit([{ name: 'RemoveTopicRecord', value: { topicId: topic.id } }])
      return
    case 'grow':
      if (topic !== undefined) await metadata.commit(partitionRecords(topic.id, topic.partitions.size, topic.partitions.size + 1 + step.value, home))
      return
    case 'configure':
      if (topic !== undefined) await metadata.commit([config(ResourceType.topic, name, `key.${step.value}`, String(step.value))])
      return
    case 'unset':
      if (topic !== undefined) await metadata.commit([config(ResourceType.topic, name, `key.${step.value}`, null)])
      return
    case 'quota': {
      const entity = [{ entityType: 'user', entityName: name }]
      const value = { entity, key: 'producer_byte_rate', value: step.value, remove: step.value === 0 }
      await metadata.commit([{ name: 'ClientQuotaRecord', value }, { name: 'NoOpRecord', value: {} }])
    }
  }
}

for (const [what, snapshotBytes] of [['through the log', MANY], ['through snapshots', 1500]] as const) {
  test(`any commits are there after any restart, ${what}`, async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const machine = new SimulatedMachine()
        let node = await start(machine, snapshotBytes)
        for (const step of [...script, { do: 'restart' }, { do: 'cut' }] as Step[]) {
          if ('topic' in step) {
            await take(node, step)
            continue
          }
          const before = contents(node.metadata.image)
          if (step.do === 'restart') await stop(node)
          else machine.restart()
          node = await start(machine, snapshotBytes)
          expect(contents(node.metadata.image)).toEqual(before)
        }
        const names = machine.disk.list(`${DIRECTORY}/__cluster_metadata-0`).map((entry) => entry.name)
        expect(snapshotsIn(names).length).toBeLessThanOrEqual(snapshotBytes === MANY ? 0 : 1)
      }),
      { numRuns: 40 },
    )
  })
}

test('power that goes at any operation of a snapshot leaves the metadata whole', async () => {
  for (let cutAt = 1; ; cutAt++) {
    const machine = new SimulatedMachine()
    const node = await start(machine, MANY)
    for (let topic = 0; topic < 5; topic++) await createTopic(node, `topic-${topic}`)
    await stop(node)
    // The second start writes one snapshot soon: with its registration.
    machine.cutAt = machine.operations + cutAt
    let isThrough = true
    try {
      await createTopic(await start(machine, 500), 'last')
    } catch {
      isThrough = false
    }
    machine.cutAt = Infinity
    machine.restart()
    const { metadata } = await start(machine)
    const names = [...metadata.image.topics()].map(({ name }) => name).filter((name) => name !== 'last')
    expect(names).toEqual(['topic-0', 'topic-1', 'topic-2', 'topic-3', 'topic-4'])
    if (isThrough && cutAt > 20) return
  }
})
