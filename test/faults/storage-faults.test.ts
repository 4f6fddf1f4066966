// What a disk does to a broker: no space, failing syncs and writes, files that can't be opened. What was promised holds,
// what cannot be promised is refused.

import { describe, expect, it } from 'vitest'
import { DiskError } from '../../src/storage/disk.ts'
import { defaultLogConfig } from '../../src/storage/log-config.ts'
import { append, batch, durable, manualClock, openStore, openTopic, turn, values } from '../storage/fixtures.ts'
import { SimulatedMachine } from '../support/simulated-disk.ts'

const storageError: unknown = expect.objectContaining({ error: 'KAFKA_STORAGE_ERROR' })

function failing(machine: SimulatedMachine, operation: string, suffix: string, code = 'EIO'): void {
  machine.fault = (each, path) => {
    if (each === operation && path.endsWith(suffix)) {
      throw new DiskError(code === 'EMFILE' ? 'tooManyOpen' : 'failed', path, code, `${code} ${path}`)
    }
  }
}

describe('no space left', () => {
  it('refuses what did not fit as if it had never come, serves the rest, and goes on when there is room', async () => {
    const machine = new SimulatedMachine()
    const clock = manualClock()
    const store = await openStore(machine, { clock })
    const log = await openTopic(store)
    const producer = { producerId: 3n, producerEpoch: 0 }
    await append(log, ['a'], { ...producer, baseSequence: 0 })
    machine.capacity = 600
    const { lastOffset } = log.append(batch(['x'.repeat(1000)], { ...producer, baseSequence: 1 }), 'client')
    await expect(log.safe(lastOffset + 1)).rejects.toMatchObject({ error: 'KAFKA_STORAGE_ERROR' })
    expect([log.logEndOffset, log.highWatermark, values(log)]).toEqual([1, 1, ['a']])
    expect(() => log.append(batch(['b']), 'client')).toThrow(storageError)
    expect(log.failure).toEqual(storageError)
    await log.deleteRecordsBefore(0)

    machine.capacity = Infinity
    clock.advance(1000)
    // The sequence was taken back too: the same one is no gap and no duplicate.
    expect(await append(log, ['x'], { ...producer, baseSequence: 1 })).toBe(1)
    machine.restart()
    expect(values(await openTopic(await openStore(machine)))).toEqual(['a', 'x'])
  })

  it('while a segment is begun: the log ends where it was written to', async () => {
    const machine = new SimulatedMachine()
    const clock = manualClock()
    const log = await openTopic(await openStore(machine, { clock }), { ...durable, segmentBytes: 300 })
    for (const value of ['a', 'b', 'c']) await append(log, [value])
    machine.capacity = 900
    const waits = ['d', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o'].map((value) =>
      log.safe(log.append(batch([value]), 'client').lastOffset + 1).then(() => value, () => undefined),
    )
    const kept = (await Promise.all(waits)).filter((value) => value !== undefined)
    machine.capacity = Infinity
    clock.advance(1000)
    expect(await append(log, ['z'])).toBe(3 + kept.length)
    expect(values(log)).toEqual(['a', 'b', 'c', ...kept, 'z'])
    machine.restart()
    expect(values(await openTopic(await openStore(machine)))).toEqual(['a', 'b', 'c', ...kept, 'z'])
  })

  it('internal logs go on with the reserve, which is filled again before others may write', async () => {
    const machine = new SimulatedMachine()
    const clock = manualClock()
    const store = await openStore(machine, { clock, reserveBytes: 10_000 })
    const log = await openTopic(store)
    const internal = await store.openLog('__consumer_offsets', 0, 'AAAAAAAAAAAAAAAAAAAAAg', durable)
    await append(log, ['a'])
    await append(internal, ['a'])
    machine.capacity = 11_500
    for (let count = 0; count < 20; count++) await append(internal, ['y'.repeat(200)])
    expect(() => log.append(batch(['b']), 'client')).toThrow(storageError)
    expect(internal.failure).toBeUndefined()
    clock.advance(1000)
    expect(() => log.append(batch(['b']), 'client')).toThrow(storageError)
    machine.capacity = 50_000
    clock.advance(1000)
    expect(await append(log, ['b'])).toBe(1)
    expect(machine.names('/data')).toContain('.reserve')
  })

  it('too many open files is answered like want of space', async () => {
    const machine = new SimulatedMachine()
    const clock = manualClock()
    const log = await openTopic(await openStore(machine, { clock }))
    machine.fault = (operation, path) => {
      if (operation === 'open' && path.endsWith('.log')) throw new DiskError('tooManyOpen', path, 'EMFILE', 'EMFILE')
    }
    const { lastOffset } = log.append(batch(['a']), 'client')
    await expect(log.safe(lastOffset + 1)).rejects.toMatchObject({ error: 'KAFKA_STORAGE_ERROR' })
    machine.fault = undefined
    clock.advance(1000)
    expect(await append(log, ['a'])).toBe(0)
  })
})

