#!/usr/bin/env node
// The bin. `broker run` becomes the daemon here, in this very process; everything else is a command. Each loads its own
// bundle and never the other's. The version is answered at once.

import { version } from './base/version.ts'

const argv = process.argv.slice(2)
const wantsHelp = argv.includes('--help') || argv.includes('-h')

// A reader that goes away ends us quietly. Nobody listening to our talk is no reason to stop the work.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

if (argv[0] === '--version' || argv[0] === '-V') {
  process.stdout.write(`ktool ${version}\n`)
} else if (argv[0] === 'broker' && argv[1] === 'run' && !wantsHelp) {
  const { main } = await import('./daemon-main.ts')
  await main(argv.slice(2))
} else {
  const { main } = await import('../commands/index.ts')
  await main(argv)
}
