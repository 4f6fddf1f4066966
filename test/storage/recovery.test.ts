// Starting on what an earlier life left. Titles follow Kafka's LogLoaderTest where it has the case; where Kafka deletes
// (it counts on replicas), ours keeps: DECISIONS.md, Recovery.

import { describe, expect, it } from 'vitest'
import type { LogConfig } from '../../src/storage/log-config.ts'
import { SimulatedMachine } from '../support/simulated-disk.ts'
import { TOPIC_ID, append, batch, durable, openStore, openTopic, values } from './fixtures.ts'

const SMALL: LogConfig = { ...durable, segmentBytes: 150, indexIntervalBytes: 0 }
const DIRECTORY = '/data/t-0'
const name = (base: number, suffix: string) => `${String(base).padStart(20, '0')}${suffix}`
const path = (base: number, suffix: string) => `${DIRECTORY}/${name(base, suffix)}`

/** A machine with a log of one-letter records, two a segment; its process killed or stopped cleanly. */
async function left(text: string, how: 'killed' | 'clean', config = SMALL): Promise<SimulatedMachine> {
  const machine = new SimulatedMachine()
  const store = await openStore(machine)
  const log = await openTopic(store, config)
  for (const letter of letters(text)) await append(log, [letter])
  if (how === 'clean') await store.close()
  machine.kill()
  return machine
}

function letters(text: string): string[] {
  return Array.from(text)
}

async function reopen(machine: SimulatedMachine, config = SMALL) {
  const warnings: string[] = []
  const note = (message: string) => void warnings.push(message)
  const logger = { debug: () => {}, info: () => {}, warn: note, error: note }
  const store = await openStore(machine, { logger })
  return { store, log: await openTopic(store, config), warnings }
}

function flip(machine: SimulatedMachine, file: string, at: number): void {
  const bytes = Buffer.from(machine.contents(file))
  bytes[at < 0 ? bytes.length + at : at] ^= 0xff
  machine.put(file, bytes)
}

function setRecoveryPoint(machine: SimulatedMachine, offset: number): void {
  machine.put('/data/recovery-point-offset-checkpoint', Buffer.from(`0\n1\nt 0 ${offset}\n`))
}

