// A topic of 100-byte records through `ktool consume` and through kcat, with its queue as large as it does best with, to
// /dev/null: wall time, start-up included. We check checksums, kcat doesn't.
// Needs dist/ and kcat. Run: npx vitest bench --run --config test/vitest.config.ts test/bench/consume

import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterAll, beforeAll, bench, describe } from 'vitest'
import { type Broker, LINES, linesFile, MAIN, run, startBroker } from './end-to-end.ts'

const options = { iterations: 3, time: 0, warmupIterations: 1, warmupTime: 0 }
const queue = ['-X', 'queued.min.messages=10000000', '-X', 'queued.max.messages.kbytes=2000000']
let broker: Broker

beforeAll(async () => {
  broker = await startBroker()
  const input = linesFile()
  run(process.execPath, [MAIN, 'produce', '-b', broker.address, '--allow-auto-topic-creation', '--topic', 't'], input)
  rmSync(dirname(input), { recursive: true })
})
afterAll(() => broker.stop())

// kcat learns that a partition ends from an empty fetch, for which the broker lets it wait; by a count it need not.
describe(`${LINES} records of 100 bytes, to the end`, () => {
  bench('kcat', () => run('kcat', ['-C', '-e', '-q', '-b', broker.address, '-t', 't', ...queue]), options)
  bench('ktool', () => run(process.execPath, [MAIN, 'consume', '-b', broker.address, '--topic', 't', '--from-beginning', '--exit-at-end']), options)
})

describe(`${LINES} records of 100 bytes, by their count`, () => {
  const count = String(LINES)
  bench('kcat', () => run('kcat', ['-C', '-c', count, '-q', '-b', broker.address, '-t', 't', ...queue]), options)
  bench('ktool', () => run(process.execPath, [MAIN, 'consume', '-b', broker.address, '-t', 't', '--from-beginning', '--max-messages', count]), options)
})
