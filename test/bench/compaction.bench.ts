// What compacting a million records costs, and how long it keeps others waiting. A program, not a test:
//
//   npx esbuild test/bench/compaction.bench.ts --bundle --platform=node --format=cjs --loader:.wasm=empty \
//     --outfile=/tmp/compaction.bench.cjs && node /tmp/compaction.bench.cjs

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { BatchBuilder } from '../../src/protocol/batch-builder.ts'
import { type CompressionCodec, prepareCodec } from '../../src/protocol/compression/index.ts'
import { defaultLogConfig } from '../../src/storage/log-config.ts'
import { openLogStore } from '../../src/storage/log-store.ts'

const RECORDS = 1_000_000
const KEYS = 200_000
const MiB = 1024 * 1024
const CONFIG = { ...defaultLogConfig, cleanupPolicy: new Set(['compact'] as const), segmentBytes: 4 * MiB, minCleanableDirtyRatio: 0 }

async function measure(codec: CompressionCodec): Promise<void> {
  await prepareCodec(codec)
  const directory = mkdtempSync(join(tmpdir(), 'ktool-bench-'))
  const store = await openLogStore({ directory, nodeId: 1 })
  const log = await store.openLog('t', 0, 'Tn9u3dAJSGe0TcPVCbVM4A', CONFIG)
  const builder = new BatchBuilder(MiB)
  for (let index = 0; index < RECORDS; ) {
    for (const end = index + 100; index < end; index++) {
      builder.append(Buffer.from(`user-${(index * 7919) % KEYS}`), Buffer.alloc(100, 97 + (index % 26)), [], Date.now())
    }
    log.append(builder.finish({ codec }), 'client')
    if (index % 50_000 === 0) await log.safe(index)
  }
  await delay(300)
  const turns = monitorEventLoopDelay({ resolution: 1 })
  turns.enable()
  const before = { at: performance.now(), cpu: process.cpuUsage(), bytes: log.sizeBytes, memory: process.memoryUsage.rss() }
  await store.cleaner.cleanDirtiest([log], 128 * MiB)
  const { user, system } = process.cpuUsage(before.cpu)
  const figures = {
    seconds: (performance.now() - before.at) / 1000,
    cpuSeconds: (user + system) / 1e6,
    'MiB before': before.bytes / MiB,
    'MiB after': log.sizeBytes / MiB,
    'turn p50 ms': turns.percentile(50) / 1e6,
    'turn p99 ms': turns.percentile(99) / 1e6,
    'memory +MiB': (process.memoryUsage.rss() - before.memory) / MiB,
  }
  console.log(codec, Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, Number(value.toFixed(2))])))
  await store.close()
  rmSync(directory, { recursive: true })
}

async function main(): Promise<void> {
  for (const codec of ['none', 'lz4', 'gzip'] as const) await measure(codec)
}

void main()
