// Links, files and directories in the places of a data directory's own: never followed, never taken for an empty log, and
// never a reason for the other partitions not to be served.

import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Fetch } from '../../src/protocol/apis/fetch.ts'
import { Produce } from '../../src/protocol/apis/produce.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { ZERO_UUID } from '../../src/protocol/reader.ts'
import { temporaryDirectory, testBroker, type TestBroker } from '../support/broker.ts'
import { batchOf } from '../support/raw-client.ts'

const FIRST = '00000000000000000000'

async function produce({ connect }: TestBroker, topic: string): Promise<string> {
  const client = await connect()
  const topicData = [{ name: topic, topicId: ZERO_UUID, partitionData: [{ index: 0, records: batchOf(['x']) }] }]
  const { responses } = await client.call(Produce, 9, { transactionalId: null, acks: -1, timeoutMs: 5000, topicData })
  return errorName(responses[0].partitionResponses[0].errorCode)
}

async function fetch({ connect }: TestBroker, topic: string): Promise<{ error: string; highWatermark: number }> {
  const client = await connect()
  const { responses } = await client.call(Fetch, 4, {
    replicaId: -1, maxWaitMs: 0, minBytes: 1, maxBytes: 1 << 20, isolationLevel: 0,
    topics: [{ topic, topicId: ZERO_UUID, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }] }],
  }) // prettier-ignore
  const [{ errorCode, highWatermark }] = responses[0].partitions
  return { error: errorName(errorCode), highWatermark }
}

/** A stopped broker's directory with one record in t-0 and one in u-0. */
async function dataDirectory(): Promise<string> {
  const directory = temporaryDirectory()
  const first = await testBroker({ properties: { 'log.dirs': directory }, topics: ['t', 'u'] })
  for (const topic of ['t', 'u']) expect(await produce(first, topic)).toBe('NONE')
  await first.broker.stop()
  return directory
}

/** Puts a link to a copy, or a file or directory, in place of `path`; the way back. */
function replace(path: string, by: 'link' | 'dangling link' | 'file' | 'directory'): () => void {
  const aside = join(path, '..', '..', '.aside')
  renameSync(path, aside)
  if (by === 'link') symlinkSync(aside, path)
  else if (by === 'dangling link') symlinkSync('/nonexistent/x', path)
  else if (by === 'file') writeFileSync(path, 'not yours')
  else mkdirSync(path)
  return () => {
    rmSync(path, { recursive: true, force: true })
    renameSync(aside, path)
  }
}

const CASES = [
  ['t-0', 'link'], ['t-0', 'dangling link'], ['t-0', 'file'],
  [`t-0/${FIRST}.log`, 'link'], [`t-0/${FIRST}.log`, 'dangling link'], [`t-0/${FIRST}.log`, 'directory'],
  [`t-0/${FIRST}.index`, 'link'], [`t-0/${FIRST}.timeindex`, 'directory'],
  ['t-0/leader-epoch-checkpoint', 'directory'], ['t-0/leader-epoch-checkpoint', 'link'],
  ['t-0/partition.metadata', 'directory'], ['t-0/partition.metadata', 'link'],
] as const // prettier-ignore

test.each(CASES)('%s replaced by a %s: that partition answers with an error, the other serves, nothing is lost', async (name, by) => {
  const directory = await dataDirectory()
  const outside = temporaryDirectory()
  writeFileSync(join(outside, 'precious'), '1')
  const restore = replace(join(directory, name), by)

  const second = await testBroker({ properties: { 'log.dirs': directory } })
  expect(second.lines.filter((line) => line.includes("partition t-0 can't be opened") && line.includes(join(directory, name)))).toHaveLength(1)
  expect(await produce(second, 't')).toBe('KAFKA_STORAGE_ERROR')
  expect(await fetch(second, 't')).toMatchObject({ error: 'KAFKA_STORAGE_ERROR' })
  expect(await produce(second, 'u')).toBe('NONE')
  await second.broker.stop()
  // The partition was not looked at: no word that everything is as a clean stop leaves it.
  expect(readdirSync(directory)).not.toContain('.kafka_cleanshutdown')

  restore()
  const third = await testBroker({ properties: { 'log.dirs': directory } })
  expect(await fetch(third, 't')).toEqual({ error: 'NONE', highWatermark: 1 })
  expect(await fetch(third, 'u')).toEqual({ error: 'NONE', highWatermark: 2 })
})

test('nothing is written through a link in place of a partition directory, nor when its topic is made', async () => {
  const directory = await dataDirectory()
  const outside = temporaryDirectory()
  rmSync(join(directory, 't-0'), { recursive: true })
  symlinkSync(outside, join(directory, 't-0'))
  symlinkSync(outside, join(directory, 'fresh-0'))
  const second = await testBroker({ properties: { 'log.dirs': directory }, topics: ['fresh', 'other'] })
  expect(await produce(second, 'fresh')).toBe('KAFKA_STORAGE_ERROR')
  expect(await produce(second, 'other')).toBe('NONE')
  await second.broker.stop()
  expect(readdirSync(outside)).toEqual([])
  expect(lstatSync(join(directory, 't-0')).isSymbolicLink()).toBe(true)
})

test.each(['link', 'file'] as const)('a %s in place of the metadata log: no start, and nothing is touched', async (by) => {
  const directory = await dataDirectory()
  const restore = replace(join(directory, '__cluster_metadata-0'), by)
  const before = readdirSync(directory)
  await expect(testBroker({ properties: { 'log.dirs': directory } })).rejects.toThrow(/__cluster_metadata-0 is a link or a file/)
  expect(readdirSync(directory)).toEqual(before)
  restore()
  expect(await fetch(await testBroker({ properties: { 'log.dirs': directory } }), 't')).toMatchObject({ highWatermark: 1 })
})

test.each([
  'meta.properties', 'recovery-point-offset-checkpoint', 'log-start-offset-checkpoint', `__cluster_metadata-0/${FIRST}.log`,
])('%s as a directory or a link: no start, in words', async (name) => {
  const directory = await dataDirectory()
  for (const by of ['directory', 'link'] as const) {
    const content = readFileSync(join(directory, name))
    const restore = replace(join(directory, name), by)
    await expect(testBroker({ properties: { 'log.dirs': directory } })).rejects.toThrow(name)
    restore()
    expect(readFileSync(join(directory, name))).toEqual(content)
  }
  expect(await fetch(await testBroker({ properties: { 'log.dirs': directory } }), 't')).toMatchObject({ highWatermark: 1 })
}) // prettier-ignore
