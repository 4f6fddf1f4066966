// What every change has in common: it says where it acts, can be tried without acting, does what it can of several things and
// says what became of each. And what changes can be watched.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { main, Sandbox } from './sandbox.ts'

const box = new Sandbox()
let address = ''
let clusterId = ''
beforeAll(async () => {
  address = await box.broker('--ephemeral', '--topic', 'orders:2', '--topic', 'users', '--property', 'group.initial.rebalance.delay.ms=0')
  clusterId = (JSON.parse((await box.run(['broker', 'status', '--json'])).stdout) as { clusterId: string }).clusterId
  await box.run(['produce', 'orders'], { input: '1\n2\n3\n' })
  await box.run(['consume', 'orders', '-g', 'readers', '--from-beginning', '-e'])
}, 60_000)
afterAll(() => box.close())

const ktool = async (line: string, env: NodeJS.ProcessEnv = {}) => box.run(line.split(' '), { env })
const topics = async () => (await ktool('topics list --exclude-internal')).stdout.split('\n').slice(0, -1)

describe('a change says first where it acts', () => {
  test.each([
    ['topics create said -b ADDRESS', {}, '--bootstrap-server'],
    ['topics alter said -p 3 -X bootstrap.servers=ADDRESS', {}, 'the property bootstrap.servers'],
    ['topics delete said', { KTOOL_BOOTSTRAP_SERVERS: 'ADDRESS' }, 'KTOOL_BOOTSTRAP_SERVERS'],
    ['configs alter orders --add-config retention.ms=1000', {}, 'the ephemeral broker on this machine'],
    ['groups reset-offsets readers --all-topics --to-earliest --execute', {}, 'the ephemeral broker on this machine'],
  ])('%s', async (line, env, source) => {
    const around = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value.replace('ADDRESS', address)]))
    const result = await ktool(line.replace('ADDRESS', address), around)
    expect(result).toMatchObject({ stderr: `acting on ${address}, cluster ${clusterId} (source: ${source})\n`, code: 0 })
  })

  test('in JSON, too; and looking does not', async () => {
    const { stderr } = await ktool('configs alter orders --add-config retention.ms=2000 --json')
    expect(JSON.parse(stderr)).toEqual({ actingOn: { address, clusterId, source: 'the ephemeral broker on this machine' } })
    for (const line of ['topics describe orders', 'configs describe orders', 'groups describe readers']) {
      expect((await ktool(line)).stderr).toBe('')
    }
  })
})

describe('--dry-run changes nothing', () => {
  test('topics', async () => {
    const before = await topics()
    expect(await ktool('topics create tried -p 4 --dry-run')).toMatchObject({
      stdout: 'would create topic tried with 4 partitions\n',
      stderr: expect.stringMatching(/^dry run on /) as string,
      code: 0,
    })
    expect(await ktool('topics create orders --dry-run')).toMatchObject({ stdout: '', code: 1 })
    expect((await ktool('topics alter orders -p 4 --dry-run')).stdout).toBe('topic orders would have 4 partitions\n')
    expect((await ktool('topics alter orders -p 1 --dry-run')).code).toBe(1)
    expect((await ktool('topics delete --regex .* --dry-run --exclude-internal')).code).toBe(2)
    expect((await ktool('topics delete orders users --dry-run')).stdout).toBe('would delete topic orders\nwould delete topic users\n')
    expect(JSON.parse((await ktool('topics delete orders --dry-run --json')).stdout)).toMatchObject({ dryRun: true, topics: [{ name: 'orders' }] })
    expect(await topics()).toEqual(before)
    expect((await ktool('topics describe orders')).stdout).toContain('orders  2 partitions')
  }, 20_000)

  test('settings, groups, offsets and the broker', async () => {
    expect((await ktool('configs alter users --add-config retention.ms=7 --dry-run')).stdout).toBe('would change 1 setting of topic users\n')
    expect((await ktool('configs alter users --add-config retention.ms=x --dry-run')).code).toBe(1)
    expect((await ktool('configs describe users')).stdout).toBe('')
    expect((await ktool('groups delete readers --dry-run')).stdout).toBe('would delete group readers\n')
    expect(await ktool('groups delete nobody --dry-run')).toMatchObject({ stdout: '', code: 1 })
    expect((await ktool('groups describe readers')).code).toBe(0)
    expect((await ktool('broker reset --dry-run')).code).toBe(0)
    expect((await ktool('broker status')).code).toBe(0)
  }, 20_000)

  test('records are parsed and counted, without a cluster', async () => {
    const env = { KTOOL_BOOTSTRAP_SERVERS: '127.0.0.1:1' }
    const words = ['produce', 'nowhere', '--dry-run', '--property', 'parse.key=true', '--property', 'key.separator=:']
    expect(await box.run(words, { input: 'a:1\nb:2\n', env })).toMatchObject({ stderr: 'would write 2 records, 4 B, to nowhere\n', code: 0 })
    expect((await box.run([...words, '--json'], { input: 'a:1\nb:2', env })).stdout).toBe(
      '{"dryRun":true,"topic":"nowhere","records":2,"tooLong":0,"bytes":4}\n',
    )
    expect(await box.run(words, { input: 'a:1\nb\n', env })).toMatchObject({
      stderr: "ktool: 1 record could be read, and reading stopped: No key separator found on line number 2: 'b'\n",
      code: 1,
    })
    const tabs = await box.run(['produce', 'nowhere', '--dry-run', '--parse-headers'], { input: 'h:1 b\n', env })
    expect(tabs.stderr).toMatch(/: No headers delimiter found on line number 1: 'h:1 b'; it is a tab, unless --property headers\.delimiter=TEXT says otherwise\n$/)
  })
})

