import { afterEach, describe, expect, it } from 'vitest'
import {
  createTopics,
  deleteTopics,
  describeCluster,
  describeTopics,
  listOffsets,
  listTopics,
} from '../../src/client/admin.ts'
import { clientConfig } from '../../src/client/client-config.ts'
import type { Cluster, ConnectOptions } from '../../src/client/cluster.ts'
import { connectCluster } from '../../src/client/kafka-cluster.ts'
import { ConnectError, TimeoutError } from '../../src/client/errors.ts'
import { ApiVersions } from '../../src/protocol/apis/api-versions.ts'
import { CreateTopics } from '../../src/protocol/apis/create-topics.ts'
import { DeleteTopics } from '../../src/protocol/apis/delete-topics.ts'
import { DescribeTopicPartitions } from '../../src/protocol/apis/describe-topic-partitions.ts'
import { Fetch } from '../../src/protocol/apis/fetch.ts'
import { ListOffsets } from '../../src/protocol/apis/list-offsets.ts'
import { Metadata } from '../../src/protocol/apis/metadata.ts'
import { KafkaError, ProtocolError } from '../../src/protocol/errors.ts'
import { encodeResponseFrame } from '../../src/protocol/frames.ts'
import { ZERO_UUID } from '../../src/protocol/reader.ts'
import { startFakeBroker, type FakeBroker } from '../support/fake-broker.ts'

const endings: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

async function broker(nodeId = 1): Promise<FakeBroker> {
  const started = await startFakeBroker(nodeId)
  endings.push(() => started.stop())
  return started
}

/** Brokers 1 to `count` that know of each other. */
async function brokers(count: number): Promise<FakeBroker[]> {
  const started = await Promise.all(Array.from({ length: count }, (_, i) => broker(i + 1)))
  for (const each of started) each.peers = started.filter((other) => other !== each)
  return started
}

async function connect(
  to: readonly FakeBroker[],
  properties: Record<string, string> = {},
  options?: ConnectOptions,
): Promise<Cluster> {
  const servers = to.map(({ port }) => `127.0.0.1:${port}`).join(',')
  const quick = { 'retry.backoff.ms': '5', 'reconnect.backoff.ms': '5', 'default.api.timeout.ms': '3000' }
  const config = await clientConfig(
    new Map(Object.entries({ 'bootstrap.servers': servers, ...quick, ...properties })),
  )
  const cluster = connectCluster(config, options)
  endings.push(() => cluster.close())
  return cluster
}

const failureOf = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => 'no failure', (error: unknown) => error) // prettier-ignore

const offsetsAnswer = (offset: number, errorCode = 0) => ({
  throttleTimeMs: 0,
  topics: [
    { name: 't', partitions: [{ partitionIndex: 0, errorCode, offset, timestamp: -1, leaderEpoch: 0 }] },
  ],
})
const latest = [{ topic: 't', partition: 0, timestamp: -1 }]

describe('versions', () => {
  it('takes the highest that both ends have', async () => {
    const one = await broker()
    one.on(Metadata, () => one.metadataAnswer([]), [4, 9])
    const cluster = await connect([one])
    await cluster.metadata([])
    expect(one.received.map(({ api, version }) => [api, version])).toEqual([['ApiVersions', 4], ['Metadata', 9]]) // prettier-ignore
  })

  it.each([
    ['names the one it knows (2.4 and later)', [{ apiKey: 18, minVersion: 0, maxVersion: 3 }], 3],
    ['names none (before 2.4)', [], 0],
  ])('falls back when a broker %s', async (_, apiKeys, fallback) => {
    const one = await broker()
    one.on(ApiVersions, (_request, { version, socket }) => {
      if (version <= fallback) return one.versionsAnswer()
      // Refusals come in version 0, whatever was asked (KIP-511).
      socket.write(
        Buffer.concat(
          encodeResponseFrame(ApiVersions, 0, 0, {
            errorCode: 35,
            apiKeys,
            throttleTimeMs: 0,
            supportedFeatures: [],
            finalizedFeatures: [],
          }),
        ),
      )
      return 'silence'
    })
    const cluster = await connect([one])
    expect((await cluster.metadata([])).clusterId).toBe('fake')
    expect(one.received.map(({ version }) => version).slice(0, 2)).toEqual([4, fallback])
  })

  it('says which versions there are when none is common, and does not try again', async () => {
    const one = await broker()
    one.on(ListOffsets, () => offsetsAnswer(1), [100, 101])
    const cluster = await connect([one])
    const error = await failureOf(
      cluster.call(ListOffsets, { replicaId: -1, isolationLevel: 0, topics: [], timeoutMs: 0 }),
    )
    expect(error).toBeInstanceOf(KafkaError)
    expect(error).toMatchObject({ error: 'UNSUPPORTED_VERSION' })
    expect((error as Error).message).toContain('100 to 101')
  })
})

