// Files, patterns, commands, sockets and streams that mean no good, or are merely larger than anybody thought.

import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readPropertiesFile } from '../../src/client/properties-file.ts'
import { repeated } from '../../src/cli/apache/repeated.ts'
import { topicFilter, widest } from '../../src/cli/apache/java-text.ts'
import { askDaemon, runningBrokers } from '../../src/cli/control.ts'
import { LogFile } from '../../src/cli/offline/log-file.ts'
import { foreignMetadata } from '../../src/cli/offline/metadata-nodes.ts'
import { resolveSecrets } from '../../src/cli/secrets.ts'
import { wholeMatcher } from '../../src/cli/whole-match.ts'
import { BatchBuilder } from '../../src/protocol/batch-builder.ts'
import { manualClock } from '../support/manual-clock.ts'
import { main, Sandbox } from './sandbox.ts'

const sandbox = new Sandbox()
const file = (name: string) => join(sandbox.directory, name)
let address = ''

beforeAll(async () => {
  for (const tool of ['topics', 'console-consumer', 'dump-log', 'storage', 'server-start']) symlinkSync(main, file(`kafka-${tool}`))
  address = await sandbox.broker('--topic', 't')
}, 30_000)
afterAll(() => sandbox.close())

describe('a pattern over names that somebody else chose', () => {
  const name = 'a'.repeat(60)

  test('matches in linear time', () => {
    expect(wholeMatcher('(a+)+!', /^(?:(a+)+!)$/u)(name)).toBe(false)
    expect(topicFilter('(a|aa)+!,b')(name)).toBe(false)
    expect(topicFilter('(a|aa)+,b')(name)).toBe(true)
  })

  test('may look around, which only JavaScript has', () => {
    const matches = wholeMatcher('(?!b)a+', /^(?:(?!b)a+)$/u)
    expect([matches(name), matches('b')]).toEqual([true, false])
  })
})

describe('what a context refers to', () => {
  const resolve = (command: string, clock = manualClock()) => resolveSecrets('context c', new Map([['ssl.key.password', `\${command:${command}}`]]), process.env, clock)

  test('is not read for ever', async () => {
    await expect(resolve("trap '' TERM; yes 2> /dev/null")).rejects.toThrow('context c: ssl.key.password: the command for it prints more than 64 KiB')
  })

  test('is not waited for for ever', async () => {
    const clock = manualClock()
    const answer = expect(resolve('exec sleep 600', clock)).rejects.toThrow('the command for it is not done after 120 s')
    clock.advance(120_000)
    await answer
    expect(clock.pending).toBe(0)
  })

  test('gives its answer, and leaves no timer', async () => {
    const clock = manualClock()
    expect((await resolve('echo hush', clock)).get('ssl.key.password')).toBe('hush')
    expect(clock.pending).toBe(0)
  })
})

describe('a file of properties', () => {
  test('without an end is given up', async () => {
    await expect(readPropertiesFile('/dev/zero')).rejects.toThrow('has more than 16777216 bytes')
  })

  test('with half of an escape is refused, as Java does, and not read as another path', async () => {
    writeFileSync(file('windows.properties'), 'ssl.keystore.location=C:\\users\\me\n')
    await expect(readPropertiesFile(file('windows.properties'))).rejects.toThrow('Malformed \\uxxxx encoding.')
    writeFileSync(file('sound.properties'), '# C:\\users\nclient.id=\\u0061\\\\users\n')
    expect(await readPropertiesFile(file('sound.properties'))).toEqual(new Map([['client.id', 'a\\users']]))
  })

  test('that lies where contexts should be is no defect', async () => {
    mkdirSync(file('CONFIG_HOME/ktool'), { recursive: true })
    writeFileSync(file('CONFIG_HOME/ktool/contexts'), '')
    const { code, stderr } = await sandbox.run(['context', 'list'])
    rmSync(file('CONFIG_HOME/ktool/contexts'))
    expect({ code, stderr }).toEqual({ code: 1, stderr: `ktool: ${file('CONFIG_HOME/ktool/contexts')}: not a directory (ENOTDIR)\n` })
  })
})

test('a context that could not be written leaves nothing behind', async () => {
  await sandbox.run(['context', 'add', 'kept', '-b', 'h:1'])
  mkdirSync(file('CONFIG_HOME/ktool/current-context'))
  expect((await sandbox.run(['context', 'use', 'kept'])).code).toBe(1)
  rmSync(file('CONFIG_HOME/ktool/current-context'), { recursive: true })
  expect(readdirSync(file('CONFIG_HOME/ktool'))).toEqual(['contexts'])
})