describe('of several things each has its result', () => {
  test.each([
    ['topics describe ordrs users', 'users  1 partition', "ktool: topic 'ordrs' does not exist; did you mean 'orders'?\n"],
    ['configs describe ordrs orders', 'topic orders\n', "ktool: topic 'ordrs' does not exist; did you mean 'orders'?\n"],
    ['groups describe reader readers', 'readers  Empty', "ktool: group 'reader' does not exist; did you mean 'readers'?\n"],
    ['topics create orders made', 'created topic made', "ktool: Topic 'orders' already exists"],
    ['topics alter users made ordrs -p 3 --yes', 'topic made now has 3 partitions\ntopic users now has 3', "ktool: topic 'ordrs' does not exist"],
    ['configs alter users ordrs --add-config retention.ms=9 --yes', 'changed 1 setting of topic users\n', "ktool: topic 'ordrs' does not exist"],
    ['topics delete made ordrs', 'deleted topic made\n', "ktool: topic 'ordrs' does not exist"],
    ['groups delete reader readers --dry-run', 'would delete group readers\n', "ktool: group 'reader' does not exist"],
  ])('%s', async (line, stdout, stderr) => {
    const result = await ktool(line)
    expect(result.code).toBe(1)
    expect(result.stdout).toContain(stdout)
    expect(result.stderr).toContain(stderr)
  })

  test('in JSON they are all in one answer', async () => {
    const { stdout, stderr, code } = await ktool('topics describe ordrs users --json')
    expect([stderr, code]).toEqual(['', 1])
    const answer = JSON.parse(stdout) as { topics: object[] }
    expect(answer.topics).toEqual([
      expect.objectContaining({ name: 'users', partitions: expect.any(Array) as unknown[] }),
      { name: 'ordrs', error: { code: 'UNKNOWN_TOPIC_OR_PARTITION', message: "topic 'ordrs' does not exist", hint: "did you mean 'orders'?" } },
    ])
    const groups = JSON.parse((await ktool('groups describe reader readers --json')).stdout) as { groups: object[] }
    expect(groups.groups).toEqual([
      expect.objectContaining({ group: 'readers' }),
      { group: 'reader', error: expect.objectContaining({ code: 'GROUP_ID_NOT_FOUND' }) as object },
    ])
  })

  test.each(['topics alter users orders -p 9', 'configs alter users orders --add-config a=b', 'groups delete readers other', 'groups reset-offsets readers other --all-topics --to-earliest --execute'])(
    '%s needs --yes in a script',
    async (line) => {
      const { stdout, stderr, code } = await ktool(line)
      expect([stdout, code]).toEqual(['', 2])
      expect(stderr).toMatch(/^ktool: .*: nobody is there to say yes; add --yes to go on\n$/)
    },
  )
})

test('several topics are consumed at once, without a group', async () => {
  await box.run(['produce', 'users'], { input: '4\n' })
  const { stdout } = await ktool('consume orders users --from-beginning -e')
  expect(stdout.split('\n').slice(0, -1).sort()).toEqual(['1', '2', '3', '4'])
  expect((await ktool('consume orders users -p 0,1 -o -5 -e --json')).code).toBe(0)
})

