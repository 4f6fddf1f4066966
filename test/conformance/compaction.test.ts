// Compacted logs with transactions, judged by Apache: what its cleaner leaves opens in ours, cleanly and after a crash, and
// shows the same committed records; what ours leaves its dump tool reads and its broker serves.

import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { prepareCodec } from '../../src/protocol/compression/index.ts'
import { CODECS, readBatchHeader, recordsOf } from '../../src/protocol/record-batch.ts'
import { RecordCursor } from '../../src/protocol/record-cursor.ts'
import { type LogConfig } from '../../src/storage/log-config.ts'
import { openLogStore } from '../../src/storage/log-store.ts'
import type { Log } from '../../src/storage/log.ts'
import { durable, keyed, marker, turn } from '../storage/fixtures.ts'
import { type ApacheBroker, startApache } from './support/apache.ts'
import { kafkaTool, kcat, output, pythonProgram, tryPeer } from './support/peers.ts'

const python = tryPeer('confluent-kafka', () => pythonProgram('transactions'))
const isThere = tryPeer('Apache Kafka', () => kafkaTool('kafka-topics')) !== undefined && tryPeer('kcat', kcat) !== undefined
const CONFIG: LogConfig = { ...durable, cleanupPolicy: new Set(['compact']), segmentBytes: 20_000, minCleanableDirtyRatio: 0, fileDeleteDelayMs: 0 }
const CLEANER = ['log.cleaner.backoff.ms=300', 'log.initial.task.delay.ms=100', 'log.cleaner.min.cleanable.ratio=0.01']

beforeAll(async () => {
  for (const codec of CODECS) await prepareCodec(codec)
})

/** `offset key=value` of every record a reader of committed ones gets; −1 for null. */
function committedOf(log: Log): string[] {
  const lines: string[] = []
  const { lastStableOffset: until } = log
  const aborted = log.abortedTransactions(0, until)
  for (let next = log.logStartOffset; ; ) {
    const bytes = log.read(next, 1 << 20, { atLeastOneBatch: true, until })
    if (bytes.length === 0) return lines
    for (let at = 0; at < bytes.length; ) {
      const header = readBatchHeader(bytes, at)
      const cursor = new RecordCursor(header, recordsOf(bytes, at, header, 1 << 26))
      const isAborted = header.isTransactional && aborted.some((each) => each.producerId === header.producerId && each.firstOffset <= header.baseOffset && header.baseOffset < each.lastOffset)
      while (cursor.next()) {
        if (header.isControl || isAborted) continue
        lines.push(`${cursor.offset} ${cursor.key()?.toString()}=${cursor.valueStart < 0 ? -1 : cursor.valueEnd - cursor.valueStart}`)
      }
      at += header.size
      next = header.baseOffset + header.lastOffsetDelta + 1
    }
  }
}

function committedOfApache({ address }: ApacheBroker, topic: string): string[] {
  const args = ['-C', '-b', address, '-t', topic, '-p', '0', '-e', '-q', '-f', '%o %k=%S\n', '-X', 'isolation.level=read_committed', '-X', 'check.crcs=true']
  return output(kcat(), args).split('\n').slice(0, -1)
}

/** Keys in and out of transactions, in every codec, over many segments. */
async function write(log: Log): Promise<void> {
  let sequence = 0
  for (let round = 0; round < 300; round++) {
    const producer = { producerId: 4_000_000n, producerEpoch: 0 }
    const records = Array.from({ length: 6 }, (_, n) => [`k${(round * 6 + n) % 50}`, (round + n) % 11 === 0 ? null : `${round} ${'-'.repeat(200)}`, Date.now()] as const)
    const isTransactional = round % 4 !== 0
    const of = isTransactional ? { ...producer, baseSequence: sequence, isTransactional } : {}
    log.append(keyed(records, { codec: CODECS[round % CODECS.length], ...of }), 'client')
    if (isTransactional) {
      sequence += records.length
      log.append(marker(round % 3 === 0 ? 'abort' : 'commit', producer, { timestamp: Date.now() }), 'coordinator')
    }
    if (round % 20 === 0) await log.safe(log.logEndOffset)
  }
  await log.safe(log.logEndOffset)
  while (log.recoveryPoint < (log.cleanable().segments.at(-1)?.endOffset ?? 0)) await turn()
}

