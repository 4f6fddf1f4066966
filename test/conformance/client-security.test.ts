// Our client against Apache Kafka: every kind of listener, login and key store, every mistake one can make with them, and
// every administrative question.

import { execFileSync } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as admin from '../../src/client/admin.ts'
import { clientConfig } from '../../src/client/client-config.ts'
import type { Cluster } from '../../src/client/cluster.ts'
import { connectCluster } from '../../src/client/kafka-cluster.ts'
import type { ConnectError } from '../../src/client/errors.ts'
import { CONFIG_KEYS } from '../../src/client/config-keys.ts'
import { type ApacheBroker, freePorts, startApache } from './support/apache.ts'
import { javaProgram, kafkaTool, output, tryPeer } from './support/peers.ts'

const PASSWORD = 'changeit'
const LOGIN_MS = 2_500
const LISTENERS = ['TLS', 'MTLS', 'STRANGER', 'EXPIRED', 'SASLTLS', 'SASLPLAIN', 'LOST'] as const
type Listener = (typeof LISTENERS)[number] | 'PLAINTEXT'

const isThere = tryPeer('Apache Kafka', () => kafkaTool('kafka-storage')) !== undefined
const directory = mkdtempSync(join(tmpdir(), 'ktool-client-security-'))
const stores = join(directory, 'stores')
const store = (name: string): string => join(stores, name)
const ports = new Map<Listener, number>()
let kafka: ApacheBroker | undefined
let http: Server | undefined

beforeAll(async () => {
  if (!isThere) return
  mkdirSync(stores)
  execFileSync('bash', [new URL('../support/make-stores.sh', import.meta.url).pathname, stores])
  const free = await freePorts(LISTENERS.length)
  LISTENERS.forEach((name, i) => ports.set(name, free[i]))
  const keyStore = (name: string, file: string) => {
    const prefix = `listener.name.${name}.ssl`
    const lines = { location: store(file), password: PASSWORD, type: 'PKCS12' }
    const trust = [
      `${prefix}.truststore.location=${store('trust.p12')}`,
      `${prefix}.truststore.password=${PASSWORD}`,
    ]
    return [...Object.entries(lines).map(([key, value]) => `${prefix}.keystore.${key}=${value}`), ...trust]
  }
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
  const logins = (name: string, mechanisms: string) => [
    `listener.name.${name}.sasl.enabled.mechanisms=${mechanisms}`,
    ...['256', '512'].map((bits) => `listener.name.${name}.scram-sha-${bits}.sasl.jaas.config=${scram}`),
  ]
  const user = 'password=ann-secret'
  kafka = await startApache({
    directory: join(directory, 'kafka'),
    listeners: Object.fromEntries(ports),
    formatArguments: ['256', '512'].flatMap((bits) => [
      '--add-scram',
      `SCRAM-SHA-${bits}=[name=ann,${user}]`,
    ]),
    properties: [
      'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,LOST:PLAINTEXT,TLS:SSL,MTLS:SSL,STRANGER:SSL,EXPIRED:SSL,SASLTLS:SASL_SSL,SASLPLAIN:SASL_PLAINTEXT',
      `advertised.listeners=${[...LISTENERS].map((name) => `${name}://127.0.0.1:${name === 'LOST' ? 9 : ports.get(name)}`).join(',')},PLAINTEXT://127.0.0.1:19092`,
      ...keyStore('tls', 'server.p12'),
      ...keyStore('mtls', 'server.p12'),
      'listener.name.mtls.ssl.client.auth=required',
      ...keyStore('stranger', 'stranger.p12'),
      ...keyStore('expired', 'expired.p12'),
      ...keyStore('sasltls', 'server.p12'),
      ...logins('sasltls', 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512'),
      ...logins('saslplain', 'SCRAM-SHA-512'),
      `listener.name.saslplain.scram-sha-512.connections.max.reauth.ms=${LOGIN_MS}`,
      'listener.name.sasltls.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_bob="bob-secret";',
    ],
  })
  ports.set('PLAINTEXT', Number(kafka.address.split(':')[1]))
  http = createServer((_, response) => response.end('hello'))
  await new Promise<void>((resolve) => http?.listen(0, '127.0.0.1', resolve))
})

afterAll(async () => {
  http?.close()
  await kafka?.stop()
  rmSync(directory, { recursive: true, force: true })
})

type Properties = Record<string, string>

async function withCluster<T>(
  port: number | undefined,
  properties: Properties,
  use: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const all = new Map(Object.entries({ 'bootstrap.servers': `127.0.0.1:${port}`, ...properties }))
  const cluster = connectCluster(await clientConfig(all))
  try {
    return await use(cluster)
  } finally {
    await cluster.close()
  }
}

const brokersAt = (listener: Listener, properties: Properties) =>
  withCluster(ports.get(listener), properties, async (cluster) => (await cluster.metadata([])).brokers.length)

async function failureAt(port: number | undefined, properties: Properties): Promise<ConnectError> {
  const start = performance.now()
  const error: unknown = await withCluster(port, properties, (cluster) => cluster.versionsOf(1)).then(() => 'no failure', (reason: unknown) => reason) // prettier-ignore
  expect(performance.now() - start).toBeLessThan(5_000)
  return error as ConnectError
}

const tls = (properties: Properties = {}): Properties => ({
  'security.protocol': 'SSL',
  'ssl.truststore.location': store('trust.p12'),
  'ssl.truststore.password': PASSWORD,
  ...properties,
})

function login(mechanism: string, username: string, password: string): Properties {
  const module = mechanism === 'PLAIN' ? 'plain.PlainLoginModule' : 'scram.ScramLoginModule'
  const jaas = `org.apache.kafka.common.security.${module} required username="${username}" password="${password}";`
  return { 'sasl.mechanism': mechanism, 'sasl.jaas.config': jaas }
}

test.skipIf(!isThere)('every trust store opens the TLS listener', async () => {
  for (const name of ['trust.p12', 'trust-legacy.p12', 'trust.jks', 'trust-open.p12', 'trust-openssl.p12']) {
    expect(await brokersAt('TLS', tls({ 'ssl.truststore.location': store(name) })), name).toBe(1)
  }
  const pem = { 'security.protocol': 'SSL', 'ssl.truststore.type': 'PEM' }
  expect(await brokersAt('TLS', { ...pem, 'ssl.truststore.location': store('ca.pem') })).toBe(1)
  const inline = readFileSync(store('ca.pem'), 'utf8').replaceAll('\n', ' ')
  expect(await brokersAt('TLS', { ...pem, 'ssl.truststore.certificates': inline })).toBe(1)
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    expect(await brokersAt('TLS', tls({ 'ssl.enabled.protocols': version })), version).toBe(1)
  }
})

