// `ktool configs` for users, clients, addresses, groups and client metrics: the built bin against a broker of its own.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Sandbox } from './sandbox.ts'

const box = new Sandbox()
beforeAll(async () => {
  await box.broker('--topic', 'orders')
}, 60_000)
afterAll(() => box.close())

const out = async (...words: string[]) => {
  const { stdout, stderr, code } = await box.run(['configs', ...words])
  expect(code, stderr).toBe(0)
  return stdout
}

describe('quotas and passwords', () => {
  test('of a user, of a user with a client, and of all others', async () => {
    const alter = ['alter', '--user', 'alice', '--add-config', 'producer_byte_rate=1000,request_percentage=12.5']
    expect(await out(...alter, '--dry-run')).toBe('would change 2 settings of user alice\n')
    expect(await out('describe', '--entity-type', 'users')).toBe('')
    expect(await out(...alter)).toBe('changed 2 settings of user alice\n')
    await out('alter', '--user', 'alice', '--client', 'app', '--add-config', 'consumer_byte_rate=5')
    await out('alter', '--user', '', '--add-config', 'consumer_byte_rate=7')
    expect(await out('describe', '--entity-type', 'users')).toBe(
      'all users\nSETTING             VALUE  FROM\nconsumer_byte_rate  7      quota\n\n' +
        'user alice with client app\nSETTING             VALUE  FROM\nconsumer_byte_rate  5      quota\n\n' +
        'user alice\nSETTING             VALUE  FROM\nproducer_byte_rate  1000   quota\nrequest_percentage  12.5   quota\n',
    )
    expect(await out('alter', '--user', 'alice', '--delete-config', 'producer_byte_rate,request_percentage')).toBe('changed 2 settings of user alice\n')
    expect(await box.run(['configs', 'describe', '--user', 'alice'])).toMatchObject({ stdout: '', stderr: 'user alice has no settings of its own\n' })
  })

  test('a password is set, never shown, and taken back', async () => {
    const said = await out('alter', '--user', 'bob', '--add-config', 'SCRAM-SHA-256=[iterations=8192,password=secret]', '--json')
    expect(said).not.toContain('secret')
    expect(JSON.parse(await out('describe', '--user', 'bob', '--json'))).toEqual({
      entities: [{ type: 'users', name: 'bob', configs: [{ name: 'SCRAM-SHA-256', value: 'iterations=8192', source: 'PASSWORD', isSensitive: false }] }],
    })
    expect(await out('alter', '--user', 'bob', '--delete-config', 'SCRAM-SHA-256')).toBe('changed 1 setting of user bob\n')
  })

  test('a password comes from the environment or a command, and never shows', async () => {
    const set = (reference: string, env = {}, ...more: string[]) =>
      box.run(['configs', 'alter', '--user', 'carol', '--add-config', `SCRAM-SHA-256=[password=${reference}]`, ...more], { env })
    expect(await set('${env:PW}')).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('needs the environment variable PW, which is not set') as string })
    const said = await set('${env:PW}', { PW: 'a],[b' }, '--json')
    expect([said.code, said.stdout + said.stderr]).toEqual([0, expect.not.stringContaining('a],[b')])
    expect((await set('${command:printf %s a]b}')).code).toBe(0)
    expect((await set('${command:exit 3}')).code).toBe(2)
  })

  test('of clients, addresses, groups and client metrics', async () => {
    await out('alter', '--client', 'app', '--add-config', 'producer_byte_rate=9')
    expect(await out('describe', '--client', 'app')).toContain('client app\n')
    await out('alter', '--ip', '127.0.0.1', '--add-config', 'connection_creation_rate=9')
    expect(await out('describe', '--entity-type', 'ips')).toContain('address 127.0.0.1\n')
    await out('alter', '--group', 'readers', '--add-config', 'consumer.session.timeout.ms=50000')
    expect(await out('describe', '--entity-type', 'groups')).toBe('group readers\nSETTING                      VALUE  FROM\nconsumer.session.timeout.ms  50000  group\n')
    await out('alter', '--entity-type', 'client-metrics', '--entity-name', 'lag', '--add-config', 'interval.ms=30000')
    expect(await out('describe', '--entity-type', 'client-metrics')).toContain('client metrics lag\n')
  })

  test.each([
    [['alter', '--user', 'a', '--add-config', 'producer_rate=1'], 2, /^users have no setting 'producer_rate'; /],
    [['alter', '--user', '', '--add-config', 'SCRAM-SHA-256=[password=x]'], 2, /^users have no setting 'SCRAM-SHA-256'/],
    [['alter', '--user', 'a', '--add-config', 'producer_byte_rate=many'], 2, /^producer_byte_rate takes a number above 0, not 'many'/],
    [['alter', '--user', 'a', '--add-config', 'SCRAM-SHA-256=[iterations=5,password=x]'], 2, /takes 4096 iterations or more, not 5/],
    [['alter', '--user', 'a', '--add-config', 'SCRAM-SHA-256=x'], 2, /^SCRAM-SHA-256 takes \[password=TEXT\]/],
    [['alter', '--user', 'a', '--add-config', 'SCRAM-SHA-256=[password=x],request_percentage=1'], 2, /^quotas and passwords are changed apart/],
    [['alter', '--user', 'a', '--delete-config', 'SCRAM-SHA-512'], 1, /^Attempt to delete a user credential that does not exist/],
    [['alter', '--group', 'g', '--add-config', 'consumer.session.timeout=1'], 1, /^there is no group setting 'consumer.session.timeout'; did you mean/],
    [['describe', '--user', 'a', '--group', 'b'], 2, /^--user and --group mean different things/],
    [['describe', '--user', 'a', '--entity-type', 'topics'], 2, /^--user and --entity-type topics mean different things/],
  ])('%j: one clear line and exit code %d', async (words, code, message) => {
    const result = await box.run(['configs', ...words])
    expect(result.stdout).toBe('')
    const said = result.stderr.split('\n').filter((line) => line.startsWith('ktool: '))
    expect(said).toHaveLength(1)
    expect(said[0].slice('ktool: '.length)).toMatch(message)
    expect(result.code).toBe(code)
  })
})
