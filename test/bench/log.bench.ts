// The log beside dd on the same file system in the same run: buffered writes, then each write synced before the next.
// An appended batch is validated (checksum and every record), stamped and indexed; dd only copies. The printed ratios
// are the result; absolute figures are the disk's. Run: npx vitest bench --run --config test/vitest.config.ts test/bench/log.bench

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, bench, describe } from 'vitest'
import { type LogConfig, defaultLogConfig } from '../../src/storage/log-config.ts'
import { openLogStore } from '../../src/storage/log-store.ts'
import { batch, durable } from '../storage/fixtures.ts'

const TOTAL = 256 * 1024 * 1024
const home = mkdtempSync(join(process.env.KTOOL_BENCH_DIR ?? tmpdir(), 'ktool-bench-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

const once = { time: 0, iterations: 3, warmupTime: 0, warmupIterations: 0 }
let serial = 0

/** MB/s of dd. */
function dd(blockBytes: number, total: number, flag: string): number {
  const file = join(home, 'dd')
  const args = ['if=/dev/zero', `of=${file}`, `bs=${blockBytes}`, `count=${Math.floor(total / blockBytes)}`, flag]
  const start = performance.now()
  const result = spawnSync('dd', args, { encoding: 'utf8' })
  const seconds = Number(/, ([\d.]+) s,/.exec(result.stderr)?.[1] ?? (performance.now() - start) / 1000)
  rmSync(file)
  return total / 1e6 / seconds
}

/** MB/s of appends: `depth` wait for the flush at once, as a connection's or several connections' requests do. */
async function appendAll(config: LogConfig, records: number, total: number, depth: number): Promise<number> {
  const directory = join(home, `data${serial++}`)
  const store = await openLogStore({ directory, nodeId: 1, reserveBytes: 0 })
  const log = await store.openLog('t', 0, 'Tn9u3dAJSGe0TcPVCbVM4A', config)
  const template = batch(Array.from({ length: records }, () => 'x'.repeat(100)))
  // A copy each: the log keeps large batches by reference until they are written, as it would a frame.
  const frames = Array.from({ length: depth }, () => Buffer.from(template))
  const start = performance.now()
  for (let done = 0; done < total; ) {
    let last = 0
    for (const frame of frames) {
      frame.writeBigInt64BE(0n, 0)
      last = log.append(frame, 'client').lastOffset
      done += frame.length
    }
    await log.safe(last + 1)
  }
  const seconds = (performance.now() - start) / 1000
  await store.close()
  rmSync(directory, { recursive: true })
  return total / 1e6 / seconds
}

async function compare(name: string, ours: () => Promise<number>, theirs: () => number): Promise<void> {
  const [log, peer] = [await ours(), theirs()]
  process.stdout.write(`${name}: log ${log.toFixed(0)} MB/s, dd ${peer.toFixed(0)} MB/s, ratio ${(log / peer).toFixed(2)}\n`)
}

describe('appending', () => {
  for (const records of [10, 150, 1200, 9000]) {
    const size = batch(Array.from({ length: records }, () => 'x'.repeat(100))).length
    const total = Math.min(TOTAL, size * 40_000)
    const depth = Math.max(1, Math.floor(4_000_000 / size))
    bench(`page cache, batches of ${size} bytes`, () =>
      compare(`page cache, ${size} B`, () => appendAll(defaultLogConfig, records, total, depth), () => dd(Math.min(size * depth, 1 << 20), total, 'conv=notrunc')), once)
    bench(`group commit of 64, batches of ${size} bytes`, () =>
      compare(`group commit of 64, ${size} B`, () => appendAll(durable, records, Math.min(total, size * 64 * 100), 64), () => dd(size * 64, Math.min(total, size * 64 * 100), 'oflag=dsync')), once)
    bench(`one at a time, batches of ${size} bytes`, () =>
      compare(`one at a time, ${size} B`, () => appendAll(durable, records, size * 200, 1), () => dd(size, size * 200, 'oflag=dsync')), once)
  }
})
