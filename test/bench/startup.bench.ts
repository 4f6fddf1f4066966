// How long a command takes before it does anything: `vitest bench --config test/vitest.config.ts test/bench/startup.bench.ts`.
// Compare with bare node in the same run; NODE_EXTRA_CA_CERTS costs each start 30 ms on Node 20 and is left out.

import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bench, describe } from 'vitest'

const main = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'dist', 'main.js')
const env = { ...process.env, NODE_EXTRA_CA_CERTS: undefined }

const start = (args: string[]) => () => {
  spawnSync(process.execPath, args, { env, stdio: 'ignore' })
}

describe('start-up', () => {
  const options = { iterations: 20, time: 0, warmupIterations: 2, warmupTime: 0 }
  bench('bare node', start(['-e', '']), options)
  bench('ktool --version', start([main, '--version']), options)
  bench('ktool topics --help', start([main, 'topics', '--help']), options)
  bench('ktool topics --list with nothing there', start([main, 'topics', '--list', '-b', '127.0.0.1:1']), options)
})
