// Kafka's disk format, judged by Apache: its dump tool reads every file ours writes, its broker starts on a directory
// ours has used, and ours opens what its broker leaves, stopped or copied while it ran.

import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { prepareCodec } from '../../src/protocol/compression/index.ts'
import { type LogStore, openLogStore } from '../../src/storage/log-store.ts'
import { batch, durable, readAll } from '../storage/fixtures.ts'
import { startApache } from './support/apache.ts'
import { kafkaTool, output } from './support/peers.ts'

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const CONFIG = { ...durable, segmentBytes: 60_000 }
const COUNT = 5000

const directory = mkdtempSync(join(tmpdir(), 'ktool-format-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))
beforeAll(async () => {
  for (const codec of CODECS) await prepareCodec(codec)
})

/** Appends COUNT records of each codec in batches of ten, through several segments and two leader epochs. */
async function write(store: LogStore, topicId: string): Promise<void> {
  const log = await store.openLog('t', 0, topicId, CONFIG)
  for (let index = 0; index < COUNT; index += 10) {
    const values = Array.from({ length: 10 }, (_, each) => `ours ${index + each} ${'-'.repeat(100)}`)
    const options = { codec: CODECS[(index / 10) % CODECS.length], producerId: 7000n, producerEpoch: 0, baseSequence: index }
    log.append(batch(values, options, Date.now()), 'client')
    if (index % 500 === 0) await log.safe(log.logEndOffset)
  }
  await log.safe(log.logEndOffset)
}

function files(at: string, suffix: string): string[] {
  return readdirSync(at).filter((name) => name.endsWith(suffix)).map((name) => join(at, name))
}

describe('what ours writes', () => {
  test('kafka-dump-log reads every log, index, time index and snapshot', async () => {
    const data = join(directory, 'ours')
    const store = await openLogStore({ directory: data, nodeId: 1 })
    await write(store, 'Tn9u3dAJSGe0TcPVCbVM4A')
    await store.close()
    const at = join(data, 't-0')
    const dump = (suffix: string, ...args: string[]) =>
      output(kafkaTool('kafka-dump-log'), ['--files', files(at, suffix).join(','), ...args])
    const logs = dump('.log', '--deep-iteration')
    expect(logs.match(/^\| offset: /gm)).toHaveLength(COUNT)
    expect(new Set(logs.match(/isvalid: \w+/g))).toEqual(new Set(['isvalid: true']))
    for (const codec of CODECS) expect(logs).toContain(`compresscodec: ${codec}`)
    for (const suffix of ['.index', '.timeindex']) {
      const sane = dump(suffix, '--index-sanity-check')
      expect(sane.match(/passed sanity check/g)).toHaveLength(files(at, suffix).length)
      // Without the flag it also compares each entry with the batch it names, and complains.
      expect(dump(suffix)).not.toMatch(/mismatch|Found/i)
    }
    expect(files(at, '.log').length).toBeGreaterThan(1)
    expect(dump('.snapshot')).toMatch(/producerId: 7000 .*lastSequence: 4999 lastOffset: 4999/)
  })
})

describe("what Apache's broker leaves", () => {
  test('is locked while it runs; opens afterwards, and copied from under it; goes back to Apache with more', async () => {
    const home = join(directory, 'apache')
    const data = join(home, 'data')
    const copy = join(directory, 'copy')
    let apache = await startApache({ directory: home })
    const create = ['--bootstrap-server', apache.address, '--create', '--topic', 't', '--config', 'segment.bytes=1048576']
    output(kafkaTool('kafka-topics'), create)
    const input = Array.from({ length: 20_000 }, (_, index) => `apache ${index} ${'-'.repeat(90)}\n`).join('')
    output(kafkaTool('kafka-console-producer'), ['--bootstrap-server', apache.address, '--topic', 't'], { input })
    await expect(openLogStore({ directory: data, nodeId: 1 })).rejects.toMatchObject({ name: 'LogStoreError', reason: 'locked' })
    cpSync(data, copy, { recursive: true, filter: (path) => !path.endsWith('.lock') })
    await apache.stop()

    for (const at of [copy, data]) {
      const store = await openLogStore({ directory: at, nodeId: 1 })
      expect(store.wasClean).toBe(at === data)
      for (const { topic, partition, topicId } of store.unopened()) {
        const log = await store.openLog(topic, partition, topicId ?? '', CONFIG)
        expect(log.failure).toBeUndefined()
        if (topic === 't') {
          const seen = readAll(log, 0, 100_000)
          expect(seen.map(({ offset, value }) => value.startsWith(`apache ${offset} `))).not.toContain(false)
          expect(seen).toHaveLength(20_000)
          expect(log.describeProducers()).toMatchObject([{ lastSequence: 19_999 }])
          await write(store, topicId ?? '')
        } else {
          expect(log.latestEpoch()).toBe(1)
        }
      }
      if (at === data) await expect(startApache({ directory: home })).rejects.toThrow()
      await store.close()
    }

    apache = await startApache({ directory: home })
    const consume = ['--bootstrap-server', apache.address, '--topic', 't', '--from-beginning', '--max-messages', '25000', '--timeout-ms', '30000']
    const lines = output(kafkaTool('kafka-console-consumer'), consume).split('\n')
    await apache.stop()
    expect(lines.filter((line) => line.startsWith('apache '))).toHaveLength(20_000)
    expect(lines.filter((line) => line.startsWith('ours '))).toHaveLength(COUNT)
  })
})
