// The end of data is a position: neither a broker that takes its time, nor a log whose last offsets hold nothing that is printed,
// makes a reader stop early or wait for ever. On the built bin with a broker, and on the verb where time must be moved by hand.

import { Writable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { StreamSink } from '../../src/cli/formats/byte-sink.ts'
import { textFormat } from '../../src/cli/formats/record-format.ts'
import { consumeTopic } from '../../src/cli/verbs/consume.ts'
import { crc32c } from '../../src/kernels/crc32c.ts'
import { Fetch } from '../../src/protocol/apis/fetch.ts'
import { ListOffsets } from '../../src/protocol/apis/list-offsets.ts'
import { startFakeBroker } from '../support/fake-broker.ts'
import { FakeCluster } from '../support/fake-cluster.ts'
import { manualClock } from '../support/manual-clock.ts'
import { batchOf, RawClient } from '../support/raw-client.ts'
import { TransactionClient } from '../support/transaction-client.ts'
import { Sandbox } from './sandbox.ts'

const box = new Sandbox()
let address = ''
let raw: RawClient

const port = () => Number(address.split(':').at(-1))
const read = async (line: string) => {
  const { stdout, stderr, code } = await box.run(['consume', ...line.split(' ')])
  expect(code, stderr).toBe(0)
  return stdout.split('\n').slice(0, -1)
}

async function transactional(topic: string): Promise<TransactionClient> {
  expect((await box.run(['topics', 'create', topic])).code).toBe(0)
  const client = new TransactionClient(raw, `id of ${topic}`)
  expect(await client.init()).toBe('NONE')
  return client
}

/** A batch that the cleaner has left without records, to keep its last offset. */
function emptied(values: readonly string[]): Buffer {
  const bytes = Buffer.from(batchOf(values).subarray(0, 61))
  bytes.writeInt32BE(61 - 12, 8)
  bytes.writeInt32BE(0, 57)
  bytes.writeUInt32BE(crc32c(bytes, 21, bytes.length), 17)
  return bytes
}

async function reading(broker: FakeCluster, clock = manualClock()) {
  let text = ''
  const out = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString()
      done()
    },
  })
  const signal = new AbortController().signal
  const common = { topic: 't', start: { at: 'beginning' }, isolation: 'read_uncommitted', untilEnd: true, signal } as const
  const result = await consumeTopic(await broker.cluster(), { ...common, format: textFormat(new Map()), sink: new StreamSink(out) }, clock)
  return { ...result, text }
}

describe('a slow broker', () => {
  it('is waited for, however long each of its answers takes', async () => {
    const broker = new FakeCluster(2)
    for (const value of ['a', 'b', 'c']) broker.append(0, batchOf([value]))
    broker.append(1, batchOf(['d']))
    const clock = manualClock()
    const answers: (() => void)[] = []
    let isOver = false
    broker.beforeFetched = () => new Promise((resolve) => answers.push(resolve))
    const result = reading(broker, clock).finally(() => (isOver = true))
    do {
      await vi.waitFor(() => expect(answers.length).toBeGreaterThan(0))
      clock.advance(600_000)
      expect(isOver).toBe(false)
      for (const answer of answers.splice(0)) answer()
      await vi.waitFor(() => expect(isOver || answers.length > 0).toBe(true))
    } while (answers.length > 0)
    const { reason, messages, text } = await result
    expect([reason, messages, text.split('\n').sort()]).toEqual(['end', 4, ['', 'a', 'b', 'c', 'd']])
  })

  it('may have nothing to say many times over', async () => {
    const slow = await startFakeBroker()
    slow.topics.set('t', { partitions: 1 })
    slow.on(ListOffsets, ({ topics: [{ partitions: [{ timestamp }] }] }) => {
      const partitions = [{ partitionIndex: 0, errorCode: 0, timestamp: -1, offset: timestamp === -1 ? 2 : 0, leaderEpoch: 0 }]
      return { throttleTimeMs: 0, topics: [{ name: 't', partitions }] }
    })
    let fetches = 0
    slow.on(Fetch, ({ topics: [{ topicId, partitions: [{ fetchOffset }] }] }) => {
      fetches++
      const records = fetches % 20 === 0 ? batchOf([`at ${fetchOffset}`], { baseOffset: fetchOffset }) : Buffer.alloc(0)
      const partition = { partitionIndex: 0, errorCode: 0, highWatermark: 2, lastStableOffset: 2, logStartOffset: 0, abortedTransactions: null, records }
      return { throttleTimeMs: 0, errorCode: 0, sessionId: 0, responses: [{ topic: 't', topicId, partitions: [partition] }] }
    })
    const { stdout, code } = await box.run(['consume', 't', '-b', `127.0.0.1:${slow.port}`, '--from-beginning', '-e'])
    await slow.stop()
    expect([stdout, code, fetches]).toEqual(['at 0\nat 1\n', 0, 40])
  })
})

