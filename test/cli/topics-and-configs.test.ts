// `ktool topics` and `ktool configs` as a person or a script meets them: the built bin against a broker of its own.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Sandbox } from './sandbox.ts'

const box = new Sandbox()
let address = ''
let acting = '' // said before anything is changed
beforeAll(async () => {
  address = await box.broker('--topic', 'orders:3', '--topic', 'users')
  const { clusterId } = JSON.parse((await box.run(['broker', 'status', '--json'])).stdout) as { clusterId: string }
  acting = `acting on ${address}, cluster ${clusterId} (source: the broker on this machine)\n`
}, 60_000)
afterAll(() => box.close())

const json = async (...words: string[]) => {
  const { stdout, code } = await box.run([...words, '--json'])
  expect(code).toBe(0)
  return JSON.parse(stdout) as Record<string, unknown>
}

describe('topics', () => {
  test('--list prints one name a line, in order', async () => {
    expect(await box.run(['topics', '--list'])).toMatchObject({ stdout: 'orders\nusers\n', stderr: '', code: 0 })
    expect((await box.run(['topics', '--list', '-b', address, '--regex', '--topic', 'o.*'])).stdout).toBe('orders\n')
    expect((await box.run(['topics', '--list', '--regex', '--topic', 'nothing'])).stdout).toBe('')
    expect(await box.run(['topics', 'list', 'order'])).toMatchObject({ stdout: '', stderr: expect.stringContaining("'order'") as string, code: 1 })
    expect(await box.run(['topics', 'list', 'order', 'users'])).toMatchObject({ stdout: 'users\n', stderr: expect.stringContaining("'order'") as string, code: 1 })
    expect(await json('topics', '--list')).toEqual({ topics: ['orders', 'users'] })
  })

  test('--create, --alter, --describe and --delete', async () => {
    const create = ['topics', '--create', '--topic', 'new', '--partitions', '2', '--config', 'retention.ms=1000']
    expect(await box.run(create)).toMatchObject({ stdout: 'created topic new with 2 partitions\n', stderr: acting, code: 0 })
    expect(await box.run([...create, '--if-not-exists'])).toMatchObject({ stdout: '', stderr: acting, code: 0 })
    expect(await box.run(['topics', '--alter', '--topic', 'new', '--partitions', '4'])).toMatchObject({
      stdout: 'topic new now has 4 partitions\n',
      code: 0,
    })
    const text = (await box.run(['topics', '--describe', '--topic', 'new'])).stdout
    expect(text.replace(/id \S+/, 'id X')).toBe(
      'new  4 partitions, replication factor 1, id X\n  retention.ms=1000\nPARTITION  LEADER  REPLICAS  IN SYNC  OFFLINE\n' +
        [0, 1, 2, 3].map((partition) => `        ${partition}       1  1         1        -\n`).join(''),
    )
    expect(await json('topics', '--describe', '--topic', 'new')).toMatchObject({
      topics: [{ name: 'new', internal: false, replicationFactor: 1, configs: { 'retention.ms': '1000' }, partitions: { length: 4 } }],
    })
    // One literal name in a script needs no --yes.
    expect(await box.run(['topics', '--delete', '--topic', 'new'])).toMatchObject({ stdout: 'deleted topic new\n', code: 0 })
    expect((await box.run(['topics', '--delete', '--topic', 'new', '--if-exists'])).code).toBe(0)
  })

  test('several names or a pattern need --yes in a script', async () => {
    await box.run(['topics', '--create', '--topic', 'del-1,del-2'])
    const words = ['topics', '--delete', '--regex', '--topic', 'del-.*']
    expect(await box.run(words)).toMatchObject({
      stdout: '',
      stderr: 'ktool: Delete 2 topics: del-1, del-2?: nobody is there to say yes; add --yes to go on\n'.replace('?:', ':'),
      code: 2,
    })
    expect((await box.run([...words, '--yes'])).stdout).toBe('deleted topic del-1\ndeleted topic del-2\n')
  })

  test('no name: the default on the bundled broker, and only there', async () => {
    const result = await box.run(['topics', '--create'])
    expect(result).toMatchObject({ stdout: 'created topic messages with 1 partition\n', stderr: `no --topic given: it is 'messages'\n${acting}` })
    expect(await box.run(['topics', '--create', '-b', address])).toMatchObject({
      stderr: 'ktool: --create needs --topic; only the bundled broker has a default topic\n',
      code: 2,
    })
    await box.run(['topics', '--delete', '--topic', 'messages'])
  })

  test.each([
    [['--describe', '--topic', 'ordrs'], 1, "topic 'ordrs' does not exist; did you mean 'orders'?"],
    [['--create', '--topic', 'orders'], 1, "Topic 'orders' already exists; --if-not-exists takes it as it is"],
    [['--alter', '--topic', 'orders', '--partitions', '2'], 1, 'The topic orders currently has 3 partition(s); 2 would not be an increase.'],
    [['--create', '--topic', 'x', '--config', 'retention.mss=1'], 1, "there is no topic setting 'retention.mss'; did you mean 'retention.ms'?"],
    [['--create', '--topic', 'x', '--config', 'retention.ms=x'], 1, /^Invalid value x for configuration retention\.ms: /],
    [['--create', '--topic', 'x', '--replication-factor', '3'], 1, /replication factor of 3/],
    [['--create', '--topic', 'a/b'], 1, /'a\/b' contains one or more characters other than/],
    [['--create', '--topic', 'x', '--partitions', 'two'], 2, '--partitions takes an integer but received: two; see `ktool topics --help`'],
    [['--list', '--partitions', '3'], 2, '--partitions does not go with --list; see `ktool topics --help`'],
    [['--list', '--describe'], 2, 'only one of --list and --describe can be done at a time'],
    [[], 2, 'say what to do: --create, --list, --describe, --alter, --delete; see `ktool topics --help`'],
    [['--lsit'], 2, "there is no flag --lsit; did you mean '--list'?"],
    [['lsit'], 2, "'lsit' is nothing that `ktool topics` does; did you mean 'list'?"],
    [['--create', '--topic', 'x', '--partitions', '0'], 2, /^--partitions takes an integer greater than or equal to 1/],
    [['--list', '--regex', '--topic', '('], 2, "'(' is no regular expression; see `ktool topics --help`"],
    [['--list', '--regex', '--topic', '*'], 2, "'*' is no regular expression; for any text write .*"],
    [['--delete'], 2, '--topic is missing; see `ktool topics --list` for the names'],
    [['--alter', '--topic', 'orders'], 2, '--alter needs --partitions; settings are changed with `ktool configs --alter`'],
    [['--list', '--command-config', '/nowhere'], 2, "can't read /nowhere: no such file; see `ktool topics --help`"],
  ])('%j: one clear line and exit code %d', async (words, code, message) => {
    const result = await box.run(['topics', ...words])
    expect(result).toMatchObject({ stdout: '', code })
    const said = result.stderr.replace(acting, '')
    expect(said).toMatch(/^ktool: .*\n$/)
    expect(said.slice('ktool: '.length, -1)).toMatch(message)
  })

  test('with --json a failure is one object on stderr, and stdout is empty', async () => {
    const { stdout, stderr, code } = await box.run(['topics', '--describe', '--topic', 'ordrs', '--json'])
    expect([stdout, code]).toEqual(['', 1])
    expect(JSON.parse(stderr)).toEqual({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
      message: "topic 'ordrs' does not exist",
      hint: "did you mean 'orders'?",
    })
  })
})