test.skipIf(!isThere)('every key store opens the listener that wants client certificates', async () => {
  const p12 = [
    'client.p12',
    'client-legacy.p12',
    'client-keytool.p12',
    'client-keytool-legacy.p12',
    'ecclient.p12',
  ]
  for (const name of p12) {
    const properties = tls({ 'ssl.keystore.location': store(name), 'ssl.keystore.password': PASSWORD })
    expect(await brokersAt('MTLS', properties), name).toBe(1)
  }
  const jks = {
    'ssl.keystore.location': store('client.jks'),
    'ssl.keystore.password': PASSWORD,
    'ssl.key.password': 'keysecret',
  }
  expect(await brokersAt('MTLS', tls(jks))).toBe(1)
  const pem = {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': store('client-keystore.pem'),
    'ssl.key.password': 'keysecret',
  }
  expect(await brokersAt('MTLS', tls(pem))).toBe(1)
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    const without = await failureAt(ports.get('MTLS'), tls({ 'ssl.enabled.protocols': version }))
    expect(without.reason, version).toBe('clientCertificate')
  }
})

test.skipIf(!isThere)('every mechanism logs in', async () => {
  const secure = tls({ 'security.protocol': 'SASL_SSL' })
  expect(await brokersAt('SASLTLS', { ...secure, ...login('PLAIN', 'bob', 'bob-secret') })).toBe(1)
  expect(await brokersAt('SASLTLS', { ...secure, ...login('SCRAM-SHA-256', 'ann', 'ann-secret') })).toBe(1)
  expect(await brokersAt('SASLTLS', { ...secure, ...login('SCRAM-SHA-512', 'ann', 'ann-secret') })).toBe(1)
  const open = { 'security.protocol': 'SASL_PLAINTEXT', ...login('SCRAM-SHA-512', 'ann', 'ann-secret') }
  expect(await brokersAt('SASLPLAIN', open)).toBe(1)
})

