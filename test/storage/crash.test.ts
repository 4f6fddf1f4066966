// 200 seeds: appends from several writers to several partitions, rolls, deletions of records, clean stops; at a random
// disk operation the machine is cut, recovery included. After each start every record whose append was answered is there,
// once and in its place, and nothing that was ever visible has changed.

import { describe, expect, it } from 'vitest'
import { KafkaError } from '../../src/protocol/errors.ts'
import { DiskError } from '../../src/storage/disk.ts'
import type { Log } from '../../src/storage/log.ts'
import { type LogConfig } from '../../src/storage/log-config.ts'
import { SimulatedMachine } from '../support/simulated-disk.ts'
import { batch, durable, openStore, openTopic, randomFrom, readAll, turn } from './fixtures.ts'

const SEEDS = 200
const PARTITIONS = 3
const CONFIG: LogConfig = { ...durable, segmentBytes: 900, indexIntervalBytes: 200, fileDeleteDelayMs: 0 }

/** What the world outside knows of a partition: offset → value. */
class Witness {
  readonly acknowledged = new Map<number, string>()
  readonly visible = new Map<number, string>()
  logStart = 0
  /** Asked for and perhaps done. */
  askedLogStart = 0

  see(log: Log): void {
    for (const { offset, value } of readAll(log, log.logStartOffset, 4000)) {
      const before = this.visible.get(offset)
      if (before !== undefined && before !== value) throw new Error(`offset ${offset} was ${before}, is ${value}`)
      this.visible.set(offset, value)
    }
  }

  check(log: Log): void {
    expect(log.failure).toBeUndefined()
    expect(log.logStartOffset).toBeGreaterThanOrEqual(this.logStart)
    expect(log.logStartOffset).toBeLessThanOrEqual(Math.max(this.logStart, this.askedLogStart))
    const now = new Map(readAll(log, log.logStartOffset, 4000).map(({ offset, value }) => [offset, value]))
    for (const known of [this.acknowledged, this.visible]) {
      for (const [offset, value] of known) if (offset >= log.logStartOffset) expect([offset, now.get(offset)]).toEqual([offset, value])
    }
    expect([...now.keys()]).toEqual([...now.keys()].sort((a, b) => a - b))
    const once = new Set(now.values())
    expect(once.size).toBe(now.size)
    this.visible.clear()
    for (const [offset, value] of now) this.visible.set(offset, value)
  }
}

describe('a power cut at any disk operation', () => {
  for (let from = 0; from < SEEDS; from += 20) {
    it(`loses nothing that was answered: seeds ${from} to ${from + 19}`, async () => {
      for (let seed = from; seed < from + 20; seed++) {
        await oneMachine(seed).catch((error: unknown) => {
          throw new Error(`seed ${seed}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
        })
      }
    })
  }
})

async function oneMachine(seed: number): Promise<void> {
  const random = randomFrom(seed)
  const machine = new SimulatedMachine({ random, tear: seed % 2 === 1 })
  const witnesses = Array.from({ length: PARTITIONS }, () => new Witness())
  let serial = 0
  for (let life = 0; life < 6; life++) {
    machine.cutAt = machine.operations + 1 + Math.floor(random() * (life % 2 === 0 ? 300 : 60))
    try {
      const store = await openStore(machine)
      const logs = await Promise.all(witnesses.map((_, partition) => openTopic(store, CONFIG, partition)))
      witnesses.forEach((witness, partition) => witness.check(logs[partition]))
      serial = await work(machine, logs, witnesses, random, serial)
      if (random() < 0.3) await store.close()
    } catch (error) {
      if (!isPowerCut(error, machine)) throw error
    }
    if (random() < 0.3) machine.kill()
    else machine.restart()
  }
  const store = await openStore(machine)
  const logs = await Promise.all(witnesses.map((_, partition) => openTopic(store, CONFIG, partition)))
  witnesses.forEach((witness, partition) => witness.check(logs[partition]))
}

/** Appends here and there until the machine is off or there is enough. */
async function work(
  machine: SimulatedMachine,
  logs: Log[],
  witnesses: Witness[],
  random: () => number,
  serial: number,
): Promise<number> {
  const isOff = () => machine.isOff
  for (let step = 0; step < 40 && !isOff(); step++) {
    const partition = Math.floor(random() * PARTITIONS)
    const log = logs[partition]
    const witness = witnesses[partition]
    if (random() < 0.05) {
      witness.askedLogStart = Math.max(witness.askedLogStart, log.highWatermark)
      const target = log.highWatermark
      log.deleteRecordsBefore(target).then(
        () => (witness.logStart = Math.max(witness.logStart, target)),
        () => {},
      )
    } else {
      const values = Array.from({ length: 1 + Math.floor(random() * 4) }, () => `${serial++}:${'x'.repeat(random() * 200)}`)
      const { baseOffset, lastOffset } = log.append(batch(values), 'client')
      log.safe(lastOffset + 1).then(
        () => values.forEach((value, index) => witness.acknowledged.set(baseOffset + index, value)),
        () => {},
      )
    }
    if (random() < 0.5) await turn()
    if (random() < 0.3 && !isOff()) witness.see(log)
  }
  return serial
}

function isPowerCut(error: unknown, machine: SimulatedMachine): boolean {
  return machine.isOff && (error instanceof DiskError || (error instanceof KafkaError && error.error === 'KAFKA_STORAGE_ERROR'))
}