describe('configs', () => {
  test('--alter and --describe', async () => {
    const alter = ['configs', '--alter', '--topic', 'users', '--add-config', 'cleanup.policy=[compact,delete],retention.ms=60000']
    expect(await box.run(alter)).toMatchObject({ stdout: 'changed 2 settings of topic users\n', stderr: acting, code: 0 })
    expect((await box.run(['configs', '--describe', '--topic', 'users'])).stdout).toBe(
      'topic users\nSETTING         VALUE           FROM\ncleanup.policy  compact,delete  topic\nretention.ms    60000           topic\n',
    )
    expect(await json('configs', '--describe', '--entity-type', 'topics')).toMatchObject({
      entities: [{ type: 'topics', name: 'users', configs: [{ name: 'cleanup.policy' }, { name: 'retention.ms', value: '60000' }] }],
    })
    await box.run(['configs', '--alter', '--topic', 'users', '--delete-config', 'cleanup.policy,retention.ms'])
    expect(await box.run(['configs', '--describe', '--topic', 'users'])).toMatchObject({
      stdout: '',
      stderr: 'topic users has no settings of its own\n',
    })
  })

  test('--all shows where each value comes from', async () => {
    const { stdout } = await box.run(['configs', '--describe', '--topic', 'users', '--all'])
    expect(stdout).toMatch(/^retention\.ms +604800000 +default$/m)
    expect((await box.run(['configs', '--describe', '--entity-type', 'brokers', '--entity-name', '1', '--all'])).stdout).toMatch(/^log\.dirs +\S+ +server\.properties$/m)
  })

  test.each([
    [['--alter', '--topic', 'users', '--add-config', 'retention.m=1'], 1, "there is no topic setting 'retention.m'; did you mean 'retention.ms'?"],
    [['--alter', '--topic', 'users', '--delete-config', 'nonsense'], 1, "there is no topic setting 'nonsense'; see `ktool configs --describe --all`"],
    [['--alter', '--topic', 'users', '--add-config', 'retention.ms=abc'], 1, 'Invalid value abc for configuration retention.ms: Not a number of type LONG'],
    [['--alter', '--topic', 'usrs', '--add-config', 'retention.ms=1'], 1, "topic 'usrs' does not exist; did you mean 'users'?"],
    [['--describe', '--topic', 'usrs'], 1, "topic 'usrs' does not exist; did you mean 'users'?"],
    [['--alter', '--topic', 'users', '--add-config', 'retention.ms'], 2, "--add-config takes NAME=VALUE pairs, not 'retention.ms'; a value with commas stands in [ ]"],
    [['--alter', '--topic', 'users'], 2, '--alter needs --add-config or --delete-config'],
    [['--topic', 'users'], 2, 'say what to do: --describe or --alter; see `ktool configs --help`'],
    [['--describe'], 2, 'say whose settings: --topic, or --entity-type and --entity-name'],
    [['--describe', '--entity-type', 'brokers', '--entity-name', 'one'], 2, "a broker is named by its number, not 'one'"],
  ])('%j: one clear line and exit code %d', async (words, code, message) => {
    const result = await box.run(['configs', ...words])
    expect(result).toMatchObject({ stdout: '', code })
    expect(result.stderr.replace(acting, '').replace(/; see `ktool configs --help`\n$/, '\n')).toBe(`ktool: ${message}\n`.replace(/; see `ktool configs --help`\n$/, '\n'))
  })
})