describe('a failed sync or write', () => {
  it.each([['sync', '.log'], ['write', '.log'], ['syncDirectory', 't-0']])('%s of %s ends the store: nothing is retried', async (operation, suffix) => {
    const machine = new SimulatedMachine()
    const store = await openStore(machine)
    const log = await openTopic(store)
    if (operation !== 'syncDirectory') await append(log, ['a'])
    const before = log.highWatermark
    const fatal: Error[] = []
    store.onFatal((error) => fatal.push(error))
    failing(machine, operation, suffix)
    const { lastOffset } = log.append(batch(['b']), 'client')
    await expect(log.safe(lastOffset + 1)).rejects.toMatchObject({ error: 'KAFKA_STORAGE_ERROR' })
    expect(fatal).toHaveLength(1)
    expect(log.highWatermark).toBe(before)
    let more = 0
    machine.fault = (_, path) => path.endsWith('.log') && more++
    expect(() => log.append(batch(['c']), 'client')).toThrow(storageError)
    await turn()
    expect(more).toBe(0)
    await expect(store.close()).rejects.toMatchObject({ error: 'KAFKA_STORAGE_ERROR' })
    expect(machine.names('/data')).not.toContain('.kafka_cleanshutdown')
    let late: Error | undefined
    store.onFatal((error) => (late = error))
    expect(late).toBe(fatal[0])
  })

  it('does not stop reading what is there', async () => {
    const machine = new SimulatedMachine()
    const log = await openTopic(await openStore(machine))
    await append(log, ['a'])
    failing(machine, 'sync', '.log')
    const { lastOffset } = log.append(batch(['b']), 'client')
    await log.safe(lastOffset + 1).catch(() => {})
    expect(values(log)).toEqual(['a'])
  })

  it('in a clean stop leaves no mark of one', async () => {
    const machine = new SimulatedMachine()
    const store = await openStore(machine)
    await append(await openTopic(store, defaultLogConfig), ['a'])
    failing(machine, 'sync', '.log')
    await expect(store.close()).rejects.toThrow()
    expect(machine.names('/data')).not.toContain('.kafka_cleanshutdown')
  })
})

describe('a directory that must not be opened', () => {
  it.each([
    ['version=2\ncluster.id=a\nnode.id=1\n', 'newerVersion'],
    ['version=1\ncluster.id=a\nnode.id=7\n', 'otherNode'],
    ['version=1\ncluster.id=b\nnode.id=1\n', 'otherCluster'],
    ['\u0000\u0000', 'unreadable'],
  ])('%j: %s, and nothing in it is touched', async (text, reason) => {
    const machine = new SimulatedMachine()
    machine.disk.makeDirectory('/data/t-0')
    machine.put('/data/meta.properties', Buffer.from(text))
    machine.put('/data/.kafka_cleanshutdown', Buffer.from('{}'))
    await expect(openStore(machine, { clusterId: 'a' })).rejects.toMatchObject({ name: 'LogStoreError', reason })
    expect(machine.names('/data')).toEqual(['.kafka_cleanshutdown', '.lock', 'meta.properties', 't-0'])
  })

  it('one that holds something else, and one that is held', async () => {
    const machine = new SimulatedMachine()
    machine.disk.makeDirectory('/data/photos')
    await expect(openStore(machine)).rejects.toMatchObject({ reason: 'notADataDirectory' })
    machine.disk.removeDirectory('/data/photos')
    const store = await openStore(machine)
    await expect(openStore(machine)).rejects.toMatchObject({ reason: 'locked' })
    await store.close()
    await (await openStore(machine)).close()
  })
})
