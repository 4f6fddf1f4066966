// `npm start`: the main job once, with a broker of its own that keeps nothing. Prints each command and what it really printed.
// Leaves no process and no directory, also when interrupted: the broker is our child, and all files are below one directory.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const main = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'dist', 'main.js')
const scratch = mkdtempSync(join(tmpdir(), 'ktool-demo-'))

// Whatever names a cluster stays outside.
const outside = /^(KTOOL|KAFKA)_|^BOOTSTRAP_SERVERS$/
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !outside.test(name)))
env.TMPDIR = scratch
for (const name of ['RUNTIME_DIR', 'DATA_HOME', 'STATE_HOME', 'CONFIG_HOME']) env[`XDG_${name}`] = scratch

const children = new Set()
let interruptedBy
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interruptedBy ??= signal
    for (const child of children) child.kill('SIGTERM')
  })
}

try {
  const broker = start(['broker', 'run', '--ephemeral', '--port', '0'], ' &', ['ignore', 'inherit', 'pipe'])
  await listening(broker)
  await command(['topics', '--create', '--topic', 'greetings', '--partitions', '3'])
  await command(['produce', '--topic', 'greetings'], 'hello\nfrom\nktool\n')
  await command(['consume', '--topic', 'greetings', '--from-beginning', '--max-messages', '3'])
  await command(['topics', '--describe', '--topic', 'greetings'])
  console.log('\nNext: npm install -g . and then: ktool --help')
} catch (error) {
  if (interruptedBy === undefined) console.error(`demo: ${error.message}`)
  process.exitCode = 1
} finally {
  for (const child of children) child.kill('SIGTERM')
  await Promise.all([...children].map((child) => once(child, 'exit')))
  rmSync(scratch, { recursive: true, force: true })
  if (interruptedBy !== undefined) process.exitCode = interruptedBy === 'SIGINT' ? 130 : 143
}

/** Runs one command to its end. `input` is shown as the printf that would make it. */
async function command(words, input) {
  const child = start(words, '', [input === undefined ? 'ignore' : 'pipe', 'inherit', 'inherit'], input)
  child.stdin?.end(input)
  const [code, signal] = await once(child, 'exit')
  interruptedBy ??= signal ?? undefined
  if (code !== 0) throw new Error(`ktool ${words[0]} ended with exit code ${code}`)
}

function start(words, suffix, stdio, input) {
  if (interruptedBy !== undefined) throw new Error('interrupted')
  const pipe = input === undefined ? '' : `printf '${input.replaceAll('\n', '\\n')}' | `
  console.log(`\n$ ${pipe}ktool ${words.join(' ')}${suffix}`)
  const child = spawn(process.execPath, [main, ...words], { env, stdio })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

/** Shows the broker's log until it says that it listens, and drops the rest. */
function listening(broker) {
  return new Promise((resolve, reject) => {
    let text = ''
    broker.stderr.setEncoding('utf8')
    broker.stderr.on('data', (chunk) => {
      text += chunk
      const line = /^listening on .*$/m.exec(text)
      if (line === null) return
      if (!broker.hasSaid) console.log(line[0])
      broker.hasSaid = true
      resolve()
    })
    broker.once('exit', () => reject(new Error(`the broker did not start:\n${text}`)))
  })
}
