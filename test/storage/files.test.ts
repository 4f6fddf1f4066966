// The small parts, each by itself: checkpoints, indexes, scans, epochs, meta.properties.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readEpochCheckpoint, readOffsetCheckpoint, writeEpochCheckpoint, writeOffsetCheckpoint } from '../../src/storage/checkpoints.ts'
import { scanBatches } from '../../src/storage/batch-scan.ts'
import { LeaderEpochs } from '../../src/storage/leader-epochs.ts'
import { readMetaProperties } from '../../src/storage/meta-properties.ts'
import { OffsetIndex } from '../../src/storage/offset-index.ts'
import { TimeIndex } from '../../src/storage/time-index.ts'
import { SimulatedMachine } from '../support/simulated-disk.ts'
import { batch } from './fixtures.ts'

function directory(): SimulatedMachine {
  const machine = new SimulatedMachine()
  machine.disk.makeDirectory('/d')
  return machine
}

describe('checkpoints', () => {
  it('come back as they were written', async () => {
    const { disk } = directory()
    const topic = fc.stringMatching(/^[a-zA-Z0-9._-]{1,20}$/)
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.record({ topic, partition: fc.nat(99), offset: fc.maxSafeNat() }), {
          selector: ({ topic: name, partition }) => `${name}-${partition}`,
        }),
        async (entries) => {
          await writeOffsetCheckpoint(disk, '/d/c', entries)
          const expected = new Map(entries.map((each) => [`${each.topic}-${each.partition}`, each.offset]))
          expect(readOffsetCheckpoint(disk, '/d/c')).toEqual(expected)
        },
      ),
      { numRuns: 50 },
    )
    await writeEpochCheckpoint(disk, '/d/e', [{ epoch: 1, startOffset: 0 }, { epoch: 4, startOffset: 9 }])
    expect(readEpochCheckpoint(disk, '/d/e')).toEqual([{ epoch: 1, startOffset: 0 }, { epoch: 4, startOffset: 9 }])
  })

  it('are refused when cut, of another version or not numbers; a missing one is known from an empty one', () => {
    const machine = directory()
    expect(readOffsetCheckpoint(machine.disk, '/d/none')).toBeUndefined()
    machine.put('/d/empty', Buffer.alloc(0)) // as Apache's broker leaves it in its first minute
    expect(readOffsetCheckpoint(machine.disk, '/d/empty')).toEqual(new Map())
    for (const text of ['0', '0\n', '0\n2\nt 0 1\n', '1\n0\n', '0\n1\nt 0\n', '0\n1\nt 0 x\n', '0\n1\nt 0 -1\n', '0\n1\nt 0 99999999999999999999\n']) {
      machine.put('/d/c', Buffer.from(text))
      expect(() => readOffsetCheckpoint(machine.disk, '/d/c'), JSON.stringify(text)).toThrow(
        expect.objectContaining({ name: 'CheckpointError' }),
      )
    }
  })

  it('give a map or a CheckpointError for any bytes', () => {
    const machine = directory()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        machine.put('/d/c', Buffer.from(bytes))
        try {
          expect(readOffsetCheckpoint(machine.disk, '/d/c')).toBeInstanceOf(Map)
        } catch (error) {
          expect(error).toMatchObject({ name: 'CheckpointError' })
        }
      }),
    )
  })
})

describe('meta.properties', () => {
  it('is read in the forms Java writes', () => {
    const machine = directory()
    machine.put('/d/m', Buffer.from('#\n#Sat Nov 21\nnode.id=1\ndirectory.id=Tn9u3dAJSGe0TcPVCbVM4A\r\nversion=1\ncluster.id : my\\:cluster\n'))
    expect(readMetaProperties(machine.disk, '/d/m')).toEqual({
      version: 1,
      clusterId: 'my:cluster',
      nodeId: 1,
      directoryId: 'Tn9u3dAJSGe0TcPVCbVM4A',
    })
  })

  it('says whether it is newer or unreadable', () => {
    const machine = directory()
    for (const [text, reason] of [
      ['version=2\ncluster.id=a\nnode.id=1', 'newerVersion'],
      ['version=0\nbroker.id=1', 'unreadable'],
      ['', 'unreadable'],
      ['version=1\ncluster.id=a\nnode.id=x', 'unreadable'],
    ]) {
      machine.put('/d/m', Buffer.from(text))
      expect(() => readMetaProperties(machine.disk, '/d/m')).toThrow(expect.objectContaining({ reason }))
    }
  })
})