describe('after an unclean stop', () => {
  it('testLogRecoversToCorrectOffset', async () => {
    const { log } = await reopen(await left('abcde', 'killed'))
    expect(values(log)).toEqual(letters('abcde'))
    expect(log.logEndOffset).toBe(5)
    expect(await append(log, ['f'])).toBe(5)
  })

  it('testCorruptLog: bad bytes after the recovery point are cut and kept in quarantine', async () => {
    const machine = await left('abcde', 'killed', durable)
    setRecoveryPoint(machine, 2)
    const size = machine.contents(path(0, '.log')).length
    const one = size / 5
    flip(machine, path(0, '.log'), 3 * one + 65)
    const { log, warnings } = await reopen(machine, durable)
    expect(values(log)).toEqual(['a', 'b', 'c'])
    expect(log.failure).toBeUndefined()
    expect(warnings.join()).toContain('kept in quarantine/')
    const [kept] = machine.names(`${DIRECTORY}/quarantine`)
    expect(kept).toContain(`${name(0, '.log')}.from-${3 * one}`)
    expect(machine.contents(`${DIRECTORY}/quarantine/${kept}`)).toHaveLength(2 * one)
    expect(await append(log, ['x'])).toBe(3)
  })

  it('testCorruptLog: bad bytes before the recovery point are damage: served up to there, nothing deleted', async () => {
    const machine = await left('abcde', 'killed', durable)
    setRecoveryPoint(machine, 4)
    flip(machine, path(0, '.log'), (machine.contents(path(0, '.log')).length / 5) * 2 + 65)
    const before = Buffer.from(machine.contents(path(0, '.log')))
    for (let start = 0; start < 2; start++) {
      const { store, log } = await reopen(machine, durable)
      expect(values.bind(null, log)).toThrow(expect.objectContaining({ error: 'CORRUPT_MESSAGE' }))
      expect(log.read(0, 10_000, { atLeastOneBatch: true, until: Infinity })).toHaveLength((before.length / 5) * 2)
      expect(() => log.read(4, 100, { atLeastOneBatch: true, until: Infinity })).toThrow(/damaged from offset 2/)
      expect(() => log.append(batch(['x']), 'client')).toThrow(expect.objectContaining({ error: 'KAFKA_STORAGE_ERROR' }))
      await store.close()
      expect(machine.contents(path(0, '.log'))).toEqual(before)
      machine.kill()
    }
  })

  it('a damaged log leaves the others alone', async () => {
    const machine = new SimulatedMachine()
    const store = await openStore(machine)
    for (const partition of [0, 1]) await append(await openTopic(store, durable, partition), ['a', 'b'])
    machine.kill()
    setRecoveryPoint(machine, 2)
    flip(machine, path(0, '.log'), 65)
    const again = await openStore(machine)
    const [broken, sound] = [await openTopic(again, durable, 0), await openTopic(again, durable, 1)]
    expect(broken.failure?.error).toBe('KAFKA_STORAGE_ERROR')
    expect(values(sound)).toEqual(['a', 'b'])
    expect(await append(sound, ['c'])).toBe(2)
  })

  it('records that were durable and are not there are damage, not an end to append to', async () => {
    const machine = await left('abcde', 'killed', durable)
    setRecoveryPoint(machine, 5)
    const bytes = machine.contents(path(0, '.log'))
    machine.put(path(0, '.log'), bytes.subarray(0, (bytes.length / 5) * 3))
    const { log } = await reopen(machine, durable)
    expect(log.failure?.message).toContain('records up to offset 4 were durable')
    expect(log.read(0, 10_000, { atLeastOneBatch: true, until: Infinity })).toHaveLength((bytes.length / 5) * 3)
  })

  it('testOverCompactedLogRecovery: segments behind a torn one are taken out, newest first', async () => {
    const machine = await left('abcdef', 'killed')
    setRecoveryPoint(machine, 1)
    const torn = machine.contents(path(2, '.log'))
    machine.put(path(2, '.log'), torn.subarray(0, torn.length - 5))
    const { log } = await reopen(machine)
    expect(values(log)).toEqual(['a', 'b', 'c'])
    expect(machine.names(`${DIRECTORY}/quarantine`).some((file) => file.startsWith(name(4, '.log')))).toBe(true)
    expect(await append(log, ['x'])).toBe(3)
  })

  it('a gap between segments after the recovery point is a lost tail: what is behind it is taken out', async () => {
    const machine = await left('abcdef', 'killed')
    setRecoveryPoint(machine, 2)
    const whole = machine.contents(path(2, '.log'))
    machine.put(path(2, '.log'), whole.subarray(0, whole.length / 2))
    const { log } = await reopen(machine)
    expect(values(log)).toEqual(['a', 'b', 'c'])
    expect(log.failure).toBeUndefined()
  })

  it('a gap below the recovery point is compaction', async () => {
    const machine = await left('abcdef', 'killed')
    setRecoveryPoint(machine, 6)
    const whole = machine.contents(path(2, '.log'))
    machine.put(path(2, '.log'), whole.subarray(0, whole.length / 2))
    machine.put(path(2, '.index'), Buffer.alloc(0))
    const { log } = await reopen(machine)
    expect(values(log)).toEqual(['a', 'b', 'c', 'e', 'f'])
  })

  it('testRebuildTimeIndexForOldMessages, testCorruptIndexRebuild: indexes of garbage or none are made anew', async () => {
    for (const garbage of [Buffer.alloc(0), Buffer.alloc(96), Buffer.from('rubbish'.repeat(30)), undefined]) {
      for (const how of ['killed', 'clean'] as const) {
        const machine = await left('abcdefgh', how)
        for (const base of [0, 2, 4, 6]) {
          for (const suffix of ['.index', '.timeindex']) {
            if (garbage === undefined) machine.disk.remove(path(base, suffix))
            else machine.put(path(base, suffix), garbage)
          }
        }
        const { log } = await reopen(machine)
        expect(values(log)).toEqual(letters('abcdefgh'))
        for (const offset of [3, 5, 7]) {
          expect(log.read(offset, 10, { atLeastOneBatch: true, until: Infinity }).readBigInt64BE(0)).toBe(BigInt(offset))
        }
        expect(log.offsetForTimestamp(1)).toMatchObject({ offset: 0 })
        expect(await append(log, ['i'])).toBe(8)
      }
    }
  })

  it('an index that is well-formed but wrong misleads nobody', async () => {
    const machine = await left('abcdefgh', 'clean', { ...durable, indexIntervalBytes: 0 })
    const bytes = Buffer.from(machine.contents(path(0, '.index')))
    for (let at = 4; at < bytes.length; at += 8) bytes.writeInt32BE(bytes.readInt32BE(at) + 7, at)
    machine.put(path(0, '.index'), bytes)
    const { log } = await reopen(machine, durable)
    for (const offset of [1, 4, 7]) {
      expect(log.read(offset, 10, { atLeastOneBatch: true, until: Infinity }).readBigInt64BE(0)).toBe(BigInt(offset))
    }
  })

  it('checkpoints of garbage are passed over', async () => {
    for (const file of ['recovery-point-offset-checkpoint', 'log-start-offset-checkpoint', 't-0/leader-epoch-checkpoint', 't-0/00000000000000000004.snapshot']) {
      for (const how of ['killed', 'clean'] as const) {
        const machine = await left('abcde', how)
        machine.put(`/data/${file}`, Buffer.from('\u0000rubbish'))
        const { log, warnings } = await reopen(machine)
        expect(values(log)).toEqual(letters('abcde'))
        expect(log.failure).toBeUndefined()
        expect(log.endOffsetForEpoch(0)).toEqual({ epoch: 0, endOffset: 5 })
        if (!file.endsWith('snapshot')) expect(warnings).not.toEqual([])
      }
    }
  })

  it('testReopenThenTruncate, a tail of zeros: a file that grew without its bytes is cut', async () => {
    const machine = await left('ab', 'killed', durable)
    setRecoveryPoint(machine, 1)
    machine.put(path(0, '.log'), Buffer.concat([machine.contents(path(0, '.log')), Buffer.alloc(700)]))
    const { log } = await reopen(machine, durable)
    expect(values(log)).toEqual(['a', 'b'])
    expect(machine.names(DIRECTORY)).not.toContain('quarantine')
  })

  it('what recovery serves survives the next power cut, even when the sync before had failed', async () => {
    const machine = new SimulatedMachine()
    const store = await openStore(machine)
    const log = await openTopic(store, durable)
    await append(log, ['a'])
    log.append(batch(['b']), 'client')
    log.writeOut() // in the page cache only
    machine.kill()
    machine.forgetUnsynced(path(0, '.log')) // as Linux does after a failed sync: the pages count as clean
    const first = await reopen(machine, durable)
    expect(values(first.log)).toEqual(['a', 'b'])
    machine.restart()
    expect(values((await reopen(machine, durable)).log)).toEqual(['a', 'b'])
  })
})