describe('calls', () => {
  it('try again after a lost connection', async () => {
    const one = await broker()
    let calls = 0
    one.on(ListOffsets, () => (calls++ === 0 ? 'reset' : offsetsAnswer(5)))
    one.topics.set('t', { partitions: 1 })
    const cluster = await connect([one])
    expect((await listOffsets(cluster, latest))[0].result).toMatchObject({ ok: true, value: { offset: 5 } })
  })

  it('survive a restart of the broker on its port', async () => {
    const one = await broker()
    const cluster = await connect([one])
    await cluster.metadata([])
    const { port } = one
    await one.stop()
    const again = cluster.metadata([], { fresh: true })
    await new Promise((resolve) => setImmediate(resolve))
    const two = await startFakeBroker(1, { port })
    endings.push(() => two.stop())
    expect((await again).brokers).toHaveLength(1)
  })

  it('end at their deadline, whatever the broker does', async () => {
    const one = await broker()
    one.on(Metadata, () => 'silence')
    const cluster = await connect([one], { 'request.timeout.ms': '40' })
    const start = performance.now()
    const error = await failureOf(cluster.metadata([], { timeoutMs: 200 }))
    expect(error).toBeInstanceOf(TimeoutError)
    expect(performance.now() - start).toBeLessThan(1_500)
    expect(one.count(Metadata)).toBeGreaterThan(1)
  })

  it('stop when told', async () => {
    const one = await broker()
    one.on(Metadata, () => 'silence')
    const cluster = await connect([one])
    const abort = new AbortController()
    const failure = failureOf(cluster.metadata([], { signal: abort.signal }))
    await expect.poll(() => one.count(Metadata)).toBe(1)
    abort.abort(new Error('enough'))
    expect(await failure).toMatchObject({ message: 'enough' })
  })

  it('end at once when the cluster is closed', async () => {
    const one = await broker()
    one.on(Metadata, () => 'silence')
    const cluster = await connect([one])
    const failures = [failureOf(cluster.metadata([])), failureOf(cluster.metadata(['t']))]
    await expect.poll(() => one.count(Metadata)).toBeGreaterThan(0)
    const start = performance.now()
    await cluster.close()
    for (const failure of failures) expect(await failure).toMatchObject({ reason: 'closed' })
    expect(performance.now() - start).toBeLessThan(500)
    expect(await failureOf(cluster.metadata([]))).toMatchObject({ reason: 'closed' })
  })

  it.each(['wrongCorrelation' as const, Buffer.from([0, 0, 0, 6, 0, 0, 0, 1, 0, 9])])(
    'do not try again after nonsense (%s)',
    async (what) => {
      const one = await broker()
      one.on(Metadata, () => what)
      const cluster = await connect([one])
      expect(await failureOf(cluster.metadata([]))).toBeInstanceOf(ProtocolError)
      expect(one.count(Metadata)).toBe(1)
    },
  )

  it('keep quiet for as long as the broker asks', async () => {
    const one = await broker()
    let throttleTimeMs = 150
    one.on(ListOffsets, () => ({ ...offsetsAnswer(1), throttleTimeMs }))
    const cluster = await connect([one])
    const ask = () =>
      cluster.call(ListOffsets, { replicaId: -1, isolationLevel: 0, topics: [], timeoutMs: 0 })
    await ask()
    throttleTimeMs = 0
    const start = performance.now()
    await ask()
    expect(performance.now() - start).toBeGreaterThan(100)
  })
})

