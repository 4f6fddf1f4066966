// A file of 100-byte lines through `ktool produce` and through kcat to the same broker: wall time, start-up included.
// Needs dist/ and kcat. Run: npx vitest bench --run --config test/vitest.config.ts test/bench/produce

import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterAll, beforeAll, bench, describe } from 'vitest'
import { type Broker, LINES, linesFile, MAIN, run, startBroker } from './end-to-end.ts'

const input = linesFile()
const options = { iterations: 3, time: 0, warmupIterations: 1, warmupTime: 0 }
let broker: Broker

beforeAll(async () => {
  broker = await startBroker()
})
afterAll(() => {
  broker.stop()
  rmSync(dirname(input), { recursive: true })
})

describe(`${LINES} lines of 100 bytes`, () => {
  bench('kcat', () => run('kcat', ['-P', '-b', broker.address, '-t', 'kcat'], input), options)
  bench('ktool', () => run(process.execPath, [MAIN, 'produce', '-b', broker.address, '--allow-auto-topic-creation', '--topic', 'ktool'], input), options)
})
