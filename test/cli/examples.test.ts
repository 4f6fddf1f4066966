// Every example of the commands' help, which is that of the manual pages, too, and every line of the README's tour, run in a
// shell against a broker of their own.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commands } from '../../commands/index.ts'
import { FACE_FACTS } from '../../src/build/face-pages.ts'
import { commandHelp } from '../../src/cli/help.ts'
import { main, Sandbox } from './sandbox.ts'

const FILES = {
  'users.txt': 'ann:1\nbob:2\n',
  'app.log': 'a line\n',
  'client.properties': 'bootstrap.servers=127.0.0.1:1\n',
}

/** A sandbox where scripts run in the directory with the files, which is home; `broker start` takes a port that is free. */
function place() {
  const box = new Sandbox()
  const bin = join(box.directory, 'bin')
  mkdirSync(bin)
  mkdirSync(join(box.directory, '.config/fish/completions'), { recursive: true })
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(box.directory, name), text)
  writeFileSync(join(bin, 'ktool'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, { mode: 0o755 })
  const onFreePort = `ktool() { case " $* " in *' --port '*) command ktool "$@";; ' broker start '*) command ktool "$@" --port 0;; *) command ktool "$@";; esac; }`
  const run = (script: string) => box.shell(`unset -f ktool; cd '${box.directory}'; export HOME=$PWD PATH=$PWD/bin:$PATH PW=secret; ${onFreePort}; ${script}`)
  return { box, run }
}

const AUTHORIZER = ['authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer', 'super.users=User:ANONYMOUS']

describe('the examples of the help', () => {
  const { box, run } = place()
  /** With an authorizer, for those about rules. */
  const guarded = place()
  let address = ''
  beforeAll(async () => {
    await guarded.box.broker(...AUTHORIZER.flatMap((line) => ['--property', line]))
    address = await box.broker('--topic', 'orders:3', '--topic', 'messages:3', '--topic', 'logs', '--topic', 'out', '--topic', 'test-1', '--topic', 'test-2')
    await run("printf '1\\n2\\n3\\n' | tee >(ktool produce out) | ktool produce orders; ktool consume orders --group billing --from-beginning --exit-at-end")
  }, 60_000)
  afterAll(() => {
    box.close()
    guarded.box.close()
  })

  /** Where one fails here, and should: the exit code, and what it says. */
  const EXPECTED: Readonly<Record<string, readonly [number, RegExp]>> = {
    'ktool transactions abort orders -p 0 --start-offset 1234': [1, /transaction/],
    'ktool topics list --context prod': [3, /127\.0\.0\.1:1/],
    'ktool broker stop -b "$address"': [3, /no broker of this machine is at/],
  }
  // The first goes on until it is stopped, and other tests start brokers; the second is for another shell.
  const elsewhere = /^ktool broker run|completion zsh/
  const examples = [...commands].flatMap(([id, entry]) => commandHelp(id, entry).examples.map(({ command }) => command))

  test.each(examples.filter((command) => !elsewhere.test(command)))('%s', async (command) => {
    const made = /^ktool topics create (\S+)/.exec(command)?.[1]
    if (made !== undefined) await run(`ktool topics delete ${made} --if-exists`)
    if (command.startsWith('ktool records')) {
      await run('ktool topics create test-1 --if-not-exists; ktool topics delete orders; ktool topics create orders -p 3; for p in 0 1 2; do seq 2000 | ktool produce orders -p $p; done')
    }
    const here = command.startsWith('ktool acls') ? guarded : { run }
    const data = join(box.directory, 'DATA_HOME/ktool')
    const words = command.replaceAll('kafka:9092', address).replace(/\/tmp\/kraft-combined-logs|~\/\.local\/share\/ktool/, data)
    const { code, stderr } = await here.run(words.startsWith('ktool log') ? `cd ${data} && ${words}` : words)
    const [exit, says] = EXPECTED[command] ?? [0, /^/]
    expect([code, stderr]).toEqual([exit, expect.stringMatching(says)])
    await run('ktool context use --none')
  })
})

describe("the examples of the faces' manual pages", () => {
  const { box, run } = place()
  const guarded = place()
  let addresses = { plain: '', guarded: '' }
  beforeAll(async () => {
    addresses = { plain: await box.broker('--topic', 'orders'), guarded: await guarded.box.broker(...AUTHORIZER.flatMap((line) => ['--property', line])) }
    await run('seq 2000 | ktool produce orders; ktool consume orders --group billing --from-beginning --exit-at-end')
    for (const each of [run, guarded.run]) await each('ktool faces --dir bin')
  }, 60_000)
  afterAll(() => {
    box.close()
    guarded.box.close()
  })

  // quickstart.test.ts starts and stops servers.
  const examples = Object.entries(FACE_FACTS).filter(([name]) => !name.startsWith('kafka-server'))
  test.each(examples)('%s', async (name, { example }) => {
    const needsRules = name === 'kafka-acls'
    const data = join(box.directory, 'DATA_HOME/ktool')
    const line = example.replace('localhost:9092', needsRules ? addresses.guarded : addresses.plain).replace('/tmp/kraft-combined-logs', data)
    const { code, stderr } = await (needsRules ? guarded.run : run)(line)
    expect([code, stderr]).toEqual([0, expect.not.stringMatching(/ktool|ERROR|Exception/)])
  })
})

describe('the tour of the README, in its order', () => {
  const { box, run } = place()
  beforeAll(() => box.broker(), 60_000)
  afterAll(() => box.close())

  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const blocks = Array.from(readme.matchAll(/^```sh\n([\s\S]*?)^```/gm), ([, block]) => block).filter((block) => /^\s*(ktool|printf|address=)/m.test(block))

  test('has blocks', () => expect(blocks.length).toBeGreaterThan(6))

  test.each(blocks)('%s', async (block) => {
    const { code, stderr } = await run(`set -e\n${block}`)
    expect([code, stderr]).toEqual([0, block.includes('||') ? expect.anything() : expect.not.stringContaining('ktool: ')])
    await run('ktool context use --none')
  })
})
