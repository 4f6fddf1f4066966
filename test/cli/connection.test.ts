// Where the cluster is: the order in DECISIONS.md, Which cluster, with the surroundings put in by hand.

import { describe, expect, test } from 'vitest'
import type { BrokerStatus } from '../../src/base/control-messages.ts'
import type { Context } from '../../src/cli/contexts.ts'
import { resolveTarget, type ConnectionOptions, type Surroundings } from '../../src/cli/connection.ts'

const broker = (port: number, dataDirectory: string): BrokerStatus => ({
  version: '1',
  pid: 1,
  clusterId: 'c',
  nodeId: 1,
  dataDirectory,
  logFile: null,
  ephemeral: false,
  isServer: false,
  uptimeMs: 1,
  listeners: [{ name: 'PLAINTEXT', protocol: 'PLAINTEXT', host: 'localhost', port, advertisedHost: '127.0.0.1', advertisedPort: port }],
  topics: 0,
  partitions: 0,
  bytes: 0,
  settings: {},
})

const FILES: Readonly<Record<string, Record<string, string>>> = {
  full: { 'bootstrap.servers': 'file:1', 'client.id': 'f' },
  login: { 'sasl.mechanism': 'PLAIN' },
}

const CONTEXT: Context = {
  name: 'prod',
  properties: new Map([['bootstrap.servers', 'context:1'], ['sasl.jaas.config', 'user ${env:SECRET}']]),
  isReadOnly: false,
  clusterId: undefined,
}

function resolve(options: ConnectionOptions, around: Partial<Surroundings> = {}) {
  return resolveTarget(options, {
    env: {},
    readContext: (name) => Promise.resolve({ ...CONTEXT, name }),
    currentContext: () => Promise.resolve(undefined),
    usualDirectory: '/usual',
    readProperties: (path) => Promise.resolve(new Map(Object.entries(FILES[path]))),
    runningBrokers: () => Promise.resolve([]),
    ...around,
  })
}

const running = (...brokers: BrokerStatus[]) => ({ runningBrokers: () => Promise.resolve(brokers) })
const address = async (...args: Parameters<typeof resolve>) => (await resolve(...args)).properties.get('bootstrap.servers')

test('the flag goes before everything', async () => {
  const around = { env: { KTOOL_BOOTSTRAP_SERVERS: 'env:1' }, ...running(broker(9092, '/usual')) }
  expect(await address({ bootstrapServer: 'flag:1', commandConfig: 'full' }, around)).toBe('flag:1')
  expect(await address({ commandConfig: 'full' }, around)).toBe('file:1')
  expect(await address({}, around)).toBe('env:1')
  expect(await address({}, running(broker(9092, '/usual')))).toBe('127.0.0.1:9092')
})

test('properties go with their address', async () => {
  const target = await resolve({ bootstrapServer: 'flag:1', commandConfig: 'login' })
  expect(target.properties).toEqual(new Map([['sasl.mechanism', 'PLAIN'], ['bootstrap.servers', 'flag:1']]))
  const fromEnv = await resolve({}, { env: { KTOOL_BOOTSTRAP_SERVERS: 'env:1', KTOOL_COMMAND_CONFIG: 'login' } })
  expect(fromEnv.properties).toEqual(new Map([['sasl.mechanism', 'PLAIN'], ['bootstrap.servers', 'env:1']]))
  const overridden = await resolve({ bootstrapServer: 'a:1', properties: new Map([['client.id', 'p']]), commandConfig: 'full' })
  expect(overridden.properties.get('client.id')).toBe('p')
})

describe('KTOOL_COMMAND_CONFIG alone', () => {
  const env = { KTOOL_COMMAND_CONFIG: 'full', SECRET: 'hush' }
  const around = { env, currentContext: () => Promise.resolve('prod'), ...running(broker(9092, '/usual')) }

  test('names the cluster, before the current context and the broker here', async () => {
    const properties = new Map([['bootstrap.servers', 'file:1'], ['client.id', 'f']])
    expect(await resolve({}, around)).toMatchObject({ properties, source: 'KTOOL_COMMAND_CONFIG', isBundled: false, isNamed: false })
  })

  test('counts for nothing where a flag names the cluster or another file', async () => {
    expect((await resolve({ bootstrapServer: 'flag:1' }, around)).properties).toEqual(new Map([['bootstrap.servers', 'flag:1']]))
    expect((await resolve({ context: 'prod' }, around)).properties.has('client.id')).toBe(false)
    const local = new Map([['sasl.mechanism', 'PLAIN'], ['bootstrap.servers', '127.0.0.1:9092']])
    expect((await resolve({ commandConfig: 'login' }, around)).properties).toEqual(local)
  })

  test('starts no broker, with or without addresses in the file', async () => {
    const start = () => Promise.reject(new Error('started'))
    expect(await address({}, { env, start })).toBe('file:1')
    await expect(resolve({}, { env: { KTOOL_COMMAND_CONFIG: 'login' }, start })).rejects.toMatchObject({
      exitCode: 3,
      message: 'no broker runs on this machine and KTOOL_COMMAND_CONFIG keeps ktool from starting one',
    })
  })
})

