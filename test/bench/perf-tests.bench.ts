// A million records of 100 bytes through kafka-producer-perf-test and back through kafka-consumer-perf-test, Apache's and
// ours, on a broker of ours: wall time, start-up included.
// Needs dist/ and Java. Run: npx vitest bench --run --config test/vitest.config.ts test/bench/perf-tests

import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, bench, describe } from 'vitest'
import { java } from '../conformance/support/peers.ts'
import { type Broker, LINES, MAIN, run, startBroker } from './end-to-end.ts'

const CLASSES = { 'kafka-producer-perf-test': 'ProducerPerformance', 'kafka-consumer-perf-test': 'ConsumerPerformance' } as const

const options = { iterations: 3, time: 0, warmupIterations: 1, warmupTime: 0 }
const bin = mkdtempSync(join(tmpdir(), 'ktool-bench-'))
let broker: Broker

beforeAll(async () => {
  for (const name of Object.keys(CLASSES)) symlinkSync(MAIN, join(bin, name))
  broker = await startBroker()
})
afterAll(() => {
  broker.stop()
  rmSync(bin, { recursive: true })
})

function test(tool: keyof typeof CLASSES, words: readonly string[]): void {
  const args = (): string[] => ['--bootstrap-server', broker.address, '--topic', 'perf', '--num-records', String(LINES), ...words]
  describe(`${tool}, ${LINES} records of 100 bytes`, () => {
    const [command, ...first] = java()
    bench('Apache', () => run(command, [...first, `org.apache.kafka.tools.${CLASSES[tool]}`, ...args()]), options)
    bench('ktool', () => run(process.execPath, [join(bin, tool), ...args()]), options)
  })
}

test('kafka-producer-perf-test', ['--record-size', '100', '--throughput', '-1'])
test('kafka-consumer-perf-test', [])