describe('more than anybody thought', () => {
  test('is compared in a moment, and measured', () => {
    const names = Array.from({ length: 200_000 }, (_, index) => `t-${index}`)
    expect(repeated([...names, 't-7', 't-3', 't-7'], (name) => name)).toEqual(['t-7', 't-3'])
    expect(widest(2, names)).toBe(8)
  })

  test('gaps between offsets are all listed', { timeout: 45_000 }, () => {
    const builder = new BatchBuilder(1 << 20)
    builder.append(null, Buffer.from('x'), [], 1000)
    const one = Buffer.from(builder.finish({ codec: 'none' }))
    const count = 20_000
    const log = Buffer.alloc(one.length * count)
    for (let index = 0; index < count; index++) {
      one.copy(log, index * one.length)
      log.writeBigInt64BE(BigInt(2 * index), index * one.length) // the offset is outside of the checksum
    }
    mkdirSync(file('gaps-0'))
    writeFileSync(file('gaps-0/00000000000000000000.log'), log)
    const { status, stderr } = spawnSync(file('kafka-dump-log'), ['--deep-iteration', '--files', file('gaps-0/00000000000000000000.log')], {
      stdio: ['ignore', 'ignore', 'pipe'], maxBuffer: 1 << 28, env: sandbox.env, timeout: 40_000,
    }) // prettier-ignore
    expect(status).toBe(0)
    expect(stderr.toString().split('\n')).toHaveLength(count + 1) // a head, a line for each gap, and the end
  })
})