describe('indexes', () => {
  it('give the entry at or below, from memory and from the file', () => {
    const { disk } = directory()
    const offsets = new OffsetIndex(disk, '/d/00.index', 100, true)
    const times = new TimeIndex(disk, '/d/00.timeindex', 100, true)
    for (let index = 1; index <= 1000; index++) {
      offsets.append(100 + index * 3, index * 50)
      times.append(index * 10, 100 + index * 3)
    }
    times.append(5, 9999) // not greater: no entry
    for (const round of ['memory', 'file']) {
      expect(offsets.lookup(102), round).toEqual({ lastOffset: 99, position: 0 })
      expect(offsets.lookup(103)).toEqual({ lastOffset: 103, position: 50 })
      expect(offsets.lookup(108)).toEqual({ lastOffset: 106, position: 100 })
      expect(offsets.lookup(1e9)).toEqual({ lastOffset: 3100, position: 50_000 })
      expect(times.lookup(9)).toEqual({ timestamp: -1, offset: 100 })
      expect(times.lookup(25)).toEqual({ timestamp: 20, offset: 106 })
      expect(times.last()).toEqual({ timestamp: 10_000, offset: 3100 })
      offsets.release()
      times.release()
    }
  })

  it("end where Kafka's preallocated zeros begin, at a torn entry and at one that does not grow", () => {
    const machine = directory()
    const entries = (...rows: [number, number][]) => {
      const bytes = Buffer.alloc(rows.length * 8)
      rows.forEach(([offset, position], index) => {
        bytes.writeInt32BE(offset, index * 8)
        bytes.writeInt32BE(position, index * 8 + 4)
      })
      return bytes
    }
    for (const tail of [Buffer.alloc(8000), Buffer.from([1, 2, 3]), entries([4, 70]), entries([9, 30])]) {
      machine.put('/d/0.index', Buffer.concat([entries([2, 40], [5, 60]), tail]))
      const index = new OffsetIndex(machine.disk, '/d/0.index', 0, false)
      expect(index.last()).toEqual({ lastOffset: 5, position: 60 })
      index.append(8, 90)
      index.flush()
      expect(machine.contents('/d/0.index')).toEqual(entries([2, 40], [5, 60], [8, 90]))
    }
    machine.put('/d/0.timeindex', Buffer.alloc(12_000))
    expect(new TimeIndex(machine.disk, '/d/0.timeindex', 0, false).count).toBe(0)
  })

  it('take any bytes for a file', () => {
    const machine = directory()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(1000), (bytes, offset) => {
        machine.put('/d/0.index', Buffer.from(bytes))
        machine.put('/d/0.timeindex', Buffer.from(bytes))
        expect(new OffsetIndex(machine.disk, '/d/0.index', 0, false).lookup(offset).position).toBeGreaterThanOrEqual(0)
        expect(new TimeIndex(machine.disk, '/d/0.timeindex', 0, false).lookup(offset).timestamp).toBeGreaterThanOrEqual(-1)
      }),
    )
  })
})

describe('scan', () => {
  it('ends at the first byte that is not a sound batch, wherever bytes are changed or cut', () => {
    const machine = directory()
    const batches = ['one', 'two'.repeat(100), 'three'].map((value, index) => {
      const bytes = batch([value])
      bytes.writeBigInt64BE(BigInt(index), 0)
      return bytes
    })
    const ends = [0]
    for (const each of batches) ends.push(ends[ends.length - 1] + each.length)
    const whole = Buffer.concat(batches)
    const scan = (bytes: Buffer) => {
      machine.put('/d/0.log', bytes)
      const file = machine.disk.open('/d/0.log', 'read')
      return scanBatches(file, { from: 0, to: bytes.length, minOffset: 0, checkCrc: true }, () => true)
    }
    expect(scan(whole)).toEqual({ end: whole.length, problem: undefined })
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, mask, cut) => {
        const bytes = Buffer.from(whole)
        bytes[at] ^= mask
        const { end, problem } = scan(cut ? whole.subarray(0, at) : bytes)
        const before = ends.filter((each) => each <= at).at(-1) ?? 0
        const inBatch = at - before
        // Offset and leader epoch lie outside the checksum: a changed one may pass, a smaller offset may not.
        const isCovered = inBatch >= 16 || (inBatch >= 8 && inBatch < 12)
        if (cut) expect(end).toBe(before)
        else if (isCovered) expect({ end, hasProblem: problem !== undefined }).toEqual({ end: before, hasProblem: true })
        else expect(ends).toContain(end)
      }),
      { numRuns: 500 },
    )
  })

  it('refuses a length that no batch has without allocating for it', () => {
    const machine = directory()
    const bytes = batch(['a'])
    bytes.writeInt32BE(0x7fffffff, 8)
    machine.put('/d/0.log', bytes)
    const file = machine.disk.open('/d/0.log', 'read')
    const result = scanBatches(file, { from: 0, to: bytes.length, minOffset: 0, checkCrc: true }, () => true)
    expect(result.end).toBe(0)
    expect(result.problem).toBeDefined()
  })
})

describe('leader epochs', () => {
  it('answer as Kafka does where an epoch ends', () => {
    const epochs = new LeaderEpochs([{ epoch: 2, startOffset: 10 }, { epoch: 5, startOffset: 20 }])
    expect(epochs.endOffsetFor(1, 30)).toEqual({ epoch: 1, endOffset: 10 })
    expect(epochs.endOffsetFor(2, 30)).toEqual({ epoch: 2, endOffset: 20 })
    expect(epochs.endOffsetFor(4, 30)).toEqual({ epoch: 2, endOffset: 20 })
    expect(epochs.endOffsetFor(5, 30)).toEqual({ epoch: 5, endOffset: 30 })
    expect(epochs.endOffsetFor(6, 30)).toEqual({ epoch: -1, endOffset: -1 })
  })

  it('drop what a new epoch contradicts, and follow the start and the end of the log', () => {
    const epochs = new LeaderEpochs([{ epoch: 1, startOffset: 0 }, { epoch: 3, startOffset: 10 }, { epoch: 4, startOffset: 12 }])
    epochs.truncateFromEnd(12)
    expect(epochs.latest).toEqual({ epoch: 3, startOffset: 10 })
    epochs.truncateFromStart(5)
    expect(epochs.entries).toEqual([{ epoch: 1, startOffset: 5 }, { epoch: 3, startOffset: 10 }])
    epochs.assign(7, 8)
    expect(epochs.entries).toEqual([{ epoch: 1, startOffset: 5 }, { epoch: 7, startOffset: 8 }])
  })
})
