// What brokers of others were caught by, thirty-eight things: each has a test, here or where it belongs. The first test is
// the list, and fails when one of them has lost its test.

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { ApiVersions } from '../../src/protocol/apis/api-versions.ts'
import { CreateTopics } from '../../src/protocol/apis/create-topics.ts'
import { DeleteRecords } from '../../src/protocol/apis/delete-records.ts'
import { Fetch } from '../../src/protocol/apis/fetch.ts'
import { ListOffsets } from '../../src/protocol/apis/list-offsets.ts'
import { Metadata } from '../../src/protocol/apis/metadata.ts'
import { UpdateFeatures } from '../../src/protocol/apis/update-features.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { ZERO_UUID } from '../../src/protocol/reader.ts'
import { testBroker } from '../support/broker.ts'

// prettier-ignore
const TRAPS: readonly (readonly [trap: string, file: string, test: string])[] = [
  ['ApiVersions says that Produce begins at 0', 'broker/router', 'lists what is served; Produce from 0 on'],
  ['ApiVersions of an unknown version: 35 in version 0 with key 18 alone', 'broker/router', 'of a version that is not there is answered in version 0 with its own range alone'],
  ['the header of an ApiVersions answer is never flexible', 'protocol/frames', 'has header tags in flexible versions, except that of ApiVersions'],
  ['an API that is not served closes the connection', 'broker/router', '%s closes its connection, with one line'],
  ['acks=0 has no answer', 'broker/produce', 'with acks=0 there is none, and those around it are not disturbed'],
  ['acks=0 and an error: the connection ends', 'broker/produce', 'with acks=0 an error closes the connection'],
  ['a duplicate is answered with its first offset', 'storage/producers', 'takes the next, answers a retry of the last five with the original offsets, refuses a gap'],
  ['base offset and leader epoch are outside of the checksum', 'protocol/record-batch', 'offset and leader epoch leave the checksum right'],
  ['timestamps are inside of it', 'protocol/record-batch', 'the append time becomes the time of every record, and the checksum follows'],
  ['a fetch into a batch gets all of it', 'broker/fetch', 'whole batches, from the one that holds the offset'],
  ['the first batch ignores the limits, others must not', 'broker/fetch', 'the first batch however large it is, and no other beyond the limits'],
  ['records are empty, never null', 'broker/traps', 'records that are not there are empty, and not null'],
  ['an error ends the wait of a fetch', 'broker/fetch', 'does not wait where there is an error'],
  ['a leader epoch never goes back', 'broker/metadata-controller', 'after an unclean start leader epochs can be raised'],
  ['a cut log has another leader epoch', 'broker/faults', 'has lost nothing that was acknowledged; the leader epoch is a new one'],
  ['a topic made again has another id, and nothing of the old', 'broker/topic-lives', 'has no records, no configs and no leader epoch of the old one; also after a restart'],
  ['caches go by the topic id', 'broker/topic-lives', 'is not what a fetch session of the old id reads'],
  ['an offset by time is the first at or after it; none is -1 without an error', 'broker/offsets', 'finds the ends, the first record at or after a time, and the latest one'],
  ['read_committed ends at the last stable offset', 'broker/fetch', 'get nothing of an open transaction, and its records once it is committed, without waiting for the deadline'],
  ['aborted transactions are listed that end at or after the offset', 'storage/transactions', 'are listed for every reader whose records they may touch, and only for those'],
  ['InitProducerId over an open transaction fences, aborts and says 51', 'broker/transactions/transactions-api', 'of a producer that is replaced is aborted, and the producer fenced'],
  ['EndTxn 5 gives another epoch, also when nothing is aborted', 'broker/transactions/transactions-api', 'of new clients gives the next epoch, and knows a retry'],
  ['the finalized feature switches transactions, not a range of versions', 'broker/traps', 'a lower transaction.version is said as finalized, and no range changes'],
  ['requireStable: 88', 'broker/groups/groups-api', 'OffsetFetch: trap: requireStable gets 88 while a transaction is about to move the offset'],
  ['MEMBER_ID_REQUIRED from JoinGroup 4 on', 'broker/groups/classic-group', 'a new dynamic member gets 79 with an id, and joins with it'],
  ['a static member is replaced without a rebalance', 'broker/groups/classic-group', 'trap: a known instance is replaced without a rebalance; the old member is fenced'],
  ['skipAssignment in JoinGroup 9', 'broker/groups/classic-group', 'trap: a replaced leader is told to skip the assignment from version 9 on'],
  ['a heartbeat in PreparingRebalance gets 27 and renews the session', 'broker/groups/classic-group', 'heartbeat: 27, and it renews the session'],
  ['a commit in CompletingRebalance gets 27', 'broker/groups/classic-group', 'trap: commit gets 27'],
  ['DescribeGroups of what is not there', 'broker/groups/groups-api', 'DescribeGroups: trap: a group that is not there is Dead, or 69 from version 6 on'],
  ['the protocol type is opaque', 'broker/groups/classic-group', 'trap: the protocol type is opaque (Connect, Schema Registry)'],
  ['DescribeConfigs has all configs, with sources and synonyms', 'broker/configs-api', 'a topic has every config of Kafka 4.3, with its default, type, and a line about it'],
  ['replication factor -1 and partitions -1', 'broker/traps', 'a topic of -1 partitions with -1 replicas has the defaults'],
  ['null is not the empty array', 'broker/traps', 'null asks for everything, an empty array for nothing'],
  ['DeleteRecords stays', 'broker/offsets', 'moves the start, never back, and not beyond the end; it stays moved'],
  ['compaction never touches the active segment', 'storage/compaction', 'of the active segment and above the last stable offset are left alone'],
  ['compaction keeps empty batches of live producers', 'storage/compaction', "keep their last batch's header, so that the next sequence fits after any restart"],
  ['the delete horizon is the base timestamp', 'storage/compaction', 'delete what came before, and go themselves after delete.retention.ms'],
  ['segments roll by the time of records', 'storage/log', 'begins a new one by size, by the age of records and when an index is full'],
  ['the mark of a clean stop goes at the start', 'storage/recovery', 'testNoOpWhenCleanShutdown: nothing is written over and the end is where it was'],
  ['producer ids are given out in blocks that are durable', 'broker/metadata-controller', 'producer ids are given once, also when the power goes in between'],
  ['the hash of a group is Java’s', 'broker/groups/groups-api', 'trap: the hash of a group is Java’s'],
  ['64 bits are 64 bits', 'broker/traps', 'the ends of 64 bits are offsets and times like others'],
  ['a timer longer than 24 days does not fire at once', 'broker/traps', 'what is far away does not happen now'],
  ['requests of a connection are answered in their order', 'broker/connection', 'run one after another, and are answered in order'],
  ['localhost is an IPv6 address, too', 'broker/server', 'localhost is both loopback addresses, on one port'],
  ['one seam for the disk, below all that is durable', 'storage/crash', 'loses nothing that was answered: seeds'],
]