describe('interrupted work on files', () => {
  it('testRecoveryAfterCrashDuringDelete: .deleted files go', async () => {
    const machine = await left('abcd', 'killed')
    machine.disk.rename(path(0, '.log'), `${path(0, '.log')}.deleted`)
    const { log } = await reopen(machine)
    expect(values(log)).toEqual(['c', 'd'])
    expect(machine.names(DIRECTORY).filter((file) => file.includes('.deleted') || file === name(0, '.index'))).toEqual([])
  })

  it('testRecoveryAfterCrashDuringCompaction: .cleaned goes, .swap below it takes the place of its originals', async () => {
    const machine = await left('abcdef', 'killed')
    const swap = machine.contents(path(0, '.log')).subarray(0)
    const second = machine.contents(path(2, '.log'))
    machine.put(`${path(0, '.log')}.swap`, Buffer.concat([swap, second]))
    machine.put(`${path(4, '.log')}.cleaned`, Buffer.from('half'))
    machine.put(`${path(4, '.log')}.swap`, Buffer.from('of the same unfinished work'))
    const { log } = await reopen(machine)
    expect(values(log)).toEqual(letters('abcdef'))
    expect(machine.names(DIRECTORY).filter((file) => file.endsWith('.log'))).toEqual([name(0, '.log'), name(4, '.log')])
    expect(machine.names(DIRECTORY).filter((file) => /swap|cleaned/.test(file))).toEqual([])
  })
})

