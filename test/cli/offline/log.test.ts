// `ktool log verify` and `ktool log dump` over files that are sound and files that are not.

import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { filesToVerify, verifyFile } from '../../../src/cli/offline/verify.ts'
import { writeLogFiles } from '../../conformance/tools/log-files.ts'
import { Sandbox } from '../sandbox.ts'

const directory = mkdtempSync(join(tmpdir(), 'ktool-verify-'))
const sandbox = new Sandbox()
const LOG = '00000000000000000000.log'
await writeLogFiles(directory)

afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
  sandbox.close()
})

async function problems(...path: readonly string[]): Promise<readonly string[]> {
  return (await verifyFile(join(directory, ...path))).problems
}

test('what Kafka wrote is sound: logs of all codecs and formats, indexes with zeros behind them, snapshots', async () => {
  const files = filesToVerify(['orders-0', 'legacy-0', 'kafka', '__consumer_offsets-0'].map((name) => join(directory, name)))
  expect(files.length).toBeGreaterThan(8)
  for (const file of files) expect((await verifyFile(file)).problems, file).toEqual([])
  expect(await verifyFile(join(directory, 'orders-0', LOG))).toMatchObject({ batches: 11, records: 20 })
})

test('damage is told with its place', async () => {
  expect(await problems('crc-0', LOG)).toEqual(['batch at offset 2, position 79: wrong checksum'])
  expect(await problems('garbage-0', LOG)).toEqual(['33 bytes behind position 149 are no whole batch'])
  expect(await problems('cut-0', LOG)).toEqual(['65 bytes behind position 79 are no whole batch'])
  expect(await problems('garbage-0', '00000000000000000000.index')).toContain('entry for offset 3 at position 79: the batch there ends at offset 2')
  expect(await problems('garbage-0', '00000000000000000000.timeindex')).toContain('entry for time 1000000000005, offset 2: not behind the one before')
  expect(await problems('alone-0', '00000000000000000000.index')).toEqual(['there is no log beside it'])
  expect((await problems('snapshots', '00000000000000000001.snapshot'))[0]).toMatch(/^Snapshot is corrupt/)
})

test('every bit that changes in a batch is noticed', async () => {
  const bytes = readFileSync(join(directory, 'garbage-0', LOG)).subarray(0, 149)
  const copy = join(directory, 'flipped-0', LOG)
  cpSync(join(directory, 'garbage-0'), join(directory, 'flipped-0'), { recursive: true })
  for (let at = 16; at < bytes.length; at++) {
    // Offset and leader epoch lie outside of the checksum: a later epoch or a gap in the offsets may be as it should.
    if (at >= 79 && at < 79 + 8) continue
    if (at >= 79 + 12 && at < 79 + 16) continue
    const changed = Buffer.from(bytes)
    changed[at] ^= 0x80
    writeFileSync(copy, changed)
    expect((await verifyFile(copy)).problems, `byte ${at}`).not.toEqual([])
  }
})

test('the commands: exit codes, JSON, and a record of an internal topic in words', async () => {
  const sound = await sandbox.run(['log', 'verify', join(directory, 'orders-0')])
  expect(sound).toMatchObject({ code: 0, stderr: '' })
  appendFileSync(join(directory, 'late-0/00000000000000000040.log'), 'more')
  const bad = await sandbox.run(['log', 'verify', '--json', join(directory, 'late-0/00000000000000000040.log')])
  expect(bad.code).toBe(1)
  expect(JSON.parse(bad.stdout)).toMatchObject({ batches: 2, problems: ['4 bytes behind position 139 are no whole batch'] })
  expect((await sandbox.run(['log', 'verify', join(directory, 'nowhere')])).code).toBe(2)

  const batches = await sandbox.run(['log', 'dump', '--json', join(directory, 'orders-0', LOG)])
  expect(batches.stdout.trim().split('\n').map((line) => (JSON.parse(line) as { codec: string }).codec).slice(0, 5)).toEqual(['none', 'gzip', 'snappy', 'lz4', 'zstd'])
  const records = await sandbox.run(['log', 'dump', '-r', join(directory, '__transaction_state-0', LOG)])
  expect(records.stdout).toContain('{"transactionalId":"tx"}')
  expect((await sandbox.run(['log', 'dump', join(directory, 'cut-0', LOG)])).code).toBe(1)
})