test('--regex makes the names of topics patterns, and nothing else does', async () => {
  for (const name of ['match.a', 'match-a', 'matchXa']) {
    await ktool(`topics create ${name}`)
    await box.run(['produce', name], { input: `${name}\n` })
  }
  const lines = async (line: string) => (await ktool(line)).stdout.split('\n').slice(0, -1).sort()
  expect(await lines('consume match.a -o :end')).toEqual(['match.a'])
  expect(await lines('consume --regex match.a -o :end')).toEqual(['match-a', 'match.a', 'matchXa'])
  expect(await lines('consume --regex match[.-]a -g by-pattern --from-beginning -e')).toEqual(['match-a', 'match.a'])
  expect(await ktool('consume --regex nothing.* -e')).toMatchObject({ stdout: '', code: 1, stderr: 'ktool: no topic matches nothing.*\n' })
  expect(await ktool('consume --regex -e')).toMatchObject({ stdout: '', code: 2 })
  const alter = 'configs alter --topic match.a --regex --add-config retention.ms=5'
  expect(await ktool(alter)).toMatchObject({ stdout: '', code: 2, stderr: expect.stringContaining('nobody is there to say yes') as string })
  expect(await lines(`${alter} --yes`)).toHaveLength(3)
  expect((await ktool('configs describe --regex match.a')).stdout.match(/retention\.ms +5 /g)).toHaveLength(3)
  expect(await ktool('configs describe --entity-type brokers --regex')).toMatchObject({ code: 2 })
  for (const action of ['alter -p 2', 'delete']) expect(await lines(`topics ${action} --regex match[X-]a --yes`)).toHaveLength(2)
  expect((await topics()).filter((name) => name.startsWith('match'))).toEqual(['match.a'])
}, 20_000)

describe('--watch', () => {
  /** What it says until two times were seen, and how it ends then. */
  async function watch(line: string, pattern: RegExp): Promise<{ text: string; code: number | null }> {
    const child = spawn(process.execPath, [main, ...line.split(' '), '--watch'], { env: box.env, stdio: 'pipe' })
    const ended = once(child, 'close')
    let text = ''
    child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()))
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if ((text.match(pattern)?.length ?? 0) >= 2 && !child.killed) child.kill('SIGINT')
    })
    const [code] = (await ended) as [number | null]
    return { text, code }
  }

  test.each(['topics describe orders', 'transactions list', 'cluster', 'broker status'])('%s goes on with the time in front, until Ctrl-C', async (line) => {
    const { text, code } = await watch(line, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/gm)
    expect(code).toBe(130)
    expect(text).toMatch(/^\d{4}-.*Z\n[^]*\n\n\d{4}-.*Z\n/)
    expect(text).not.toContain('ktool:')
  })

  test('in JSON it is an object a line', async () => {
    const { text, code } = await watch('groups describe readers --json', /\n/g)
    expect(code).toBe(130)
    for (const line of text.trimEnd().split('\n')) {
      expect(JSON.parse(line)).toMatchObject({ time: expect.stringMatching(/Z$/) as string, groups: [{ group: 'readers' }] })
    }
  })

  test('on a terminal it draws over what was there', async () => {
    const { stdout, code } = await box.terminal('ktool groups list --watch', { at: 'readers', keys: '\u0003' })
    expect(code).toBe(130)
    expect(stdout).toContain('\u001b[2J\u001b[H')
    expect(stdout).toContain('every second; Ctrl-C ends it')
  })

  test('what is wrong from the start is an error', async () => {
    expect(await ktool('topics describe ordrs --watch')).toMatchObject({ code: 1, stderr: expect.stringContaining('did you mean') as string })
    expect(await ktool('topics create x --watch')).toMatchObject({ code: 2 })
  })
})

test('sizes and times: for people in tables, plain numbers elsewhere', async () => {
  expect((await ktool('broker status --output table')).stdout).toMatch(/on disk +│ [\d.]+ (B|KiB|MiB) /)
  expect((await ktool('broker status')).stdout).toMatch(/^on disk \(bytes\) +\d+$/m)
  await ktool('configs alter orders --add-config retention.ms=86400000')
  expect((await ktool('configs describe orders --output table')).stdout).toContain('86400000 (1d 0h)')
  expect((await ktool('configs describe orders')).stdout).toMatch(/retention\.ms +86400000 +topic/)
})