test.skipIf(!isThere)('a login that ends is renewed on the way (KIP-368)', async () => {
  const properties = { 'security.protocol': 'SASL_PLAINTEXT', ...login('SCRAM-SHA-512', 'ann', 'ann-secret') }
  const warnings: string[] = []
  const config = await clientConfig(
    new Map(Object.entries({ 'bootstrap.servers': `127.0.0.1:${ports.get('SASLPLAIN')}`, ...properties })),
  )
  const logger = { debug() {}, info() {}, warn: (text: string) => void warnings.push(text), error() {} }
  const cluster = connectCluster(config, { logger })
  const end = performance.now() + 2.5 * LOGIN_MS
  while (performance.now() < end) {
    await Promise.all([1, 2, 3].map(() => cluster.metadata([], { fresh: true })))
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await cluster.close()
  expect(warnings).toEqual([]) // a connection whose login was not renewed is closed by the broker
})

test.skipIf(!isThere)('every mistake is told apart within 5 s', async () => {
  const ann = login('SCRAM-SHA-512', 'ann', 'ann-secret')
  const overTls = tls({ 'security.protocol': 'SASL_SSL' })
  const open = { 'security.protocol': 'SASL_PLAINTEXT' }
  const otherAuthority = { 'security.protocol': 'SSL', 'ssl.truststore.location': store('other-ca.pem') }
  const cases: [Listener, Properties, string, RegExp][] = [
    ['TLS', {}, 'plaintextOnTls', /security.protocol=SSL/],
    ['SASLTLS', { ...open, ...ann }, 'plaintextOnTls', /security.protocol=SASL_SSL/],
    ['PLAINTEXT', tls(), 'tlsOnPlaintext', /security.protocol=PLAINTEXT/],
    ['SASLPLAIN', tls(), 'tlsOnPlaintext', /security.protocol=SASL_PLAINTEXT/],
    ['TLS', { 'security.protocol': 'SSL' }, 'certificate', /ssl.truststore.location/],
    ['TLS', otherAuthority, 'certificate', /ssl.truststore.location/],
    ['STRANGER', tls(), 'certificate', /ssl.endpoint.identification.algorithm/],
    ['EXPIRED', tls(), 'certificate', /clock/],
    ['SASLPLAIN', {}, 'saslRequired', /sasl.mechanism=SCRAM-SHA-512/],
    ['SASLTLS', tls(), 'saslRequired', /SASL_SSL/],
    ['PLAINTEXT', { ...open, ...ann }, 'saslNotOffered', /security.protocol=PLAINTEXT/],
    ['TLS', { ...overTls, ...ann }, 'saslNotOffered', /security.protocol=SSL/],
    [
      'SASLPLAIN',
      { ...open, ...login('SCRAM-SHA-256', 'ann', 'x') },
      'saslNotOffered',
      /enable SCRAM-SHA-256/,
    ],
    ['SASLTLS', { ...overTls, ...login('SCRAM-SHA-512', 'ann', 'wrong') }, 'authentication', /password/],
    ['SASLTLS', { ...overTls, ...login('PLAIN', 'bob', 'wrong') }, 'authentication', /password/],
    ['LOST', {}, 'refused', /advertised.listeners/],
  ]
  for (const [listener, properties, reason, hint] of cases) {
    const error = await failureAt(ports.get(listener), properties)
    const label = `${listener} ${JSON.stringify(properties)}`
    expect(error.reason, label).toBe(reason)
    expect(error.hint, label).toMatch(hint)
    expect(`${error.message}${error.hint}`, label).not.toMatch(/secret|wrong/)
  }
  const elsewhere = (http?.address() as AddressInfo).port
  for (const properties of [{}, tls()])
    expect((await failureAt(elsewhere, properties)).message).toContain('HTTP server')
  const unchecked = tls({ 'ssl.endpoint.identification.algorithm': '' })
  expect(await brokersAt('STRANGER', unchecked)).toBe(1)
})

test.skipIf(!isThere)('every administrative question is answered', async () => {
  await withCluster(ports.get('TLS'), tls(), async (cluster) => {
    const validated = await admin.createTopics(cluster, [{ name: 'v', partitions: 2 }], {
      validateOnly: true,
    })
    expect(validated.get('v')).toMatchObject({ ok: true, value: { partitions: 2, replicationFactor: 1 } })
    const made = await admin.createTopics(cluster, [
      { name: 'a', partitions: 3, configs: new Map([['retention.ms', '1000000']]) },
      { name: 'b', assignments: [[1], [1]] },
      { name: 'bad name!' },
      { name: 'c', replicationFactor: 3 },
    ])
    expect([...made.values()].map((result) => (result.ok ? 'ok' : result.error.error))).toEqual(
      ['ok', 'ok', 'INVALID_TOPIC_EXCEPTION', 'INVALID_REPLICATION_FACTOR'], // prettier-ignore
    )
    await expect
      .poll(async () => (await admin.listTopics(cluster)).map(({ name }) => name))
      .toEqual(['a', 'b'])
    const described = await admin.describeTopics(cluster, ['b', 'nosuch', 'a'])
    expect(described.get('a')).toMatchObject({
      ok: true,
      value: { partitions: [{ leader: 1, isr: [1], eligibleLeaderReplicas: [] }, {}, {}] },
    })
    expect(described.get('nosuch')).toMatchObject({
      ok: false,
      error: { error: 'UNKNOWN_TOPIC_OR_PARTITION' },
    })
    const grown = await admin.createPartitions(cluster, [
      { topic: 'a', count: 5 },
      { topic: 'b', count: 1 },
    ])
    expect([...grown.values()].map(({ ok }) => ok)).toEqual([true, false])

    const altered = await admin.incrementalAlterConfigs(cluster, [
      {
        type: 'topic',
        name: 'a',
        changes: [{ name: 'cleanup.policy', operation: 'append', value: 'compact' }],
      },
      { type: 'broker', name: '1', changes: [{ name: 'log.cleaner.threads', operation: 'set', value: '2' }] },
      { type: 'topic', name: 'b', changes: [{ name: 'no.such', operation: 'set', value: '1' }] },
    ])
    expect(altered.map(({ result }) => result.ok)).toEqual([true, true, false])
    const describeBoth = async () => {
      const asked = [{ type: 'topic', name: 'a' }, { type: 'broker', name: '1' }] as const
      const configs = await admin.describeConfigs(cluster, asked, { includeSynonyms: true, includeDocumentation: true })
      return configs.map(({ result }) => (result.ok ? result.value : []))
    }
    // Apache answers before the change has reached the broker.
    await expect
      .poll(async () => (await describeBoth())[1].find(({ name }) => name === 'log.cleaner.threads')?.synonyms[0])
      .toMatchObject({ value: '2', source: 'DYNAMIC_BROKER_CONFIG' })
    const [ofTopic] = await describeBoth()
    expect(ofTopic.find(({ name }) => name === 'retention.ms')).toMatchObject({
      value: '1000000', source: 'DYNAMIC_TOPIC_CONFIG', type: 'LONG', documentation: expect.stringContaining('retention') as string,
    }) // prettier-ignore

    const specs = [-1, -2, -3, -4, 5]
    const offsets = await admin.listOffsets(cluster, [
      ...specs.map((timestamp, partition) => ({ topic: 'a', partition, timestamp })),
      { topic: 'a', partition: 9, timestamp: -1 },
    ])
    expect(offsets.map(({ result }) => (result.ok ? result.value.offset : result.error.error))).toEqual([
      0,
      0,
      -1,
      0,
      -1,
      'UNKNOWN_TOPIC_OR_PARTITION',
    ])
    const deleted = await admin.deleteRecords(cluster, [
      { topic: 'b', partition: 0, offset: -1 },
      { topic: 'b', partition: 1, offset: 5 },
    ])
    expect(deleted.map(({ result }) => (result.ok ? result.value.lowWatermark : result.error.error))).toEqual(
      [0, 'OFFSET_OUT_OF_RANGE'],
    )
    const directories = await admin.describeLogDirs(cluster, [1, 7])
    expect(directories.get(1)).toMatchObject({ ok: true, value: [{ error: undefined }] })
    expect(directories.get(7)).toMatchObject({ ok: false, error: { error: 'BROKER_NOT_AVAILABLE' } })
    expect(await admin.describeCluster(cluster, { includeFencedBrokers: true })).toMatchObject({
      controllerId: 1,
      brokers: [{ nodeId: 1, isFenced: false }],
    })
    expect(await admin.listPartitionReassignments(cluster)).toEqual([])

    const id = (await admin.listTopics(cluster))[1].topicId
    expect((await admin.describeTopicsById(cluster, [id])).get(id)).toMatchObject({
      ok: true,
      value: { name: 'b' },
    })
    const gone = await admin.deleteTopics(cluster, ['a', 'nosuch'])
    expect([...gone.values()].map(({ ok }) => ok)).toEqual([true, false])
    expect((await admin.deleteTopicsById(cluster, [id])).get(id)).toMatchObject({ ok: true })
  })
})

test.skipIf(!isThere)('every property of Apache’s clients has its place', () => {
  const theirs = output(javaProgram('ClientProperties'), []).trim().split('\n')
  expect(theirs.length).toBeGreaterThan(130)
  expect(theirs.filter((name) => !Object.hasOwn(CONFIG_KEYS, name))).toEqual([])
})
