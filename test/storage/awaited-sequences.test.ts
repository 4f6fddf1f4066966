// Which batch may begin a producer's transaction in a log: the lowest that came, as in Kafka's VerificationStateEntry.

import { expect, test } from 'vitest'
import { KafkaError } from '../../src/protocol/errors.ts'
import { readBatchHeader } from '../../src/protocol/record-batch.ts'
import { AwaitedSequences } from '../../src/storage/awaited-sequences.ts'
import { NOW, batch } from './fixtures.ts'

const PRODUCER = { producerId: 5n, producerEpoch: 3, isTransactional: true }

function answer(awaited: AwaitedSequences, baseSequence: number, isKnown = true): string {
  try {
    awaited.check(readBatchHeader(batch(['a'], { ...PRODUCER, baseSequence }), 0), isKnown, 't-0')
    return 'NONE'
  } catch (error) {
    if (error instanceof KafkaError) return error.error
    throw error
  }
}

function awaiting(...came: readonly (readonly [epoch: number, sequence: number])[]): AwaitedSequences {
  const awaited = new AwaitedSequences()
  for (const [epoch, sequence] of came) awaited.await({ producerId: 5n, epoch, sequence, startsAtZero: false }, NOW)
  return awaited
}

const OUT_OF_ORDER = 'OUT_OF_ORDER_SEQUENCE_NUMBER'

test('the lowest of the newest epoch', () => {
  const rows = [[awaiting(), 9], [awaiting([3, 4]), 4], [awaiting([3, 4], [3, 2]), 2], [awaiting([3, 4], [3, 6]), 4], [awaiting([2, 1], [3, 4]), 4], [awaiting([3, 4], [2, 1]), 4]] as const // prettier-ignore
  for (const [awaited, highest] of rows) {
    expect([answer(awaited, highest), answer(awaited, highest - 1)]).toEqual(['NONE', 'NONE'])
    expect(answer(awaited, highest + 1)).toBe(highest === 9 ? 'NONE' : OUT_OF_ORDER)
  }
})

test('0 where nothing is known of a producer that has a new epoch for each transaction', () => {
  const awaited = new AwaitedSequences()
  awaited.await({ producerId: 5n, epoch: 3, sequence: 2, startsAtZero: true }, NOW)
  expect([answer(awaited, 2, false), answer(awaited, 2, true), answer(awaited, 0, false)]).toEqual([OUT_OF_ORDER, 'NONE', 'NONE'])
})

test('is forgotten when the transaction has begun or ended, and after a while', () => {
  const data = readBatchHeader(batch(['a'], { ...PRODUCER, baseSequence: 0 }), 0)
  const marker = readBatchHeader(batch(['a'], { ...PRODUCER, isControl: true }), 0)
  const plain = readBatchHeader(batch(['a'], { ...PRODUCER, isTransactional: false, baseSequence: 0 }), 0)
  for (const [header, expected] of [[data, 'NONE'], [marker, 'NONE'], [plain, OUT_OF_ORDER]] as const) { // prettier-ignore
    const awaited = awaiting([3, 4])
    awaited.appended(header)
    expect(answer(awaited, 5)).toBe(expected)
  }
  const awaited = awaiting([3, 4])
  awaited.expire(NOW)
  expect(answer(awaited, 5)).toBe(OUT_OF_ORDER)
  awaited.expire(NOW + 1)
  expect(answer(awaited, 5)).toBe('NONE')
})

test('the marker of the transaction before does not count where each has an epoch of its own', () => {
  const awaited = new AwaitedSequences()
  awaited.await({ producerId: 5n, epoch: 3, sequence: 0, startsAtZero: true }, NOW)
  awaited.appended(readBatchHeader(batch(['a'], { ...PRODUCER, isControl: true }), 0))
  expect(answer(awaited, 1)).toBe(OUT_OF_ORDER)
  awaited.appended(readBatchHeader(batch(['a'], { ...PRODUCER, producerEpoch: 4, isControl: true }), 0))
  expect(answer(awaited, 1)).toBe('NONE')
})

test('ten thousand producers at most, the newest', () => {
  const awaited = new AwaitedSequences()
  awaited.await({ producerId: 5n, epoch: 3, sequence: 0, startsAtZero: false }, NOW)
  for (let id = 0; id < 9_999; id++) awaited.await({ producerId: BigInt(1000 + id), epoch: 0, sequence: 0, startsAtZero: false }, NOW)
  expect(answer(awaited, 1)).toBe(OUT_OF_ORDER)
  awaited.await({ producerId: 1n, epoch: 0, sequence: 0, startsAtZero: false }, NOW)
  expect(answer(awaited, 1)).toBe('NONE')
})