describe('connections', () => {
  it('fail at once, with the reason, when no server is there', async () => {
    const one = await broker()
    const cluster = await connect([one])
    await one.stop()
    const start = performance.now()
    const error = await failureOf(cluster.metadata([]))
    expect(error).toBeInstanceOf(ConnectError)
    expect(error).toMatchObject({
      reason: 'refused',
      endpoint: cluster.config.bootstrapServers.map(({ port }) => `127.0.0.1:${port}`)[0],
    })
    expect((error as ConnectError).hint).not.toBe('')
    expect(performance.now() - start).toBeLessThan(1_500)
  })

  it('wait for a broker that is still starting, if told to', async () => {
    const placeholder = await broker()
    const { port } = placeholder
    const cluster = await connect([placeholder], {}, { patienceMs: 3_000 })
    await placeholder.stop()
    const metadata = cluster.metadata([])
    await new Promise((resolve) => setImmediate(resolve))
    const late = await startFakeBroker(1, { port })
    endings.push(() => late.stop())
    expect((await metadata).clusterId).toBe('fake')
  })

  it('go to the next bootstrap server', async () => {
    const [dead, alive] = [await broker(), await broker()]
    const cluster = await connect([dead, alive])
    await dead.stop()
    expect((await cluster.metadata([])).clusterId).toBe('fake')
  })

  it('show both addresses when the advertised one leads nowhere', async () => {
    const [one, gone] = [await broker(), await broker()]
    one.advertised = { host: '127.0.0.1', port: gone.port }
    await gone.stop()
    one.topics.set('t', { partitions: 1 })
    const cluster = await connect([one])
    const error = await failureOf(listOffsets(cluster, latest))
    expect(error).toMatchObject({ reason: 'refused' })
    expect((error as Error).message).toContain(`127.0.0.1:${one.port} answers`)
    expect((error as Error).message).toContain(`127.0.0.1:${one.advertised.port}`)
    expect((error as ConnectError).hint).toContain('advertised.listeners')
  })

  it('are one per lane: a long poll holds nothing else up', async () => {
    const one = await broker()
    one.on(Fetch, () => 'silence')
    const cluster = await connect([one])
    await cluster.metadata([])
    const poll = failureOf(
      cluster.send(
        Fetch,
        {
          maxWaitMs: 1,
          minBytes: 1,
          maxBytes: 1,
          isolationLevel: 0,
          topics: [],
          forgottenTopicsData: [],
        },
        { node: 1, lane: 'fetch' },
      ),
    )
    await expect.poll(() => one.count(Fetch)).toBe(1)
    await cluster.metadata([], { fresh: true })
    expect(one.connections).toBe(2)
    await cluster.close()
    await poll
  })

  it('close when nobody used them for connections.max.idle.ms', async () => {
    const one = await broker()
    const cluster = await connect([one], { 'connections.max.idle.ms': '20' })
    await cluster.metadata([])
    await cluster.metadata([], { fresh: true })
    expect(one.connections).toBe(1)
    await expect.poll(async () => { await cluster.metadata([], { fresh: true }); return one.connections }, { timeout: 5_000, interval: 1_200 }).toBe(2) // prettier-ignore
  })
})

