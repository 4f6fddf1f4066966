// A broker that answers with nonsense, or with too much of it, against the built `ktool consume` and `ktool produce`:
// one line on stderr, exit 1, 3 or 4, within the time that was given and without eating the machine's memory.

import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BatchBuilder, type BatchOptions } from '../../src/protocol/batch-builder.ts'
import { ApiVersions } from '../../src/protocol/apis/api-versions.ts'
import { Fetch } from '../../src/protocol/apis/fetch.ts'
import { InitProducerId } from '../../src/protocol/apis/init-producer-id.ts'
import { ListOffsets } from '../../src/protocol/apis/list-offsets.ts'
import { Metadata } from '../../src/protocol/apis/metadata.ts'
import { Produce } from '../../src/protocol/apis/produce.ts'
import { prepareCodec } from '../../src/protocol/compression/index.ts'
import { crc32c } from '../../src/kernels/crc32c.ts'
import { startFakeBroker, type FakeBroker } from '../support/fake-broker.ts'
import { main, Sandbox } from './sandbox.ts'

const LIMIT_S = 3 // given to the command
const MEMORY_BYTES = 300 * 1024 * 1024

const sandbox = new Sandbox()
afterAll(() => sandbox.close())
beforeAll(() => prepareCodec('zstd'))

const brokers: FakeBroker[] = []
afterAll(() => Promise.all(brokers.map((broker) => broker.stop())))

/** A good broker with one topic, for a test to spoil. */
async function evilBroker(): Promise<FakeBroker> {
  const evil = await startFakeBroker()
  brokers.push(evil)
  evil.topics.set('t', { partitions: 1 })
  evil.on(ListOffsets, ({ topics: [{ partitions: [{ timestamp }] }] }) => offsets(timestamp === -1 ? 10 : 0))
  evil.on(InitProducerId, () => ({ throttleTimeMs: 0, errorCode: 0, producerId: 1n, producerEpoch: 0 }))
  serve(evil, batch())
  return evil
}

function offsets(offset: number) {
  const partitions = [{ partitionIndex: 0, errorCode: 0, timestamp: -1, offset, leaderEpoch: 0 }]
  return { throttleTimeMs: 0, topics: [{ name: 't', partitions }] }
}

/** Fetch answers with `records`, every time. */
function serve(evil: FakeBroker, records: Buffer, more: { throttleTimeMs?: number; partitionIndex?: number } = {}): void {
  evil.on(Fetch, ({ topics: [{ topicId }] }) => {
    const { throttleTimeMs = 0, partitionIndex = 0 } = more
    const partition = { partitionIndex, errorCode: 0, highWatermark: 10, lastStableOffset: 10, logStartOffset: 0, abortedTransactions: null, records }
    return { throttleTimeMs, errorCode: 0, sessionId: 0, responses: [{ topic: 't', topicId, partitions: [partition] }] }
  })
}

function batch(values: readonly (string | Buffer)[] = ['x'], options: Partial<BatchOptions> = {}): Buffer {
  const builder = new BatchBuilder(1 << 30)
  for (const value of values) builder.append(null, Buffer.from(value), [], 1000)
  return builder.finish({ codec: 'none', ...options })
}

/** `bytes` with a change, and with a CRC to match. */
function altered(bytes: Buffer, change: (bytes: Buffer) => void, fixCrc = true): Buffer {
  const copy = Buffer.from(bytes)
  change(copy)
  if (fixCrc) copy.writeUInt32BE(crc32c(copy, 21, copy.length), 17)
  return copy
}

interface Outcome {
  readonly code: number | null
  readonly stderr: string
  readonly bytes: number
  readonly seconds: number
}

