// Random operations against a model of a few lines: a log is a list of records that grows at the end and is cut at the
// start, whatever segments, indexes, restarts and power cuts do underneath.

import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Log } from '../../src/storage/log.ts'
import type { LogStore } from '../../src/storage/log-store.ts'
import { SimulatedMachine } from '../support/simulated-disk.ts'
import { NOW, durable, keyed, openStore, openTopic, readAll } from './fixtures.ts'

interface ModelRecord {
  readonly offset: number
  readonly value: string
  readonly timestamp: number
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('append' as const), sizes: fc.array(fc.nat(300), { minLength: 1, maxLength: 4 }), time: fc.nat(1000), codec: fc.constantFrom('none' as const, 'gzip' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('read' as const), at: fc.double({ min: 0, max: 1, noNaN: true }), maxBytes: fc.nat(2000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('time' as const), time: fc.nat(1200) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), at: fc.double({ min: 0, max: 1, noNaN: true }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reopen' as const), how: fc.constantFrom('clean' as const, 'kill' as const, 'power' as const) }) },
)

const settings = fc.record({
  segmentBytes: fc.constantFrom(1500, 3000, 1_000_000),
  indexIntervalBytes: fc.constantFrom(0, 150, 4096),
  segmentMs: fc.constantFrom(200, 1_000_000),
  segmentIndexBytes: fc.constantFrom(40, 10_000),
})

it('a log is a list of records', async () => {
  await fc.assert(
    fc.asyncProperty(settings, fc.array(step, { maxLength: 40 }), async (chosen, steps) => {
      const config = { ...durable, ...chosen, fileDeleteDelayMs: 0 }
      const machine = new SimulatedMachine()
      let store: LogStore = await openStore(machine, { maxOpenSegments: 2 })
      let log: Log = await openTopic(store, config)
      let model: ModelRecord[] = []
      let start = 0
      let end = 0
      const check = () => {
        expect([log.logStartOffset, log.logEndOffset, log.highWatermark]).toEqual([start, end, end])
        expect(readAll(log)).toEqual(model.map(({ offset, value }) => ({ offset, value })))
      }
      for (const each of steps) {
        if (each.kind === 'append') {
          const added = each.sizes.map((size, index) => ({ offset: end + index, value: `${end + index}`.padEnd(size, '.'), timestamp: NOW + ((each.time * (index + 7)) % 1000) }))
          log.append(keyed(added.map(({ value, timestamp }) => [null, value, timestamp]), { codec: each.codec }), 'client')
          model.push(...added)
          end += added.length
          if (each.time % 2 === 0) await log.safe(end)
          continue
        }
        await log.safe(end)
        if (each.kind === 'read') {
          const from = start + Math.floor(each.at * (end - start))
          expect(readAll(log, from, each.maxBytes).map(({ value }) => value)).toEqual(model.filter(({ offset }) => offset >= from).map(({ value }) => value))
        } else if (each.kind === 'time') {
          const first = model.find(({ timestamp }) => timestamp >= NOW + each.time)
          expect(log.offsetForTimestamp(NOW + each.time)?.offset).toBe(first?.offset)
        } else if (each.kind === 'delete') {
          start = Math.max(start, start + Math.floor(each.at * (end - start)))
          await log.deleteRecordsBefore(start)
          model = model.filter(({ offset }) => offset >= start)
        } else {
          if (each.how === 'clean') await store.close()
          if (each.how === 'power') machine.restart()
          else machine.kill()
          store = await openStore(machine, { maxOpenSegments: 2 })
          log = await openTopic(store, config)
        }
        check()
      }
      await log.safe(end)
      check()
    }),
    { numRuns: 150 },
  )
})