describe('metadata', () => {
  it('is asked once, and again when told that it is old', async () => {
    const one = await broker()
    one.topics.set('t', { partitions: 1 })
    const cluster = await connect([one])
    for (let i = 0; i < 3; i++) await cluster.leader('t', 0)
    expect(one.count(Metadata)).toBe(1)
    cluster.invalidate('t')
    await cluster.leader('t', 0)
    expect(one.count(Metadata)).toBe(2)
  })

  it('asks the same question once at a time', async () => {
    const one = await broker()
    one.topics.set('t', { partitions: 9 })
    const cluster = await connect([one])
    await Promise.all(Array.from({ length: 9 }, (_, partition) => cluster.leader('t', partition)))
    expect(one.count(Metadata)).toBe(1)
  })

  it('waits for a leader, and says when there is none', async () => {
    const one = await broker()
    one.topics.set('t', { partitions: 1, leader: -1 })
    const cluster = await connect([one])
    await cluster.metadata([]) // connecting takes its time on a busy machine
    expect(await failureOf(cluster.leader('t', 0, { timeoutMs: 150 }))).toMatchObject({
      error: 'LEADER_NOT_AVAILABLE',
    })
    const leader = cluster.leader('t', 0)
    one.topics.set('t', { partitions: 1, leader: 1, leaderEpoch: 4 })
    expect(await leader).toMatchObject({ node: 1, leaderEpoch: 4 })
  })

  it('does not wait for a topic that is not there', async () => {
    const cluster = await connect([await broker()])
    expect(await failureOf(cluster.leader('nosuch', 0))).toMatchObject({
      error: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
  })

  it('never takes an older leader epoch for news', async () => {
    const [one, two] = await brokers(2)
    one.topics.set('t', { partitions: 1, leader: 2, leaderEpoch: 7 })
    const cluster = await connect([one])
    expect(await cluster.leader('t', 0)).toMatchObject({ node: 2, leaderEpoch: 7 })
    one.topics.set('t', { partitions: 1, leader: 1, leaderEpoch: 6 })
    two.topics.set('t', { partitions: 1, leader: 1, leaderEpoch: 6 })
    cluster.invalidate('t')
    expect(await cluster.leader('t', 0)).toMatchObject({ node: 2, leaderEpoch: 7 })
  })
})

describe('administration', () => {
  it('asks each leader for its own, and again where the leader has moved', async () => {
    const [one, two] = await brokers(2)
    for (const each of [one, two]) each.topics.set('t', { partitions: 1, leader: 1, leaderEpoch: 0 })
    one.on(ListOffsets, () => {
      for (const each of [one, two]) each.topics.set('t', { partitions: 1, leader: 2, leaderEpoch: 1 })
      return offsetsAnswer(-1, 6)
    })
    two.on(ListOffsets, () => offsetsAnswer(42))
    const cluster = await connect([one])
    expect(
      await listOffsets(cluster, [...latest, { topic: 't', partition: 3, timestamp: -1 }]),
    ).toMatchObject([
      { topic: 't', partition: 0, result: { ok: true, value: { offset: 42 } } },
      { topic: 't', partition: 3, result: { ok: false, error: { error: 'UNKNOWN_TOPIC_OR_PARTITION' } } },
    ])
  })

  it('finds the controller again after NOT_CONTROLLER', async () => {
    const [one, two] = await brokers(2)
    const answer = (errorCode: number) => ({
      throttleTimeMs: 0,
      topics: [
        {
          name: 't',
          topicId: ZERO_UUID,
          errorCode,
          errorMessage: null,
          topicConfigErrorCode: 0,
          configs: null,
        },
      ],
    })
    one.on(CreateTopics, () => {
      for (const each of [one, two]) each.controllerId = 2
      return answer(41)
    })
    two.on(CreateTopics, () => answer(0))
    const cluster = await connect([one])
    expect((await createTopics(cluster, [{ name: 't' }])).get('t')).toMatchObject({ ok: true })
  })

  it('puts the pages of a description together', async () => {
    const one = await broker()
    one.on(DescribeTopicPartitions, ({ topics, cursor }) => {
      const topic = topics[0].name
      const partitionIndex = cursor?.partitionIndex ?? 0
      const partition = {
        errorCode: 0,
        partitionIndex,
        leaderId: 1,
        replicaNodes: [1],
        isrNodes: [1],
        offlineReplicas: [],
        eligibleLeaderReplicas: [],
        lastKnownElr: [],
      }
      const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ'
      const next =
        partitionIndex < 2
          ? { topicName: topic, partitionIndex: partitionIndex + 1 }
          : topics.length > 1
            ? { topicName: topics[1].name, partitionIndex: 0 }
            : null
      return {
        throttleTimeMs: 0,
        topics: [{ errorCode: 0, name: topic, topicId, isInternal: false, partitions: [partition] }],
        nextCursor: next,
      }
    })
    const described = await describeTopics(await connect([one]), ['b', 'a'])
    expect([...described.keys()]).toEqual(['b', 'a'])
    for (const result of described.values())
      expect(result.ok && result.value.partitions.map(({ partition }) => partition)).toEqual([0, 1, 2])
  })

  it('does with Metadata what older brokers have no other question for', async () => {
    const one = await broker()
    one.topics.set('t', { partitions: 2 })
    const cluster = await connect([one])
    const described = await describeTopics(cluster, ['t', 'nosuch'])
    expect(described.get('t')).toMatchObject({
      ok: true,
      value: { partitions: [{ partition: 0, eligibleLeaderReplicas: null }, { partition: 1 }] },
    })
    expect(described.get('nosuch')).toMatchObject({
      ok: false,
      error: { error: 'UNKNOWN_TOPIC_OR_PARTITION' },
    })
    expect(await describeCluster(cluster)).toMatchObject({
      clusterId: 'fake',
      brokers: [{ nodeId: 1, isFenced: false }],
    })
    expect((await listTopics(cluster)).map(({ name }) => name)).toEqual(['t'])
  })

  it.each([[[1, 5] as const], [[1, 6] as const]])(
    'deletes by name with versions %j, one result a topic',
    async (versions) => {
      const one = await broker()
      one.on(DeleteTopics, ({ topics, topicNames }, { version }) => {
      const names = version >= 6 ? topics.map(({ name }) => name ?? '') : topicNames
      return { throttleTimeMs: 0, responses: names.map((name) => ({ name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA', errorCode: name === 'a' ? 0 : 3 })) }
    }, versions) // prettier-ignore
      const results = await deleteTopics(await connect([one]), ['a', 'b'])
      expect([...results]).toMatchObject([['a', { ok: true }], ['b', { ok: false, error: { error: 'UNKNOWN_TOPIC_OR_PARTITION' } }]]) // prettier-ignore
    },
  )
})