test('only the broker found on this machine is the bundled one', async () => {
  const around = running(broker(9092, '/usual'))
  expect((await resolve({}, around)).isBundled).toBe(true)
  expect((await resolve({ bootstrapServer: '127.0.0.1:9092' }, around)).isBundled).toBe(false)
  expect((await resolve({}, around)).source).toBe('the broker on this machine')
  const throwAway = running({ ...broker(9092, '/tmp/x'), ephemeral: true })
  expect(await resolve({}, throwAway)).toMatchObject({ isBundled: true, source: 'the ephemeral broker on this machine' })
})

test('of several brokers the usual one; else they must be told apart', async () => {
  expect(await address({}, running(broker(1, '/a'), broker(2, '/usual')))).toBe('127.0.0.1:2')
  expect(await address({}, running(broker(1, '/a')))).toBe('127.0.0.1:1')
  await expect(address({}, running(broker(1, '/a'), broker(2, '/b')))).rejects.toMatchObject({
    exitCode: 2,
    message: '2 brokers run on this machine: 127.0.0.1:1, 127.0.0.1:2',
  })
})

describe('no broker anywhere', () => {
  const start = () => Promise.resolve(broker(9092, '/usual'))

  test('is exit 3 with the hint', async () => {
    await expect(resolve({})).rejects.toMatchObject({ exitCode: 3, code: 'NO_BROKER', message: 'no broker runs on this machine' })
  })

  test('starts one where the command may', async () => {
    expect(await address({}, { start })).toBe('127.0.0.1:9092')
  })

  test.each([
    [{ KTOOL_AUTO_START: '0' }, 'KTOOL_AUTO_START=0'],
    [{ KAFKA_BOOTSTRAP_SERVERS: 'x:1' }, 'KAFKA_BOOTSTRAP_SERVERS'],
    [{ BOOTSTRAP_SERVERS: 'x:1' }, 'BOOTSTRAP_SERVERS'],
    [{ KAFKA_BROKERS: 'x:1' }, 'KAFKA_BROKERS'],
  ])('but not with %j', async (env, named) => {
    await expect(resolve({}, { start, env })).rejects.toMatchObject({
      exitCode: 3,
      message: `no broker runs on this machine and ${named} keeps ktool from starting one`,
    })
  })
})

describe('contexts', () => {
  const current = { currentContext: () => Promise.resolve('prod') }
  const env = { SECRET: 'hush' }

  test('the one of the flag goes before the environment, the current one behind it and before the broker here', async () => {
    expect(await address({ context: 'prod' }, { env: { ...env, KTOOL_BOOTSTRAP_SERVERS: 'env:1' } })).toBe('context:1')
    expect(await address({}, { env: { KTOOL_BOOTSTRAP_SERVERS: 'env:1' }, ...current })).toBe('env:1')
    expect(await address({}, { env, ...current, ...running(broker(9092, '/usual')) })).toBe('context:1')
  })

  test('their secrets are looked up when they are used, and only then', async () => {
    const target = await resolve({}, { env, ...current })
    expect([target.source, target.properties.get('sasl.jaas.config')]).toEqual(['context prod', 'user hush'])
    await expect(resolve({}, current)).rejects.toThrow('context prod: sasl.jaas.config needs the environment variable SECRET, which is not set')
    expect(await address({ bootstrapServer: 'flag:1' }, current)).toBe('flag:1')
  })

  test('their credentials go to no other address', async () => {
    const target = await resolve({ bootstrapServer: 'flag:1' }, { env, ...current })
    expect(target.properties.has('sasl.jaas.config')).toBe(false)
    await expect(resolve({ context: 'prod', bootstrapServer: 'flag:1' }, { env })).rejects.toThrow('--context and --bootstrap-server both name a cluster')
    const elsewhere = new Map([['bootstrap.servers', 'other:1']])
    await expect(resolve({ context: 'prod', properties: elsewhere }, { env })).rejects.toThrow('both name a cluster')
  })
})