describe('a log whose last offsets hold no record', () => {
  beforeAll(async () => {
    address = await box.broker('--ephemeral', '--property', 'log.cleaner.backoff.ms=20', '--property', 'group.initial.rebalance.delay.ms=0')
    raw = await RawClient.open(port())
  }, 60_000)
  afterAll(() => {
    raw.close()
    box.close()
  })

  it('ends behind the marker of a committed transaction', async () => {
    const client = await transactional('committed')
    await client.send('committed', ['a', 'b'])
    expect(await client.end(true)).toBe('NONE')
    expect((await box.run(['offsets', 'committed'])).stdout).toMatch(/committed +0 +0 +3\n/) // the marker has the last offset
    for (const how of ['--from-beginning -e', '-o :end', '--last 3', '-g readers --from-beginning -e', '-g other --from-beginning --no-commit -e', '-o :end --isolation-level read_committed']) {
      expect(await read(`committed ${how}`), how).toEqual(['a', 'b'])
    }
    expect(await read('committed --last 1')).toEqual([])
    expect(await read('committed -g readers -e')).toEqual([]) // it has committed the marker's offset
  })

  it('ends behind an aborted transaction, whether its records count or not', async () => {
    const client = await transactional('aborted')
    await client.sendPlain('aborted', ['plain'], 0)
    await client.send('aborted', ['x', 'y'])
    expect(await client.end(false)).toBe('NONE')
    for (const how of ['--from-beginning -e', '-o :end', '-g readers --from-beginning -e']) {
      expect(await read(`aborted ${how} --isolation-level read_committed`), how).toEqual(['plain'])
    }
    expect(await read('aborted -o :end')).toEqual(['plain', 'x', 'y'])
    expect(await read('aborted -o 1:end -p 0 --isolation-level read_committed')).toEqual([])
  })

  it('ends before a transaction that is open, where only committed records count', async () => {
    const client = await transactional('open')
    await client.sendPlain('open', ['plain'], 0)
    await client.send('open', ['x'])
    expect(await read('open -o :end --isolation-level read_committed')).toEqual(['plain'])
    expect(await read('open -o :end')).toEqual(['plain', 'x'])
    await client.end(false)
  })

  it('ends behind what compaction has taken away', async () => {
    const settings = ['cleanup.policy=compact', 'segment.ms=1', 'min.cleanable.dirty.ratio=0', 'delete.retention.ms=0']
    await box.run(['topics', 'create', 'compacted', ...settings.flatMap((setting) => ['--config', setting])])
    const client = new TransactionClient(raw, 'compacted')
    await client.init()
    for (let i = 0; i < 5; i++) await box.run(['produce', 'compacted', '-k', 'k'], { input: `${i}\n` })
    expect(await client.send('compacted', [{ key: 'k', value: 'never' }])).toBe('NONE')
    expect(await client.end(false)).toBe('NONE')
    const offsets = async () => read('compacted -o :end -f %o\\n --isolation-level read_committed')
    await vi.waitFor(async () => expect(await offsets()).toEqual(['4']), { timeout: 20_000 })
    expect((await box.run(['offsets', 'compacted'])).stdout).toMatch(/compacted +0 +0 +7\n/)
    expect(await read('compacted --last 2 --isolation-level read_committed')).toEqual([])
    expect(await read('compacted -o 1:3 -p 0')).toEqual([]) // all of it is gone
    expect(await read('compacted -g readers --from-beginning -e --isolation-level read_committed')).toEqual(['4'])
  }, 40_000)

  it('ends at once where all records were deleted', async () => {
    await box.run(['topics', 'create', 'emptied', '-p', '3'])
    await box.run(['produce', 'emptied'], { input: 'a\nb\n' })
    await box.run(['records', 'delete', 'emptied', '--before', 'end', '--yes'])
    expect(await read('emptied --from-beginning -e')).toEqual([])
    expect(await read('emptied -g readers --from-beginning -e')).toEqual([])
  })

  it('ends behind batches that the cleaner has emptied', async () => {
    const broker = new FakeCluster(1)
    broker.append(0, batchOf(['a']))
    broker.append(0, batchOf(['b', 'c']))
    broker.logs[0].batches.push(emptied(['d', 'e', 'f']))
    broker.logs[0].batches[2].writeBigInt64BE(3n, 0)
    broker.logs[0].end = 6
    expect(await reading(broker)).toEqual({ messages: 3, reason: 'end', text: 'a\nb\nc\n' })
  })
})