describe('terminals and pipes', () => {
  test('a table with colour on a terminal, and none with NO_COLOR', async () => {
    const coloured = (await box.terminal('ktool topics --describe --topic orders')).stdout
    expect(coloured).toContain('\u001b[1m')
    expect(coloured).toContain('┌')
    expect((await box.terminal('NO_COLOR=1 ktool topics --describe --topic orders')).stdout).not.toContain('\u001b[')
    expect((await box.run(['topics', '--describe', '--output', 'table'])).stdout).toContain('┌')
    expect((await box.run(['topics', '--describe'], { env: { FORCE_COLOR: '1' } })).stdout).toContain('\u001b[1m')
  })

  test('--list is the same on a terminal', async () => {
    expect((await box.terminal('ktool topics --list')).stdout.replaceAll('\r', '')).toBe('orders\nusers\n')
  })

  test('a mistake in the words is told without escapes', async () => {
    const { stdout, code } = await box.terminal('ktool topics --create --partitions')
    expect(stdout).toContain('--partitions')
    expect(stdout).not.toContain('\u001b')
    expect(code).toBe(2)
  })

  test('a topic is asked for where there is no default', async () => {
    const produce = await box.terminal('ktool produce', { at: 'Produce to which topic?', keys: '\u0003' })
    expect(produce.code).toBe(130)
    const words = `ktool consume -b ${address} --from-beginning --exit-at-end`
    const consume = await box.terminal(words, { at: 'Consume which topic?', keys: '\r' })
    expect(consume).toMatchObject({ code: 0 })
    expect(await box.run(['produce'])).toMatchObject({ stderr: 'ktool: --topic is missing; see `ktool produce --help`\n', code: 2 })
  })

  test('whoever types records is told how it ends', async () => {
    const typed = await box.terminal('ktool produce users', { at: 'each line is a record; Ctrl-D ends', keys: 'one\r\u0004' })
    expect(typed.code).toBe(0)
    expect((await box.run(['consume', 'users', '-o', 'start', '-e'])).stdout).toBe('one\n')
  })

  test("a pattern leaves Kafka's own topics alone", async () => {
    await box.run(['groups', 'list']) // the broker makes its own topics when it is first asked about groups
    await box.run(['consume', 'orders', '--group', 'any', '--exit-at-end'])
    const dry = await box.run(['topics', 'delete', '--regex', '.*', '--dry-run'])
    expect(dry.stdout).toBe('would delete topic orders\nwould delete topic users\n')
    expect((await box.run(['topics', 'delete', '__consumer_offsets', '--dry-run'])).stdout).toBe('would delete topic __consumer_offsets\n')
    expect((await box.run(['topics', 'alter', '--regex', '__.*', '-p', '60', '--yes'])).stderr).toContain('no topic matches __.*')
  })

  test('a deletion is asked about on a terminal', async () => {
    await box.run(['topics', '--create', '--topic', 'asked'])
    for (const keys of ['n\r', 'NO\r', '\r', 'what\rno\r', '\u0004']) {
      const no = await box.terminal('ktool topics --delete --topic asked', { at: 'Delete topic asked? (y/N)', keys })
      expect([keys, no.code, no.stdout]).toEqual([keys, 1, expect.stringMatching(/nothing was changed\r?\n$/)])
      expect([keys, no.stdout.split('(y/N)').length]).toEqual([keys, keys.startsWith('what') ? expect.toSatisfy((count: number) => count > 2) : expect.any(Number)])
    }
    expect((await box.run(['topics', '--list'])).stdout).toContain('asked\n')
    const yes = await box.terminal('ktool topics --delete --topic asked', { at: 'Delete topic asked?', keys: 'yes\r' })
    expect(yes.stdout).toContain('deleted topic asked')
    expect((await box.run(['topics', '--list'])).stdout).not.toContain('asked\n')
  })

  test('Ctrl-C at a question is exit 130, without a trace', async () => {
    const result = await box.terminal('ktool topics --delete --topic orders', { at: 'Delete topic orders?', keys: '\u0003' })
    expect(result.code).toBe(130)
    expect(result.stdout).not.toMatch(/ at .*:\d+:\d+/)
  })

  test('a reader that goes away is a quiet end', async () => {
    const result = await box.shell('ktool topics --help | head -1; echo "${PIPESTATUS[0]}"')
    expect(result).toMatchObject({ stdout: 'Create, list, describe, change and delete topics.\n0\n', stderr: '' })
  })
})
