// Our commands against Apache Kafka and against our own broker: the same command lines, the same output.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { type ApacheBroker, startApache } from './support/apache.ts'
import { ktool, ktoolEnv, type OurBroker, startBroker } from './support/broker.ts'
import { kafkaTool, tryPeer } from './support/peers.ts'
import { expectSame, play, type Step } from './support/transcript.ts'

const isThere = tryPeer('Apache Kafka', () => kafkaTool('kafka-storage')) !== undefined
const SETTLE_MS = 200
const directory = mkdtempSync(join(tmpdir(), 'ktool-tools-'))
let ours: OurBroker | undefined
let theirs: ApacheBroker | undefined

beforeAll(async () => {
  if (!isThere) return
  ours = await startBroker(['--data-dir', join(directory, 'ours')], ktoolEnv(directory))
  theirs = await startApache({ directory: join(directory, 'apache') })
})

afterAll(async () => {
  await ours?.stop()
  await theirs?.stop()
  rmSync(directory, { recursive: true, force: true })
})

function step(args: string, more: Partial<Step> = {}): Step {
  const [verb, ...rest] = args.split(' ')
  return { name: `ktool ${args}`, peer: ktool(), args: [verb, '-b', 'ADDRESS', ...rest], env: ktoolEnv(directory), mask: clocks, ...more }
}

/** Times of records, which are the clock's. */
function clocks(text: string): string {
  return text.replaceAll(/(?<="timestamp":|CreateTime:)\d{13}/g, 'TIME').replaceAll(/\d+ ?ms\b/g, 'N ms')
}

function same(...steps: Step[]): void {
  expectSame(play(steps, ours?.address ?? ''), play(steps, theirs?.address ?? '', SETTLE_MS))
}

describe.skipIf(!isThere)('the same output against both', () => {
  test('topics', () => {
    same(
      step('topics --create --topic orders --partitions 3 --config retention.ms=60000'),
      step('topics --create --topic orders'),
      step('topics --create --topic orders --if-not-exists'),
      step('topics --create --topic bad/name'),
      step('topics --create --topic wide --replication-factor 3'),
      step('topics --create --topic odd --config no.such=1'),
      step('topics --create --topic odd --config retention.ms=soon'),
      step('topics --create --topic second --json'),
      step('topics --list'),
      step('topics --list --json'),
      step('topics --describe'),
      step('topics --describe --topic orders'),
      step('topics --describe --topic orders --output table'),
      step('topics --describe --topic orders --json'),
      step('topics --describe --topic ordes'),
      step('topics --describe --topic ordes --json'),
      step('topics --alter --topic orders --partitions 6'),
      step('topics --alter --topic orders --partitions 2'),
      step('topics --delete --topic second'),
      step('topics --delete --topic second '.trim() + ' --if-exists'),
      step('topics --delete --topic third'),
      step('topics --list --output json'),
    )
  })

  test('configs', () => {
    // Ours is durable per record by default; Apache leaves it to the page cache.
    const flush = (text: string) => clocks(text).replaceAll(/^.*flush\.messages.*\n/gm, '').replaceAll(/\{[^{}]*"flush\.messages"[^{}]*\},?/g, '')
    same(
      step('topics --create --topic tuned'),
      step('configs --alter --topic tuned --add-config retention.ms=60000,cleanup.policy=compact'),
      step('configs --describe --topic tuned'),
      step('configs --describe --topic tuned --json'),
      step('configs --alter --topic tuned --delete-config retention.ms'),
      step('configs --describe --topic tuned --all', { mask: flush }),
      step('configs --alter --topic tuned --add-config retenton.ms=1'),
      step('configs --alter --topic tuned --add-config retention.ms=soon'),
      step('configs --alter --topic absent --add-config retention.ms=1'),
      step('configs --describe --topic absent'),
      step('configs --describe --topic absent --json'),
    )
  })

  test('produce and consume', () => {
    const lines = Array.from({ length: 500 }, (_, index) => `key ${index}:value ${index}\n`).join('')
    const keyed = '--property parse.key=true --property key.separator=:'
    const all = '--property print.key=true --property print.offset=true --property print.partition=true --property print.headers=true'
    const exact = '--exit-at-end --timeout 30s'
    same(
      step('topics --create --topic text --partitions 1'),
      ...['none', 'gzip', 'snappy', 'lz4', 'zstd'].map((codec) => step(`produce --topic text --compression-type ${codec} ${keyed}`, { input: lines })),
      step(`consume --topic text --from-beginning ${exact}`),
      step(`consume --topic text --from-beginning ${exact} ${all}`),
      step(`consume --topic text --from-beginning ${exact} --json`),
      step(`consume --topic text --partition 0 --offset 2490 ${exact}`),
      step(`consume --topic text --offset -3 ${exact} -v`),
      step('consume --topic text --from-beginning --max-messages 7'),
      step('consume --topic text --from-beginning --max-messages 9999 --timeout 2s --json'),
      step(`consume --topic text --partition 5 --from-beginning ${exact}`),
      step(`consume --topic txet --from-beginning ${exact}`),
      step('produce --topic txet', { input: 'a\n' }),
      step('produce --topic text --acks 0', { input: 'a\n' }),
      step('produce --topic text --acks 1 --sync', { input: 'a\nb\n' }),
      step(`produce --topic text ${keyed}`, { input: 'key:value\nno separator\n' }),
      step('produce --topic text --partition 9', { input: 'a\n' }),
      step('topics --create --topic keyed --partitions 12'),
      step(`produce --topic keyed ${keyed}`, { input: lines }),
      ...[0, 5, 11].map((partition) => step(`consume --topic keyed --partition ${partition} --from-beginning ${exact}`)),
      step('produce --topic made --allow-auto-topic-creation', { input: 'a\n' }),
    )
  })
})
