#!/usr/bin/env node
// The bin. `broker run` and kafka-server-start become the daemon here, in this very process; called by the name of one
// of Apache's tools it is that tool's face; everything else is a command. Each loads its own bundle and never another's.
// The version is answered at once.

import { basename } from 'node:path'
import { version } from './base/version.ts'

const argv = process.argv.slice(2)
// The link's name, not that of the file it leads to.
const calledAs = basename(process.argv[1] ?? '').replace(/\.sh$/, '')
const wantsHelp = argv.includes('--help') || argv.includes('-h')

// A reader that goes away ends us quietly; a disk that is full does not. Talk that nobody hears, or that finds no room, is no
// reason to stop the work.
process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE') process.exit()
  process.stderr.write(`ktool: not all of the output was written: ${message}\n`)
  process.exit(1)
})
process.stderr.on('error', () => {})

// When nothing is left that could still happen, an end that never came is no success.
const unfinished = (): void => {
  process.stderr.write('ktool: ended before it was done\n')
  process.exitCode = 13
}
process.once('beforeExit', unfinished)
// What this rejects with is a defect: Node prints it and exits with 1.
void run().then(() => process.off('beforeExit', unfinished))

async function run(): Promise<void> {
  if (calledAs === 'kafka-server-start') {
    const { serverStart } = await import('./daemon-main.ts')
    await serverStart(process.argv[1] ?? '', argv)
  } else if (calledAs.startsWith('kafka-')) {
    const { main } = await import('../commands/kafka/index.ts')
    await main(calledAs, argv)
  } else if (argv[0] === '--version' || argv[0] === '-V') {
    process.stdout.write(`ktool ${version}\n`)
  } else if (argv[0] === 'broker' && argv[1] === 'run' && !wantsHelp) {
    const { main } = await import('./daemon-main.ts')
    await main(argv.slice(2))
  } else {
    const { main } = await import('../commands/index.ts')
    await main(argv)
  }
}