/** The command, and the most memory it had. */
async function outcome(words: readonly string[], input = ''): Promise<Outcome> {
  const begin = performance.now()
  const child = spawn(process.execPath, [main, ...words], { env: sandbox.env, stdio: ['pipe', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
  child.stdin.on('error', () => undefined).end(input)
  let bytes = 0
  const look = setInterval(() => (bytes = Math.max(bytes, peakMemory(child.pid ?? 0))), 20)
  const late = setTimeout(() => child.kill('SIGKILL'), 30_000)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearInterval(look)
  clearTimeout(late)
  return { code, stderr: stderr.trim(), bytes, seconds: (performance.now() - begin) / 1000 }
}

function peakMemory(pid: number): number {
  try {
    return 1024 * Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0)
  } catch {
    return 0 // not Linux, or it has ended
  }
}

/** For answers that are there at once and end the command by what they hold: on a busy machine even such a one takes a while. */
const PATIENCE = 8

function consume(evil: FakeBroker, patience = 1): Promise<Outcome> {
  const limits = { 'default.api.timeout.ms': 2000, 'request.timeout.ms': 1000, 'socket.connection.setup.timeout.ms': 1000 }
  const flags = Object.entries(limits).flatMap(([name, ms]) => ['--command-property', `${name}=${ms * patience}`])
  const words = ['consume', '-b', `127.0.0.1:${evil.port}`, '--topic', 't', '--from-beginning', '--exit-at-end']
  return outcome([...words, '--timeout', `${LIMIT_S * patience}s`, ...flags])
}

function produce(evil: FakeBroker): Promise<Outcome> {
  const properties = ['delivery.timeout.ms=2000', 'request.timeout.ms=1000', 'max.block.ms=2000', 'socket.connection.setup.timeout.ms=1000']
  const flags = properties.flatMap((property) => ['--command-property', property])
  return outcome(['produce', '-b', `127.0.0.1:${evil.port}`, '--topic', 't', ...flags], 'a\nb\n')
}

function expectSaid({ code, stderr, bytes, seconds }: Outcome, text: RegExp, codes: readonly number[] = [1, 3]): void {
  expect(stderr).toMatch(text)
  expect(stderr.split('\n').filter((line) => line.startsWith('ktool: '))).toHaveLength(1)
  expect(stderr).not.toMatch(/^ktool: unexpected|defect|^ {4}at /m)
  expect(codes).toContain(code)
  expect(bytes).toBeLessThan(MEMORY_BYTES)
  expect(seconds).toBeLessThan(LIMIT_S + 12) // many run at once
}

const BATCHES: [string, () => Buffer, RegExp][] = [
  ['a bomb', () => batch([Buffer.alloc(200 * 1024 * 1024)], { codec: 'gzip' }), /more than 67108864 bytes/],
  ['a zstd bomb', () => batch([Buffer.alloc(200 * 1024 * 1024)], { codec: 'zstd' }), /more than 67108864 bytes/],
  ['a wrong checksum', () => altered(batch(), (bytes) => bytes.writeUInt8(7, 66), false), /wrong checksum/],
  ['a negative batch length', () => altered(batch(), (bytes) => bytes.writeInt32BE(-1, 8), false), /./],
  ['a batch length of zero', () => altered(batch(), (bytes) => bytes.writeInt32BE(0, 8), false), /./],
  ['a batch that is cut off', () => batch().subarray(0, 66), /without a whole batch/],
  ['a header that is cut off', () => batch().subarray(0, 30), /without a whole batch/],
  ['magic 1', () => altered(batch(), (bytes) => bytes.writeInt8(1, 16)), /magic 1/],
  ['a codec nobody knows', () => altered(batch(), (bytes) => bytes.writeInt16BE(7, 21)), /compression/],
  ['two thousand million records', () => altered(batch(), (bytes) => bytes.writeInt32BE(2 ** 31 - 1, 57)), /invalid record.* of t-0/],
  ['fewer records than there are', () => altered(batch(['a', 'b']), (bytes) => bytes.writeInt32BE(1, 57)), /invalid record.* of t-0/],
  ['a record of negative length', () => altered(batch(), (bytes) => bytes.writeUInt8(1, 61)), /invalid record.* of t-0/],
  ['a record longer than its batch', () => altered(batch(), (bytes) => bytes.writeUInt8(0x7e, 61)), /invalid record.* of t-0/],
  ['a compressed batch that is none', () => altered(batch(['abcdefghijkl']), (bytes) => bytes.writeInt16BE(1, 21)), /./],
]

const CONCURRENT = { concurrent: true, timeout: 60_000 }

test.each(BATCHES)('consume, given %s', CONCURRENT, async (_name, bytes, text) => {
  const records = bytes() // before any client waits: a bomb takes a while to build
  const evil = await evilBroker()
  serve(evil, records)
  expectSaid(await consume(evil, PATIENCE), text)
})

test('consume, given the same old records for ever', CONCURRENT, async () => {
  const evil = await evilBroker()
  evil.on(ListOffsets, ({ topics: [{ partitions: [{ timestamp }] }] }) => offsets(timestamp === -1 ? 10 : 5))
  serve(evil, batch(['old']))
  expectSaid(await consume(evil, PATIENCE), /asked for offset \d of t-0, the broker sent records that end at/)
})

test('consume, given offsets that go back', CONCURRENT, async () => {
  const evil = await evilBroker()
  serve(evil, Buffer.concat([batch(['a', 'b', 'c'], { baseOffset: 4 }), batch(['d'], { baseOffset: 1 })]))
  expectSaid(await consume(evil, PATIENCE), /asked for offset \d of t-0, the broker sent records that end at/)
})

test.each([
  ['nothing', (evil) => serve(evil, Buffer.alloc(0))],
  ['another partition than asked', (evil) => serve(evil, batch(), { partitionIndex: 7 })],
  ['a throttle of 24 days', (evil) => serve(evil, Buffer.alloc(0), { throttleTimeMs: 2 ** 31 - 1 })],
] as [string, (evil: FakeBroker) => void][])('consume, given %s for ever, stops at its time-out', CONCURRENT, async (_name, script) => {
  const evil = await evilBroker()
  script(evil)
  expectSaid(await consume(evil), /./, [4])
})

/** An answer as bytes: the frame's length, as said, and the start of it. */
const frame = (length: number, rest: Buffer) => {
  const head = Buffer.alloc(4)
  head.writeInt32BE(length)
  return Buffer.concat([head, rest])
}
const FRAMES: [string, Buffer | 'close' | 'wrongCorrelation'][] = [
  ['of 2^31-1 bytes', frame(2 ** 31 - 1, Buffer.alloc(1 << 20))],
  ['of negative length', frame(-5, Buffer.alloc(10))],
  ['of no bytes', frame(0, Buffer.alloc(0))],
  ['to another question', 'wrongCorrelation'],
  ['of which half comes', frame(1000, Buffer.alloc(500))],
  ['that is a closed connection', 'close'],
]
const PAIRS = FRAMES.flatMap(([name, answer]) => [ApiVersions, Metadata, Fetch].map((api) => [api.name, name, api, answer] as const))

test.each(PAIRS)('consume, given a %s answer %s', CONCURRENT, async (_api, _name, api, answer) => {
  const evil = await evilBroker()
  evil.on(api as typeof Fetch, () => answer)
  expectSaid(await consume(evil), /./, [1, 3, 4])
})

test.each(FRAMES)('produce, given an answer %s', CONCURRENT, async (_name, answer) => {
  const evil = await evilBroker()
  evil.on(Produce, () => answer)
  expectSaid(await produce(evil), /./)
})

const HOSTS = ['../x', '', 'x'.repeat(300), '127.0.0.1\u0000', '\u001b[31mred'] as const
test.each(HOSTS)('a leader at %j', CONCURRENT, async (host) => {
  const evil = await evilBroker()
  evil.advertised = { host, port: evil.port }
  for (const answer of await Promise.all([consume(evil), produce(evil)])) {
    expectSaid(answer, /./, [1, 3, 4])
    expect(answer.stderr).not.toContain('\u001b')
  }
})

test.each([-1, 65_536])('a leader at port %d', CONCURRENT, async (port) => {
  const evil = await evilBroker()
  evil.advertised = { host: '127.0.0.1', port }
  for (const answer of await Promise.all([consume(evil), produce(evil)])) expectSaid(answer, /./, [1, 3, 4])
})

test.each([
  ['a throttle of 24 days', { throttleTimeMs: 2 ** 31 - 1 }, {}, [0]],
  ['an error code nobody knows', {}, { errorCode: 9999 }, [1]],
  ['another partition than sent', {}, { index: 9 }, [1, 3]],
] as const)('produce, answered with %s', CONCURRENT, async (_name, response, partition, codes) => {
  const evil = await evilBroker()
  evil.on(Produce, () => {
    const partitionResponses = [{ index: 0, errorCode: 0, baseOffset: 0, ...partition }]
    return { responses: [{ name: 't', topicId: evil.metadataAnswer().topics[0].topicId, partitionResponses }], throttleTimeMs: 0, ...response }
  })
  const answer = await produce(evil)
  if (answer.code === 0) expect(answer.stderr).toBe('')
  else expectSaid(answer, /./, codes)
  expect(codes).toContain(answer.code)
})