describe('after a clean stop', () => {
  it('testNoOpWhenCleanShutdown: nothing is written over and the end is where it was', async () => {
    const machine = await left('abcde', 'clean')
    expect(machine.names('/data')).toContain('.kafka_cleanshutdown')
    expect(machine.contents('/data/.kafka_cleanshutdown').toString()).toBe('{"version":0,"brokerEpoch":-1}')
    const { store, log } = await reopen(machine)
    expect(store.wasClean).toBe(true)
    expect(machine.names('/data')).not.toContain('.kafka_cleanshutdown')
    expect(values(log)).toEqual(letters('abcde'))
  })

  it('a batch cut off meanwhile is damage', async () => {
    const machine = await left('abc', 'clean', durable)
    const bytes = machine.contents(path(0, '.log'))
    machine.put(path(0, '.log'), bytes.subarray(0, bytes.length - 1))
    const { log } = await reopen(machine, durable)
    expect(log.failure?.error).toBe('KAFKA_STORAGE_ERROR')
    expect(machine.contents(path(0, '.log'))).toHaveLength(bytes.length - 1)
  })

  it('a flipped byte in an old segment is found when it is read', async () => {
    const machine = await left('abcdef', 'clean')
    flip(machine, path(0, '.log'), -3)
    const { log } = await reopen(machine)
    expect(log.read(0, 10_000, { atLeastOneBatch: true, until: 1 }).length).toBeGreaterThan(0)
    expect(() => log.read(1, 100, { atLeastOneBatch: true, until: Infinity })).toThrow(
      expect.objectContaining({ error: 'CORRUPT_MESSAGE' }),
    )
    expect(log.read(2, 100, { atLeastOneBatch: true, until: Infinity }).readBigInt64BE(0)).toBe(2n)
  })

  it('a metadata log may start above 0, behind a snapshot', async () => {
    const machine = new SimulatedMachine()
    const store = await openStore(machine)
    const log = await store.openLog('__cluster_metadata', 0, 'AAAAAAAAAAAAAAAAAAAAAQ', durable, { startOffset: 177 })
    expect([log.logStartOffset, log.logEndOffset]).toEqual([177, 177])
    log.leaderEpoch = 5
    expect(log.append(batch(['record'], { isControl: true }), 'metadata').baseOffset).toBe(177)
    await log.safe(178)
    machine.put('/data/__cluster_metadata-0/00000000000000000177-0000000004.checkpoint', Buffer.from('a snapshot'))
    await store.close()
    const again = await openStore(machine)
    const same = await again.openLog('__cluster_metadata', 0, 'AAAAAAAAAAAAAAAAAAAAAQ', durable, { startOffset: 177 })
    expect([same.logStartOffset, same.logEndOffset, same.latestEpoch()]).toEqual([177, 178, 5])
    expect(machine.names('/data/__cluster_metadata-0')).toContain('00000000000000000177-0000000004.checkpoint')
  })
})

describe('topics of the same name', () => {
  it('a directory with another topic id is moved aside and kept', async () => {
    const machine = await left('abc', 'clean')
    const store = await openStore(machine)
    const log = await store.openLog('t', 0, 'otherTopicIdOtherTopic', SMALL)
    expect(values(log)).toEqual([])
    const stray = machine.names('/data').find((file) => /^t-0\.[0-9a-f]{32}-stray$/.test(file))
    expect(machine.names(`/data/${stray}`)).toContain(name(0, '.log'))
    expect(log.failure).toBeUndefined()
  })

  it('a deleted topic made again starts empty, whatever was noted of the old one', async () => {
    const machine = new SimulatedMachine()
    const store = await openStore(machine)
    const log = await openTopic(store, SMALL)
    for (const letter of 'abcde') await append(log, [letter])
    await log.deleteRecordsBefore(3)
    await store.deleteLog(log)
    expect(machine.names('/data').some((file) => /^t-0\.[0-9a-f]{32}-delete$/.test(file))).toBe(true)
    const again = await store.openLog('t', 0, 'otherTopicIdOtherTopic', SMALL)
    await append(again, ['new'])
    machine.restart()
    const next = await openStore(machine)
    const third = await next.openLog('t', 0, 'otherTopicIdOtherTopic', SMALL)
    expect(values(third)).toEqual(['new'])
    expect(third.logStartOffset).toBe(0)
    expect(machine.names('/data').filter((file) => file.endsWith('-delete'))).toEqual([])
    expect(next.unopened()).toEqual([])
    expect(TOPIC_ID).not.toBe(third.topicId)
  })
})