const sources = new Map<string, string>()

test.each(TRAPS)('%s', (_trap, file, name) => {
  const source = sources.get(file) ?? readFileSync(new URL(`../${file}.test.ts`, import.meta.url), 'utf8')
  sources.set(file, source)
  const titles = [...source.matchAll(/\b(?:test|it)(?:\.each[^\n]*|)\(\s*(['"`])((?:(?!\1)[^\\\n]|\\.)*)\1|\]\s*(?:as const)?\)\(\s*(['"`])((?:(?!\3)[^\\\n]|\\.)*)\3/g)]
  expect(titles.some(([, , plain = '', , each = '']) => (plain + each).startsWith(name))).toBe(true)
})

const SOFTWARE = { clientSoftwareName: 'raw', clientSoftwareVersion: '1' }
const FAR = Number.MAX_SAFE_INTEGER

test('records that are not there are empty, and not null', async () => {
  const { connect } = await testBroker({ topics: ['t'] })
  const client = await connect()
  const records = async (topic: string, fetchOffset: number) => {
    const { responses } = await client.call(Fetch, 12, {
      replicaId: -1, maxWaitMs: 0, minBytes: 0, maxBytes: 1000, isolationLevel: 0, sessionId: 0, sessionEpoch: -1,
      topics: [{ topic, topicId: ZERO_UUID, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1000 }] }],
    }) // prettier-ignore
    return responses[0].partitions[0].records
  }
  for (const [topic, offset] of [['t', 0], ['t', 9], ['absent', 0]] as const) expect(await records(topic, offset)).toEqual(Buffer.alloc(0))
})

test('a lower transaction.version is said as finalized, and no range changes', async () => {
  const { connect } = await testBroker()
  const client = await connect()
  const state = async () => {
    const { finalizedFeatures, apiKeys } = await client.call(ApiVersions, 4, SOFTWARE)
    return { level: finalizedFeatures.find(({ name }) => name === 'transaction.version')?.maxVersionLevel ?? 0, apiKeys }
  }
  const before = await state()
  expect(before.level).toBe(2)
  const featureUpdates = [{ feature: 'transaction.version', maxVersionLevel: 1, allowDowngrade: false, upgradeType: 2 }]
  const { errorCode } = await client.call(UpdateFeatures, 1, { timeoutMs: 1000, featureUpdates, validateOnly: false })
  expect(errorName(errorCode)).toBe('NONE')
  expect(await state()).toEqual({ level: 1, apiKeys: before.apiKeys })
})

test('a topic of -1 partitions with -1 replicas has the defaults', async () => {
  const { connect } = await testBroker({ properties: { 'num.partitions': '3' } })
  const topics = [{ name: 't', numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] }]
  const answer = await (await connect()).call(CreateTopics, 7, { topics, timeoutMs: 1000, validateOnly: false })
  expect(answer.topics[0]).toMatchObject({ errorCode: 0, numPartitions: 3, replicationFactor: 1 })
})

test('null asks for everything, an empty array for nothing', async () => {
  const { connect } = await testBroker({ topics: ['t'] })
  const client = await connect()
  const named = async (version: number, topics: [] | null) => {
    const answer = await client.call(Metadata, version, {
      topics, allowAutoTopicCreation: version < 4, includeClusterAuthorizedOperations: false, includeTopicAuthorizedOperations: false,
    }) // prettier-ignore
    return answer.topics.map(({ name }) => name)
  }
  expect(await named(0, [])).toEqual(['t']) // before null was there
  expect(await named(1, [])).toEqual([])
  expect(await named(1, null)).toEqual(['t'])
  expect(await named(12, [])).toEqual([])
  expect(await named(12, null)).toEqual(['t'])
})

test('the ends of 64 bits are offsets and times like others', async () => {
  const { connect } = await testBroker({ topics: ['t'], properties: { 'log.retention.ms': '9223372036854775807', 'log.roll.ms': '9223372036854775807' } })
  const client = await connect()
  for (const timestamp of [FAR, -FAR, 0]) {
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0, timestamp }] }]
    const { topics: [found] } = await client.call(ListOffsets, 5, { replicaId: -1, isolationLevel: 0, topics, timeoutMs: 0 })
    expect(['NONE', 'UNSUPPORTED_VERSION']).toContain(errorName(found.partitions[0].errorCode))
    expect(found.partitions[0].offset).toBe(-1)
  }
  for (const offset of [FAR, -FAR]) {
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0, offset }] }]
    const answer = await client.call(DeleteRecords, 2, { topics, timeoutMs: 2 ** 31 - 1 })
    expect(errorName(answer.topics[0].partitions[0].errorCode)).toBe('OFFSET_OUT_OF_RANGE')
  }
})

test('what is far away does not happen now', async () => {
  let hasFired = false
  const timers = [2 ** 31 - 1, 2 ** 31, 2 ** 32 + 1, FAR, Infinity].map((ms) => systemClock.after(ms, () => (hasFired = true)))
  await new Promise<void>((resolve) => systemClock.after(5, resolve, true))
  timers.forEach((timer) => timer.cancel())
  expect(hasFired).toBe(false)
})
