// Fetch sessions as a client and the cache's owner see them (KIP-227).

import { describe, expect, test } from 'vitest'
import { FetchSessions, type FetchRow } from '../../src/broker/fetch-sessions.ts'
import { Fetch } from '../../src/protocol/apis/fetch.ts'
import { KafkaError } from '../../src/protocol/errors.ts'
import { ZERO_UUID } from '../../src/protocol/reader.ts'
import type { RequestOf } from '../../src/protocol/schema.ts'
import { manualClock } from '../support/manual-clock.ts'

function request(
  sessionId: number,
  sessionEpoch: number,
  partitions: readonly (readonly [topic: string, index: number, offset: number])[] = [],
  forgotten: readonly (readonly [topic: string, index: number])[] = [],
): RequestOf<typeof Fetch> {
  const topics = partitions.map(([topic, partition, fetchOffset]) => ({
    topic,
    topicId: ZERO_UUID,
    partitions: [{ partition, fetchOffset, partitionMaxBytes: 1000 }],
  }))
  const codec = Fetch.request.codec(12)
  return codec.decodeAll(
    codec.encodeAll({
      replicaId: -1, maxWaitMs: 0, minBytes: 1, sessionId, sessionEpoch, topics,
      forgottenTopicsData: forgotten.map(([topic, index]) => ({ topic, topicId: ZERO_UUID, partitions: [index] })),
    }),
  ) // prettier-ignore
}

function row(index: number, highWatermark: number, text = '', errorCode = 0): FetchRow {
  const lastStableOffset = highWatermark
  const records = Buffer.from(text)
  return { partitionIndex: index, errorCode, highWatermark, lastStableOffset, logStartOffset: 0, abortedTransactions: null, records }
}

const nameless = () => undefined

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof KafkaError) return error.error
    throw error
  }
  return 'NONE'
}

describe('a session', () => {
  test('shows all at first, then only what has records, errors, or moved', () => {
    const sessions = new FetchSessions(manualClock(), 10, nameless)
    const full = sessions.begin(request(0, 0, [['a', 0, 0], ['a', 1, 0]]), 12) // prettier-ignore
    const { sessionId, shown } = full.finish([row(0, 5), row(1, 5)])
    expect(sessionId).toBeGreaterThan(0)
    expect(shown).toEqual([0, 1])

    const second = sessions.begin(request(sessionId, 1), 12)
    expect(second.targets.map(({ index }) => index)).toEqual([0, 1])
    expect(second.finish([row(0, 5), row(1, 5)])).toEqual({ sessionId, shown: [] })

    const third = sessions.begin(request(sessionId, 2), 12)
    expect(third.finish([row(0, 5, 'records'), row(1, 6)])).toEqual({ sessionId, shown: [0, 1] })

    // Whoever got records is read last the next time.
    const fourth = sessions.begin(request(sessionId, 3, [['b', 7, 3]]), 12)
    expect(fourth.targets.map(({ topic, index }) => `${topic}${index}`)).toEqual(['a1', 'a0', 'b7'])
    expect(fourth.finish([row(1, -1, '', 3), row(0, 5), row(7, 0)]).shown).toEqual([0, 2])
    // An error is followed by the partition's state, changed or not.
    const fifth = sessions.begin(request(sessionId, 4, [], [['b', 7]]), 12)
    expect(fifth.finish([row(1, 6), row(0, 5)]).shown).toEqual([0])
  })

  test('takes new offsets for partitions it knows', () => {
    const sessions = new FetchSessions(manualClock(), 10, nameless)
    const { sessionId } = sessions.begin(request(0, 0, [['a', 0, 0]]), 12).finish([row(0, 5)])
    expect(sessions.begin(request(sessionId, 1, [['a', 0, 42]]), 12).targets[0].fetchOffset).toBe(42)
  })

  test('ends when it has no partitions left, or is asked to', () => {
    const sessions = new FetchSessions(manualClock(), 10, nameless)
    const first = sessions.begin(request(0, 0, [['a', 0, 0]]), 12).finish([row(0, 5)]).sessionId
    expect(sessions.begin(request(first, 1, [], [['a', 0]]), 12).finish([])).toEqual({ sessionId: 0, shown: [] })
    const second = sessions.begin(request(0, 0, [['a', 0, 0]]), 12).finish([row(0, 5)]).sessionId
    expect(sessions.begin(request(second, -1, [['a', 0, 0]]), 12).finish([row(0, 5)])).toEqual({ sessionId: 0, shown: [0] })
    expect(sessions.count).toBe(0)
  })

  test('is told by its code what is wrong', () => {
    const sessions = new FetchSessions(manualClock(), 10, nameless)
    const { sessionId } = sessions.begin(request(0, 0, [['a', 0, 0]]), 12).finish([row(0, 5)])
    expect(codeOf(() => sessions.begin(request(sessionId + 1, 1), 12))).toBe('FETCH_SESSION_ID_NOT_FOUND')
    expect(codeOf(() => sessions.begin(request(sessionId, 2), 12))).toBe('INVALID_FETCH_SESSION_EPOCH')
    expect(codeOf(() => sessions.begin(request(sessionId, 1), 13))).toBe('FETCH_SESSION_TOPIC_ID_ERROR')
    expect(codeOf(() => sessions.begin(request(sessionId, 1), 12))).toBe('NONE')
  })

  test('is not made when the cache is full of young ones, and takes the place of an old one', () => {
    const clock = manualClock()
    const sessions = new FetchSessions(clock, 2, nameless)
    const open = () => sessions.begin(request(0, 0, [['a', 0, 0]]), 12).finish([row(0, 5)]).sessionId
    const first = open()
    open()
    expect(open()).toBe(0)
    clock.advance(100_000)
    sessions.begin(request(first, 1), 12).finish([row(0, 5)])
    clock.advance(30_000)
    expect(open()).toBeGreaterThan(0)
    expect(sessions.count).toBe(2)
    expect(codeOf(() => sessions.begin(request(first, 2), 12))).toBe('NONE')
  })

  test('what does not fit leaves a session as it was, and the count of all partitions right', () => {
    const sessions = new FetchSessions(manualClock(), 10, nameless)
    const many = (topic: string, count: number): [string, number, number][] => Array.from({ length: count }, (_, index) => [topic, index, 0])
    const { sessionId } = sessions.begin(request(0, 0, [['a', 0, 0]]), 12).finish([row(0, 5)])
    expect(codeOf(() => sessions.begin(request(sessionId, 1, many('a', 100_001)), 12))).toBe('FETCH_SESSION_ID_NOT_FOUND')
    expect(sessions.begin(request(sessionId, 1, many('b', 99_999)), 12).targets).toHaveLength(100_000)
    expect(codeOf(() => sessions.begin(request(sessionId, 2, [['c', 0, 0]]), 12))).toBe('FETCH_SESSION_ID_NOT_FOUND')
  })

  test('without a session every partition is shown', () => {
    const sessions = new FetchSessions(manualClock(), 10, nameless)
    expect(sessions.begin(request(0, -1, [['a', 0, 0]]), 12).finish([row(0, 5)])).toEqual({ sessionId: 0, shown: [0] })
    expect(request(0, -1, [['a', 0, 0]]).topics[0].topicId).toBe(ZERO_UUID)
  })
})
