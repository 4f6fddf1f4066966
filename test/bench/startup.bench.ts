// How long a whole call takes that does little: `npx vitest bench --run --config test/vitest.config.ts test/bench/startup`.
// Compare with bare node in the same run; NODE_EXTRA_CA_CERTS costs each start 30 ms on Node 20 and is left out.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, bench, describe } from 'vitest'
import { type Broker, MAIN, startBroker } from './end-to-end.ts'

const env = { ...process.env, NODE_EXTRA_CA_CERTS: undefined }
const faces = mkdtempSync(join(tmpdir(), 'ktool-bench-'))

let broker: Broker

beforeAll(async () => {
  broker = await startBroker()
  for (const name of ['kafka-topics', 'kafka-consumer-groups']) symlinkSync(MAIN, join(faces, name))
})
afterAll(() => {
  broker.stop()
  rmSync(faces, { recursive: true })
})

const start = (args: readonly string[]) => () => {
  spawnSync(process.execPath, args, { env, stdio: 'ignore' })
}
const atBroker = (args: readonly string[]) => () => start([...args, '--bootstrap-server', broker.address])()

describe('start-up', () => {
  const options = { iterations: 20, time: 0, warmupIterations: 2, warmupTime: 0 }
  bench('bare node', start(['-e', '']), options)
  bench('ktool --version', start([MAIN, '--version']), options)
  bench('ktool topics --help', start([MAIN, 'topics', '--help']), options)
  bench('ktool topics --list', atBroker([MAIN, 'topics', '--list']), options)
  bench('kafka-topics --list', atBroker([join(faces, 'kafka-topics'), '--list']), options)
  bench('kafka-consumer-groups --list', atBroker([join(faces, 'kafka-consumer-groups'), '--list']), options)
})
