// `ktool context` on the built bin with a broker of its own, and what contexts promise.

import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resolveSecrets } from '../../src/cli/secrets.ts'
import { parseJaasConfig } from '../../src/protocol/jaas.ts'
import { Sandbox } from './sandbox.ts'

const box = new Sandbox()
let address = ''
beforeAll(async () => {
  address = await box.broker('--topic', 'orders:3')
}, 60_000)
afterAll(() => box.close())

const file = (name: string) => join(box.directory, 'CONFIG_HOME', 'ktool', 'contexts', `${name}.properties`)

test('is added, used, listed, shown and removed', async () => {
  expect((await box.run(['context', 'list'])).stderr).toBe('there are no contexts; `ktool context add NAME -b HOST:PORT` adds one\n')
  expect(await box.run(['context', 'add', 'here', '-b', address])).toMatchObject({ code: 0, stdout: '' })
  expect(await box.run(['context', 'add', 'there', '-b', '127.0.0.1:1', '-X', 'client.id=me'])).toMatchObject({ code: 0 })
  expect((await box.run(['context', 'add', 'here', '-b', address])).stderr).toBe(
    "ktool: there is a context 'here' already; `ktool context remove here` takes it away\n",
  )
  expect(await box.run(['context', 'use', 'here'])).toMatchObject({ code: 0, stderr: 'the current context is here\n' })
  const { stdout } = await box.run(['context', '--list', '--json'])
  expect(JSON.parse(stdout)).toEqual({
    current: 'here',
    contexts: [
      { name: 'here', readOnly: false, clusterId: null, properties: { 'bootstrap.servers': address } },
      { name: 'there', readOnly: false, clusterId: null, properties: { 'client.id': 'me', 'bootstrap.servers': '127.0.0.1:1' } },
    ],
  })
  expect((await box.run(['context', 'show'])).stdout).toBe(`bootstrap.servers=${address}\n`)
  expect((await box.run(['context', 'remove', 'here'])).code).toBe(0)
  expect((await box.run(['context', 'show'])).stderr).toBe('ktool: no context is the current one; see `ktool context list`\n')
  expect((await box.run(['context', 'use', 'ther'])).stderr).toBe("ktool: there is no context 'ther'; did you mean 'there'?\n")
  expect((await box.run(['context', 'remove', 'there'])).code).toBe(0)
})