test.skipIf(!isThere || python === undefined)('compacted logs go back and forth between Apache and ours', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ktool-compaction-'))
  let apache = await startApache({ directory, properties: CLEANER })
  onTestFinished(async () => {
    await apache.stop()
    rmSync(directory, { recursive: true, force: true })
  })
  const data = join(directory, 'data')
  for (const topic of ['theirs', 'ours']) {
    const config = ['--config', 'cleanup.policy=compact', '--config', 'segment.bytes=1048576']
    output(kafkaTool('kafka-topics'), ['--bootstrap-server', apache.address, '--create', '--topic', topic, ...config])
  }
  output(python ?? [''], [apache.address, 'theirs', '100'])
  const checkpoint = () => /^theirs 0 (\d+)$/m.exec(readFileSync(join(data, 'cleaner-offset-checkpoint'), 'utf8'))?.[1]
  for (let tries = 0; Number(await Promise.resolve().then(checkpoint).catch(() => 0)) < 10_000 && tries < 300; tries++) await delay(100)
  await delay(1000)
  const theirs = committedOfApache(apache, 'theirs')
  expect(Number(theirs[0].split(' ')[0])).toBeGreaterThan(100) // it was compacted
  const copy = join(directory, 'copy')
  cpSync(data, copy, { recursive: true, filter: (path) => !path.endsWith('.lock') })
  await apache.stop()

  let oursCommitted: string[] = []
  for (const at of [copy, data]) {
    rmSync(join(at, 'cleaner-offset-checkpoint')) // so that ours goes over all of it again
    const store = await openLogStore({ directory: at, nodeId: 1 })
    expect(store.wasClean).toBe(at === data)
    for (const { topic, partition, topicId } of store.unopened()) {
      if (topic !== 'theirs' && topic !== 'ours') continue
      const log = await store.openLog(topic, partition, topicId ?? '', CONFIG)
      expect(log.failure).toBeUndefined()
      if (topic === 'theirs') {
        expect(committedOf(log)).toEqual(theirs)
        if (at === copy) expect(log.describeProducers().some(({ currentTransactionStartOffset }) => currentTransactionStartOffset >= 0)).toBe(true)
        expect(log.abortedTransactions(0, Number.MAX_SAFE_INTEGER).length).toBeGreaterThan(0)
        const keys = new Set(theirs.map((line) => line.split('=')[0].split(' ').slice(1).join(' ')))
        // Ours goes over what Apache's has cleaned: the last of each key stays.
        const before = new Map(theirs.map((line) => [line.split(' ').slice(1).join(' ').split('=')[0], line]))
        expect(await store.cleaner.cleanDirtiest([log], 1 << 22)).toBe(true)
        const after = new Map(committedOf(log).map((line) => [line.split(' ').slice(1).join(' ').split('=')[0], line]))
        expect(new Set(after.keys())).toEqual(keys)
        expect([...after.values()].sort()).toEqual([...before.values()].sort())
      } else if (at === data) {
        await write(log)
        const { sizeBytes } = log
        expect(await store.cleaner.cleanDirtiest([log], 1 << 22)).toBe(true)
        expect(log.sizeBytes).toBeLessThan(sizeBytes / 3)
        await writeAgain(log)
        expect(await store.cleaner.cleanDirtiest([log], 1 << 22)).toBe(true)
        oursCommitted = committedOf(log)
        expect(new Set(oursCommitted.map((line) => line.split(' ')[1].split('=')[0])).size).toBe(50)
      }
    }
    if (at === data) theirs.splice(0, theirs.length, ...[...store.logs()].flatMap((log) => (log.topic === 'theirs' ? committedOf(log) : [])))
    await store.close()
  }

  for (const topic of ['ours', 'theirs']) {
    const at = join(data, `${topic}-0`)
    const dump = (suffix: string, ...args: string[]) => {
      const files = readdirSync(at).filter((name) => name.endsWith(suffix)).map((name) => join(at, name))
      return files.length === 0 ? '' : output(kafkaTool('kafka-dump-log'), ['--files', files.join(','), ...args])
    }
    const log = dump('.log', '--deep-iteration')
    expect(new Set(log.match(/isvalid: \w+/g))).toEqual(new Set(['isvalid: true']))
    expect(log).toMatch(/deleteHorizonMs: (OptionalLong\[)?\d+/)
    expect(dump('.index', '--index-sanity-check')).toMatch(/passed sanity check/)
    for (const suffix of ['.index', '.timeindex']) expect(dump(suffix)).not.toMatch(/mismatch|Found/i)
    if (topic === 'ours') expect(dump('.txnindex')).toMatch(/version: 0 producerId: 4000000 firstOffset: \d+ lastOffset: \d+ lastStableOffset: \d+/)
    expect(dump('.snapshot')).toMatch(/producerId: \d+/)
  }

  apache = await startApache({ directory, properties: ['log.cleaner.enable=false'] })
  expect(committedOfApache(apache, 'ours')).toEqual(oursCommitted)
  expect(committedOfApache(apache, 'theirs')).toEqual(theirs)
})

/** A second round, so that the second compaction finds horizons and spent markers. */
async function writeAgain(log: Log): Promise<void> {
  for (let round = 0; round < 150; round++) {
    log.append(keyed(Array.from({ length: 6 }, (_, n) => [`k${(round * 6 + n) % 20}`, `again ${'-'.repeat(100)}`, Date.now()] as const)), 'client')
  }
  await log.safe(log.logEndOffset)
  while (log.recoveryPoint < (log.cleanable().segments.at(-1)?.endOffset ?? 0)) await turn()
}
