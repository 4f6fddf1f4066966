// Kafka Streams on our broker, two instances: Apache's WordCountDemo over its repartition and changelog topics, as it is, and
// exactly once; and a topology of our own with two of each and a join (java/Totals.java), exactly once. There the broker is
// killed while the group rebalances and while transactions are open, and an instance is killed: the counts of each word or user
// in the output are then 1, 2, 3, … to what a batch computation gives, none missing, none twice.

import { describe, expect, test } from 'vitest'
import { SCALE } from '../support/mortal-broker.ts'
import { java, javaProgram, kcat, tryPeer } from '../support/peers.ts'
import { EXACTLY_ONCE, StreamsApp, type StreamsProgram } from '../support/streams-app.ts'

const MINUTE = 60_000
const KEYS = 1000
const REGIONS = 7

const peer = tryPeer('Apache Kafka', java)
const isThere = peer !== undefined && tryPeer('kcat', kcat) !== undefined

describe.skipIf(!isThere)('Kafka Streams', () => {
  test('two instances of WordCount count as a batch does', { timeout: 20 * MINUTE }, async () => {
    const count = await StreamsApp.prepare(wordCount(), ['commit.interval.ms=500'])
    count.write(WORDS, inputOf(word))
    count.instance('a')
    count.instance('b')
    await count.processed(SCALE.records)
    const last = lastOf(await count.results(COUNTS, isComplete, ...AS_LONG))
    expect(numbers(last)).toEqual(countsInBatch())
    await count.stop()
    count.broker.expectHealthy()
    console.log(`streams, WordCount as it is: ${SCALE.records} records`)
  })

  test('exactly once over the death of the broker and of an instance', { timeout: 40 * MINUTE }, async () => {
    const began = Date.now()
    const count = await StreamsApp.prepare(wordCount(), EXACTLY_ONCE)
    const kills = await count.survive(inputOf(word))
    const results = await count.results(COUNTS, isComplete, ...AS_LONG)
    await count.stop()
    expect(broken(results)).toEqual([])
    expect(numbers(lastOf(results))).toEqual(countsInBatch())
    count.broker.expectHealthy()
    console.log(`streams: ${SCALE.records} records in ${secondsSince(began)} s; kills: ${kills}`)
  })

  test('exactly once through two repartitions, a join and four stores, over the same', { timeout: 40 * MINUTE }, async () => {
    const began = Date.now()
    const totals = await StreamsApp.prepare(totalsProgram(), EXACTLY_ONCE)
    // Both sides of a join need their keys in the same partitions, so those of Java's partitioner.
    totals.write('totals-regions', Array.from({ length: KEYS }, (_, key) => `user${key}\t${regionOf(key)}`), '-K', '\t', '-X', 'partitioner=murmur2_random')
    const kills = await totals.survive(inputOf((at) => `user${keyAt(at)} ${amountAt(at)}`))
    const users = await totals.results('totals-users', isComplete)
    const { byUser, byRegion } = totalsInBatch()
    const isEqual = (lines: readonly string[]) => isSame(lastOf(lines), byRegion)
    await totals.results('totals-output', isEqual)
    await totals.stop()
    expect(broken(users)).toEqual([])
    expect(lastOf(users)).toEqual(byUser)
    // Once all is over, what came out last is still that.
    expect(totals.lines('totals-users').length).toBe(SCALE.records)
    expect(lastOf(totals.lines('totals-output'))).toEqual(byRegion)
    totals.broker.expectHealthy()
    console.log(`streams, Totals: ${SCALE.records} records in ${secondsSince(began)} s; kills: ${kills}`)
  })
})

const WORDS = 'streams-plaintext-input'
const COUNTS = 'streams-wordcount-output'
const AS_LONG = ['-s', 'value=>q']

function wordCount(): StreamsProgram {
  const demo = 'org.apache.kafka.streams.examples.wordcount.WordCountDemo'
  return { peer: [...java(), demo], id: 'wordcount', topics: [WORDS, COUNTS], input: WORDS }
}

function totalsProgram(): StreamsProgram {
  const topics = ['totals-input', 'totals-regions', 'totals-users', 'totals-output']
  return { peer: javaProgram('Totals'), id: 'totals', topics, input: 'totals-input' }
}

function inputOf(line: (at: number) => string): string[] {
  return Array.from({ length: SCALE.records }, (_, at) => line(at))
}

/** Of uneven frequency. */
function keyAt(at: number): number {
  return ((at * at) % 7919) % KEYS
}

const word = (at: number): string => `word${keyAt(at)}`
const amountAt = (at: number): number => (at % 997) + 1
const regionOf = (key: number): string => `region${key % REGIONS}`

function countsInBatch(): Map<string, number> {
  const counts = new Map<string, number>()
  for (let at = 0; at < SCALE.records; at++) counts.set(word(at), (counts.get(word(at)) ?? 0) + 1)
  return counts
}

/** `count sum` of each user and of each region. */
function totalsInBatch(): { byUser: Map<string, string>; byRegion: Map<string, string> } {
  const [byUser, byRegion] = [new Map<string, string>(), new Map<string, string>()]
  const add = (totals: Map<string, string>, key: string, amount: number) => {
    const [count, sum] = (totals.get(key) ?? '0 0').split(' ').map(Number)
    totals.set(key, `${count + 1} ${sum + amount}`)
  }
  for (let at = 0; at < SCALE.records; at++) {
    add(byUser, `user${keyAt(at)}`, amountAt(at))
    add(byRegion, regionOf(keyAt(at)), amountAt(at))
  }
  return { byUser, byRegion }
}

/** A line for each record of the input. */
function isComplete(lines: readonly string[]): boolean {
  return lines.length >= SCALE.records
}

/** The last value of each key, in lines `key value`. */
function lastOf(lines: readonly string[]): Map<string, string> {
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]))
}

function isSame(some: ReadonlyMap<string, string>, others: ReadonlyMap<string, string>): boolean {
  return [...others].every(([key, value]) => some.get(key) === value)
}

function numbers(values: ReadonlyMap<string, string>): Map<string, number> {
  return new Map([...values].map(([key, value]) => [key, Number(value)]))
}

/** The lines `key count …` whose count is not one more than the count before it of the same key. */
function broken(lines: readonly string[]): string[] {
  const last = new Map<string, number>()
  return lines.filter((line) => {
    const [key, value] = line.split(' ')
    const isNext = Number(value) === (last.get(key) ?? 0) + 1
    last.set(key, Number(value))
    return !isNext
  })
}

function secondsSince(began: number): number {
  return Math.round((Date.now() - began) / 1000)
}