describe('secrets', () => {
  const properties = 'security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config=my.PlainLoginModule required username="me" password="hush";\n'

  test('are shown to nobody, and lie in a file for its owner only', async () => {
    const config = join(box.directory, 'client.properties')
    writeFileSync(config, properties)
    const words = ['context', 'add', 'login', '-b', 'h:1', '--command-config', config, '-X', 'ssl.key.password=${command:exit 3}']
    const added = await box.run(words)
    expect(added.code).toBe(0)
    expect(statSync(file('login')).mode & 0o777).toBe(0o600)
    expect(readFileSync(file('login'), 'utf8')).toContain('hush')
    const shown = await box.run(['context', 'show', 'login'])
    expect(shown.stdout).toContain('sasl.jaas.config=[hidden]\n')
    expect(shown.stdout).toContain('ssl.key.password=[hidden] with ${command:exit 3}\n')
    const list = await box.run(['context', 'list', '--json'])
    expect(added.stderr + shown.stdout + shown.stderr + list.stdout).not.toContain('hush')
    expect(await box.run(['topics', 'list', '--context', 'login'])).toMatchObject({
      code: 2,
      stderr: 'ktool: context login: ssl.key.password: the command for it failed (exit 3); `ktool context --help` tells of ${env:…} and ${command:…}\n',
    })
  })

  test('cannot end the quotes that they stand in', async () => {
    const resolved = await resolveSecrets('c', new Map([['sasl.jaas.config', 'm required password="${env:PW}";']]), { PW: 'a"; b\\c' })
    expect(parseJaasConfig(resolved.get('sasl.jaas.config') ?? '').options.get('password')).toBe('a"; b\\c')
  })

  test('what is no property of a client is refused before it is kept', async () => {
    const { code, stderr } = await box.run(['context', 'add', 'wrong', '-b', address, '-X', 'sasl.username=me'])
    expect([code, stderr]).toEqual([2, expect.stringContaining('sasl.username is not a client property of Kafka; a login is in sasl.jaas.config')])
  })

  test.each([
    [['-X', 'security.protocol=SASL_SSL', '-X', 'sasl.mechanism=GSSAPI'], "sasl.mechanism=GSSAPI can't be honoured"],
    [['-X', 'security.protocol=SASL_SSL', '-X', 'sasl.mechanism=${env:M}', '-X', 'acks=2'], 'acks=2'],
    [['-X', 'security.protocol=SSL', '-X', 'ssl.truststore.location=/nowhere'], "can't read /nowhere"],
  ])('what a command would refuse later is refused at once, in the same words: %j', async (words, text) => {
    const added = await box.run(['context', 'add', 'refused', '-b', 'h:1', ...words])
    expect([added.code, added.stderr]).toEqual([2, expect.stringContaining(text)])
    expect((await box.run(['context', 'show', 'refused'])).stderr).toContain("there is no context 'refused'")
    if (words.includes('sasl.mechanism=GSSAPI')) {
      const used = await box.run(['topics', 'list', '-b', 'h:1', ...words])
      expect(used.stderr.split(';')[0]).toBe(added.stderr.split(';')[0])
    }
  })

  test('what only refers to something is judged when it is used', async () => {
    const login = 'sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="me" password="${env:NOPW}";'
    const words = ['-X', 'security.protocol=SASL_SSL', '-X', 'sasl.mechanism=${env:M}', '-X', login, '-X', 'ssl.keystore.location=/nowhere']
    expect(await box.run(['context', 'add', 'later', '-b', '${env:W}', ...words, '-X', 'ssl.keystore.password=${command:pass}'])).toMatchObject({ code: 0 })
    expect((await box.run(['topics', 'list', '--context', 'later'], { env: { M: 'PLAIN' } })).stderr).toBe(
      'ktool: context later: sasl.jaas.config needs the environment variable NOPW, which is not set; ' +
        '`ktool context --help` tells of ${env:…} and ${command:…}\n',
    )
  })

  test('come from the environment and from commands', async () => {
    await box.run(['context', 'add', 'asks', '-b', '${env:WHERE}', '-X', 'client.id=${command:printf %s me}'])
    expect(await box.run(['topics', 'list', '--context', 'asks'], { env: { WHERE: address } })).toMatchObject({ stdout: 'orders\n', code: 0 })
  })
})

describe('a read-only context', () => {
  beforeAll(() => box.run(['context', 'add', 'look', '-b', address, '--read-only']))

  test.each([
    ['topics', 'list'],
    ['topics', 'describe', 'orders'],
    ['configs', 'describe', 'orders'],
    ['consume', 'orders', '--from-beginning', '--exit-at-end'],
    ['groups', 'list'],
  ])('lets through `%s %s`', async (...words) => {
    expect(await box.run([...words, '--context', 'look'])).toMatchObject({ code: 0 })
  })

  test.each([
    [['topics', 'create', 'new'], 'CreateTopics'],
    [['topics', 'delete', 'orders'], 'DeleteTopics'],
    [['configs', 'alter', 'orders', '--add-config', 'retention.ms=1'], 'IncrementalAlterConfigs'],
    [['consume', 'orders', '--group', 'g', '--exit-at-end'], 'JoinGroup'],
  ])('refuses `%j`', async (words, api) => {
    const { code, stderr } = await box.run([...words, '--context', 'look'], { input: 'a\n' })
    expect(code).toBe(2)
    expect(stderr).toContain(`context look is read-only, and this needs ${api}; nothing was changed\n`)
  })
})

describe('a read-only context says so first', () => {
  test.each([[[]], [['--acks', '0', '-X', 'enable.idempotence=false']]])('produce %j, before anything is read', async (more) => {
    const refusal = 'ktool: context look is read-only: produce is refused; nothing was written\n'
    // Nobody ends its stdin.
    const endless = 'fifo="$TMPDIR/$$.fifo" && mkfifo "$fifo" && exec 3<> "$fifo"'
    expect(await box.shell(`${endless} && ktool produce orders --context look ${more.join(' ')} <&3`)).toMatchObject({ code: 2, stdout: '', stderr: refusal })
  })

  test('and a dry run what would become of it', async () => {
    const { code, stdout, stderr } = await box.run(['topics', 'delete', 'orders', '--dry-run', '--context', 'look'])
    expect([code, stdout]).toEqual([0, 'would delete topic orders\n'])
    expect(stderr).toMatch(/^dry run on .* \(source: context look\); it is read-only: without --dry-run this is refused\n$/)
    const json = await box.run(['topics', 'delete', 'orders', '--dry-run', '--json', '--context', 'look'])
    expect(JSON.parse(json.stderr)).toMatchObject({ dryRunOn: { source: 'context look', readOnly: true } })
  })
})