describe('offline', () => {
  const log = (name: string, bytes: Buffer): string => {
    mkdirSync(file(name), { recursive: true })
    writeFileSync(join(file(name), '00000000000000000000.log'), bytes)
    return join(file(name), '00000000000000000000.log')
  }

  test('a batch that says it has 2 GiB is not read into memory', async () => {
    const path = log('huge-0', Buffer.from([...Buffer.alloc(8), 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0, 2]))
    spawnSync('truncate', ['-s', '4G', path])
    const opened = new LogFile(path)
    await expect(opened.batches().next()).rejects.toThrow('Found a batch of 2147483647 bytes at position 0')
    opened.close()
  })

  test('what unpacks to more than a broker takes is told, and the rest is read', async () => {
    const builder = new BatchBuilder(1 << 30)
    builder.append(null, Buffer.alloc(300 << 20), [], 1000)
    const bomb = Buffer.from(builder.finish({ codec: 'gzip' }))
    const second = new BatchBuilder(1 << 20)
    second.append(null, Buffer.from('x'), [], 1000)
    const path = log('bomb-0', Buffer.concat([bomb, Buffer.from(second.finish({ codec: 'none', baseOffset: 1 }))]))
    const { code, stdout } = await sandbox.run(['log', 'verify', path, '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ batches: 2, records: 1, problems: ['batch at offset 0, position 0: The records take more than 268435456 bytes when decompressed.'] })
  })

  test('a directory and a pipe are no logs, and nothing is not sound', async () => {
    mkdirSync(file('empty'))
    spawnSync('mkfifo', [file('pipe')])
    const named = `ktool: ${file('empty')}: Is a directory; name the files in it, as ${file('empty/*.log')}\n`
    expect(await sandbox.run(['log', 'dump', file('empty')])).toMatchObject({ code: 2, stderr: named })
    expect(await sandbox.run(['log', 'dump', file('pipe')])).toMatchObject({ code: 2, stderr: expect.stringContaining(': Is no regular file') as string })
    expect(await sandbox.run(['log', 'verify', file('empty')])).toMatchObject({ code: 1, stderr: `ktool: no log files in ${file('empty')}\n` })
  })

  test('a metadata log that is a directory is nothing to start on', async () => {
    mkdirSync(file('meta/__cluster_metadata-0/00000000000000000000.log'), { recursive: true })
    expect(await foreignMetadata(file('meta'), 1)).toMatch(/metadata-0\/0{20}\.log holds something that is not known here: Is a directory$/)
  })

  test('kafka-server-start leaves a directory alone whose meta.properties is empty, or of ZooKeeper days', () => {
    const config = file('server.properties')
    writeFileSync(
      config,
      'process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@localhost:1\nlisteners=PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0\n' +
        `controller.listener.names=CONTROLLER\nlistener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\nlog.dirs=${file('old')}\n`,
    )
    for (const text of ['', 'version=0\nbroker.id=1\ncluster.id=4L6g3nShT-eMCtK--X86sw\n']) {
      mkdirSync(file('old'))
      writeFileSync(file('old/meta.properties'), text)
      const { status, stdout } = spawnSync(file('kafka-server-start'), [config], { env: sandbox.env, encoding: 'utf8', timeout: 15_000 })
      expect(status).toBe(1)
      expect(stdout).toContain('formatted for legacy mode')
      expect(readdirSync(file('old'))).toEqual(['meta.properties'])
      rmSync(file('old'), { recursive: true })
    }
  })
})

describe('a stream that takes nothing', () => {
  test.each([
    'ktool topics list > /dev/full',
    'ktool topics list --json > /dev/full',
    'ktool consume t -o start -e > /dev/full',
    'ktool --help > /dev/full',
    'kafka-topics --bootstrap-server $address --list > /dev/full',
  ])('%s: exit 1 and one line', async (line) => {
    const { code, stderr } = await sandbox.shell(`echo x | ktool produce t; kafka-topics() { '${file('kafka-topics')}' "$@"; }; address=${address}; ${line}`)
    expect(stderr).toMatch(/^(Processed .*\n)?ktool: .*no space left on device.*\n$/)
    expect(code).toBe(1)
  })

  test("kafka-console-consumer says it in Apache's words", async () => {
    const { code, stderr } = await sandbox.shell(
      `echo x | ktool produce t; '${file('kafka-console-consumer')}' --bootstrap-server ${address} --topic t --from-beginning --partition 0 > /dev/full`,
    )
    expect(stderr).toMatch(/^Unable to write to standard out, closing consumer\.\nProcessed a total of \d+ messages\n$/)
    expect(code).toBe(0)
  })

  test('is no reason to lose records, where it is only talked into', async () => {
    const line = 'seq 1000 | ktool produce full --verbose 2> /dev/full && ktool consume full -o start -e 2> /dev/null | wc -l'
    await sandbox.run(['topics', 'create', 'full'])
    expect(await sandbox.shell(line)).toMatchObject({ code: 0, stdout: '1000\n' })
  })
})

test('a byte order mark in front of JSON is passed over', async () => {
  await sandbox.run(['topics', 'create', 'bom'])
  expect(await sandbox.shell("printf '\\xef\\xbb\\xbf{\"value\":\"x\"}\\r\\n' | ktool produce bom --input json && ktool consume bom -o start -e 2> /dev/null")).toMatchObject({ code: 0, stdout: 'x\n' })
})

describe('a control socket', () => {
  test.each(['{"ok":tr\n', 'null\n', '{"ok":true}\n', '{"ok":true,"status":{"listeners":7}}\n'])('that answers %j is no broker, and ends nobody', async (answer) => {
    const directory = mkdtempSync(join(sandbox.directory, 'run-'))
    const server = createServer((socket) => socket.end(answer))
    const path = join(directory, 'x.sock')
    await new Promise<void>((resolve) => server.listen(path, resolve))
    await expect(askDaemon(path, { command: 'status' }, 2000)).rejects.toThrow('nonsense from')
    expect(await runningBrokers(directory)).toEqual([])
    server.close()
  })

  test('where others could have put it is not asked', async () => {
    const directory = mkdtempSync(join(sandbox.directory, 'run-'))
    chmodSync(directory, 0o777)
    let asked = 0
    const server = createServer(() => asked++)
    await new Promise<void>((resolve) => server.listen(join(directory, 'x.sock'), resolve))
    await expect(askDaemon(join(directory, 'x.sock'), { command: 'status' }, 2000)).rejects.toThrow('can be written by others')
    expect(await runningBrokers(directory)).toEqual([])
    expect(asked).toBe(0)
    server.close()
  })
})

describe('a path that cannot be', () => {
  test.each([
    ['taken', 'a file has that name'],
    ['taken/x', 'what it is to lie in is a file'],
    ...(process.platform === 'linux' ? [['/proc/x/y', 'none can be made there']] : []),
  ])('for the links of Apache\'s tools: %s', async (place, why) => {
    const path = resolve(sandbox.directory, place)
    writeFileSync(join(sandbox.directory, 'taken'), '')
    const refusal = `ktool: can't make the directory ${path}: ${why}; choose another --dir\n`
    expect(await sandbox.run(['faces', '--dir', path])).toMatchObject({ code: 1, stdout: '', stderr: refusal })
  })

  test('for a plan of offsets', async () => {
    const told = async (path: string) => (await sandbox.run(['groups', 'reset-offsets', 'g', '--from-file', path])).stderr
    const hint = '`ktool groups reset-offsets … --export` prints one\n'
    expect(await told('/nowhere.csv')).toBe(`ktool: the plan can't be read: /nowhere.csv is not there; ${hint}`)
    expect(await told('/tmp')).toBe(`ktool: the plan can't be read: /tmp is a directory; ${hint}`)
  })
})
