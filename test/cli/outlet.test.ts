import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ByteSink } from '../../src/cli/formats/byte-sink.ts'
import { envelopeFormat } from '../../src/cli/formats/envelope-format.ts'
import { type RecordFormat, textFormat } from '../../src/cli/formats/record-format.ts'
import { Outlet } from '../../src/cli/verbs/outlet.ts'
import { batchesOf, type FetchedRecords } from '../../src/client/consumer-batches.ts'
import type { ByteOutput } from '../../src/kernels/byte-output.ts'
import { stampOffset } from '../../src/protocol/record-batch.ts'
import { batchOf } from '../support/raw-client.ts'

/** Takes so many bytes, then the pipe breaks. */
class BreakingSink implements ByteSink {
  readonly #room: number
  isClosed = false
  taken = 0
  text = ''

  constructor(room: number) {
    this.#room = room
  }

  write(out: ByteOutput): Promise<void> {
    const size = this.isClosed ? 0 : Math.min(out.at, this.#room - this.taken)
    this.text += out.bytes.toString('latin1', 0, size)
    this.taken += size
    if (size < out.at) this.isClosed = true
    out.at = 0
    return Promise.resolve()
  }

  end(): Promise<void> {
    return Promise.resolve()
  }

  abandon(): void {
    this.isClosed = true
  }
}

function fetchedOf(batches: readonly (readonly string[])[], partition: number, from: number, until: number): FetchedRecords {
  let next = 0
  const bytes = batches.map((values) => {
    const bytes = Buffer.from(batchOf(values))
    stampOffset(bytes, 0, next, 0)
    next += values.length
    return bytes
  })
  return { topic: 't', partition, bytes: Buffer.concat(bytes), from, until, next, aborted: [], codecs: new Set() }
}

const FORMATS: Record<string, () => RecordFormat> = {
  values: () => textFormat(new Map()),
  'keys and offsets': () => textFormat(new Map([['print.key', 'true'], ['print.offset', 'true']])), // prettier-ignore
  json: envelopeFormat,
}

describe('Outlet', () => {
  it.each(Object.keys(FORMATS))('knows, wherever the pipe breaks, which records went through whole: %s', async (name) => {
    const values = fc.array(fc.string({ maxLength: 12 }).map((text) => text.replaceAll('\n', '')), { minLength: 1, maxLength: 8 })
    const fetches = fc.array(fc.tuple(fc.array(values, { minLength: 1, maxLength: 4 }), fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 3 })), { minLength: 1, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(fetches, fc.integer({ min: 0, max: 2_000 }), fc.boolean(), async (given, room, flushesEach) => {
        const sink = new BreakingSink(room)
        const positions = new Map<FetchedRecords, number>()
        const format = FORMATS[name]()
        const outlet = new Outlet(format, sink, (place, next) => positions.set(place, next))
        const all = given.map(([batches, partition, from]) => fetchedOf(batches, partition, from, Infinity))
        for (const fetched of all) {
          if (sink.isClosed) break
          await outlet.print(fetched, batchesOf(fetched, true), Infinity, () => sink.isClosed)
          if (flushesEach) await outlet.write()
        }
        await outlet.flush()
        // What a format prints of each record, one after the other.
        let at = 0
        for (const fetched of all) {
          let expected: number | undefined
          for (let offset = fetched.from; offset < fetched.next; offset++) {
            at += await sizeOf(FORMATS[name](), { ...fetched, from: offset, until: offset + 1 })
            if (at <= sink.taken) expected = offset + 1
          }
          expect(Math.max(fetched.from, positions.get(fetched) ?? 0)).toBe(expected ?? fetched.from)
        }
      }),
      { numRuns: 200 },
    )
  })

  it('counts what it printed, not what it printed again to measure', async () => {
    const sink = new BreakingSink(5)
    const outlet = new Outlet(textFormat(new Map()), sink, () => undefined)
    const fetched = fetchedOf([['one', 'two', 'three']], 0, 0, Infinity)
    await outlet.print(fetched, batchesOf(fetched, true), Infinity, () => false)
    await outlet.flush()
    expect([outlet.printed, sink.text]).toEqual([3, 'one\nt'])
  })
})

async function sizeOf(format: RecordFormat, fetched: FetchedRecords): Promise<number> {
  const sink = new BreakingSink(Infinity)
  const outlet = new Outlet(format, sink)
  await outlet.print(fetched, batchesOf(fetched, true), Infinity, () => false)
  await outlet.flush()
  return sink.taken
}