describe('what names the cluster is told', () => {
  const jaas = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="me" password="p";'
  beforeAll(async () => {
    await box.run(['context', 'add', 'told', '-b', address])
    await box.run(['context', 'add', 'dead', '-b', '127.0.0.1:1'])
    const login = ['-X', 'security.protocol=SASL_PLAINTEXT', '-X', 'sasl.mechanism=PLAIN', '-X', `sasl.jaas.config=${jaas}`]
    await box.run(['context', 'add', 'login-dead', '-b', '127.0.0.1:1', ...login])
  })

  test('by -v, for whatever is read', async () => {
    const line = (source: string) => ({ code: 0, stderr: `talking to ${address} (source: ${source})\n` })
    expect(await box.run(['topics', 'list', '-v'])).toMatchObject(line('the broker on this machine'))
    expect(await box.run(['topics', 'list', '-v', '-b', address])).toMatchObject(line('--bootstrap-server'))
    expect(await box.run(['topics', 'list', '-v', '--context', 'told'])).toMatchObject(line('context told'))
    const env = { KTOOL_BOOTSTRAP_SERVERS: address }
    expect(await box.run(['topics', 'list', '-v'], { env })).toMatchObject(line('KTOOL_BOOTSTRAP_SERVERS'))
    const { stderr } = await box.run(['topics', 'list', '-v', '--json', '--context', 'login-dead'])
    expect(JSON.parse(stderr.split('\n')[0])).toEqual({ talkingTo: { address: '127.0.0.1:1', user: 'me', source: 'context login-dead' } })
  })

  test('by produce, on a terminal and where the command line does not', async () => {
    const acting = `acting on ${address}, cluster `
    const said = await box.terminal('echo a | ktool produce orders')
    expect([said.code, said.stdout]).toEqual([0, expect.stringMatching(new RegExp(`^${acting}\\S+ \\(source: the broker on this machine\\)`))])
    expect((await box.terminal(`echo a | ktool produce orders -b ${address}`)).stdout).not.toContain(acting)
    expect(await box.run(['produce', 'orders'], { input: 'a\n' })).toMatchObject({ code: 0, stderr: '' })
  })

  test('when nobody answers there', async () => {
    const refused = 'ktool: Connection to 127.0.0.1:1 refused: nothing listens there. Start the broker, or check '
    const told = async (words: readonly string[], env = {}) => (await box.run(['topics', 'list', ...words], { env })).stderr
    expect(await told(['-b', '127.0.0.1:1'])).toBe(`${refused}--bootstrap-server.\n`)
    const shows = 'which is from context dead: `ktool context show dead` shows it'
    expect(await told(['--context', 'dead'])).toBe(`${refused}the address, ${shows}.\n`)
    await box.run(['context', 'use', 'dead'])
    expect(await told([])).toBe(`${refused}the address, ${shows}, \`ktool context use --none\` leaves it.\n`)
    await box.run(['context', 'use', '--none'])
    const env = { KTOOL_BOOTSTRAP_SERVERS: '127.0.0.1:1' }
    expect(await told([], env)).toBe(`${refused}the address, which is from the environment variable KTOOL_BOOTSTRAP_SERVERS.\n`)
    expect(await told([], { KTOOL_BOOTSTRAP_SERVERS: 'no-such-host.invalid:1' })).toMatch(/this machine\. The address is from the environment variable KTOOL_B/)
    expect(await told([], { KTOOL_COMMAND_CONFIG: '/nope' })).toContain("ktool: KTOOL_COMMAND_CONFIG: can't read /nope: no such file")
  })
})

test('a context for one cluster changes nothing in another', async () => {
  await box.run(['context', 'add', 'pinned', '-b', address, '--cluster-id', 'AAAAAAAAAAAAAAAAAAAAAA'])
  const { code, stderr } = await box.run(['topics', 'create', 'new', '--context', 'pinned'])
  expect(code).toBe(2)
  expect(stderr).toContain('context pinned is for cluster AAAAAAAAAAAAAAAAAAAAAA, and this is ')
  expect(await box.run(['topics', 'list', '--context', 'pinned'])).toMatchObject({ code: 0, stderr: '' })
})
