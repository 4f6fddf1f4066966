// Apache's own tools against our broker: every step must say what it says against Apache Kafka.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ApacheBroker, startApache } from './support/apache.ts'
import { ktoolEnv, type OurBroker, startBroker } from './support/broker.ts'
import { kafkaTool, tryPeer } from './support/peers.ts'
import { expectSame, play, type Step } from './support/transcript.ts'

type Tool = Parameters<typeof kafkaTool>[0]

const isThere = tryPeer('Apache Kafka', () => kafkaTool('kafka-topics')) !== undefined
const SETTLE_MS = 200
const directory = mkdtempSync(join(tmpdir(), 'ktool-java-tools-'))
let ours: OurBroker | undefined
let theirs: ApacheBroker | undefined

beforeAll(async () => {
  if (!isThere) return
  theirs = await startApache({ directory: join(directory, 'apache') })
  ours = await startBroker(['--data-dir', join(directory, 'ours')], ktoolEnv(directory))
})

afterAll(async () => {
  await ours?.stop()
  await theirs?.stop()
  rmSync(directory, { recursive: true, force: true })
})

function step(tool: Tool, args: string, more: Partial<Step> = {}): Step {
  const words = args.split(' ').filter((word) => word !== '')
  return { name: `${tool} ${args}`, peer: kafkaTool(tool), args: ['--bootstrap-server', 'ADDRESS', ...words], ...more }
}

function same(steps: () => Step[]): void {
  const made = steps()
  expectSame(play(made, ours?.address ?? ''), play(made, theirs?.address ?? '', SETTLE_MS))
}

test.skipIf(!isThere)('kafka-topics and kafka-configs', () => {
  const orders = '--entity-type topics --entity-name orders'
  // Ours is durable per record by default; Apache leaves it to the page cache.
  const flush = (text: string) => text.replaceAll(/^\s*flush\.messages=.*$/gm, '  flush.messages')
  same(() => [
    step('kafka-topics', '--create --topic orders --partitions 3 --config retention.ms=60000'),
    step('kafka-topics', '--create --topic orders --partitions 3'),
    step('kafka-topics', '--create --topic orders --partitions 3 --if-not-exists'),
    step('kafka-topics', '--create --topic bad/name'),
    step('kafka-topics', '--create --topic wide --replication-factor 3'),
    step('kafka-topics', '--create --topic second'),
    step('kafka-topics', '--list'),
    step('kafka-topics', '--describe --topic orders'),
    step('kafka-topics', '--describe --topic absent'),
    step('kafka-topics', '--alter --topic orders --partitions 5'),
    step('kafka-topics', '--alter --topic orders --partitions 2'),
    step('kafka-topics', '--describe --topic orders '),
    step('kafka-configs', `--alter ${orders} --add-config cleanup.policy=compact,segment.bytes=1048576`),
    step('kafka-configs', `--alter ${orders} --add-config no.such.config=1`),
    step('kafka-configs', `--alter ${orders} --add-config retention.ms=soon`),
    step('kafka-configs', `--describe ${orders}`),
    step('kafka-configs', `--alter ${orders} --delete-config cleanup.policy`),
    step('kafka-configs', `--describe ${orders} --all`, { mask: flush }),
    step('kafka-topics', '--delete --topic second'),
    step('kafka-topics', '--delete --topic second '),
    step('kafka-topics', '--list '),
  ])
})

test.skipIf(!isThere)('console producer and consumer, offsets, log directories, deleting records', () => {
  const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
  const lines = Array.from({ length: 100 }, (_, index) => `h:${index}\tkey ${index}\tvalue ${index}\n`).join('')
  const offsets = join(directory, 'offsets.json')
  writeFileSync(offsets, JSON.stringify({ version: 1, partitions: [{ topic: 'text', partition: 0, offset: 42 }] }))
  const beyond = join(directory, 'beyond.json')
  writeFileSync(beyond, JSON.stringify({ version: 1, partitions: [{ topic: 'text', partition: 0, offset: 100_000 }] }))
  const reader = '--reader-property parse.key=true --reader-property parse.headers=true'
  const printing = ['key', 'offset', 'headers', 'partition'].map((name) => `--formatter-property print.${name}=true`).join(' ')
  const logDirectories = (text: string) => text.replaceAll(/"(logDir|path)":"[^"]*"/g, '"$1":"DIR"').replaceAll(/"size":\d+/g, '"size":N')
  same(() => [
    step('kafka-topics', '--create --topic text --partitions 1'),
    ...codecs.map((codec) => step('kafka-console-producer', `--topic text --compression-codec ${codec} ${reader}`, { input: lines })),
    step('kafka-console-consumer', `--topic text --partition 0 --offset earliest --max-messages 500 ${printing}`),
    step('kafka-console-consumer', '--topic text --partition 0 --offset 498 --timeout-ms 4000'),
    step('kafka-get-offsets', '--topic text'),
    step('kafka-get-offsets', '--topic text --time earliest'),
    // The console producer's times are the clock's: which record has the latest is chance.
    step('kafka-get-offsets', '--topic text --time max-timestamp', { mask: (text) => text.replace(/\d+$/m, 'N') }),
    step('kafka-get-offsets', '--topic absent'),
    step('kafka-log-dirs', '--describe --topic-list text', { mask: logDirectories }),
    step('kafka-delete-records', `--offset-json-file ${offsets}`),
    step('kafka-delete-records', `--offset-json-file ${beyond}`),
    step('kafka-get-offsets', '--topic text --time -2'),
    step('kafka-console-consumer', `--topic text --partition 0 --offset earliest --max-messages 3 ${printing}`),
  ])
})

test.skipIf(!isThere)('kafka-producer-perf-test', () => {
  const args = '--topic perf --num-records 100000 --record-size 100 --throughput -1 --command-property bootstrap.servers=ADDRESS'
  const [played] = play([{ name: 'perf', peer: kafkaTool('kafka-producer-perf-test'), args: args.split(' ') }], ours?.address ?? '')
  expect(played.stdout).toMatch(/^100000 records sent/m)
  expect(played.exit).toBe(0)
})
