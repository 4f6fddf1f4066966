import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseBootstrapServers } from '../../src/client/bootstrap-servers.ts'
import { clientConfig } from '../../src/client/client-config.ts'
import { ConfigError } from '../../src/client/errors.ts'
import { parseJaasConfig } from '../../src/protocol/jaas.ts'
import { SettingError } from '../../src/protocol/setting-error.ts'
import { parseProperties, readPropertiesFile } from '../../src/client/properties-file.ts'
import { formatEndpoint } from '../../src/client/wire.ts'

const config = (properties: Record<string, string>) =>
  clientConfig(new Map(Object.entries({ 'bootstrap.servers': 'localhost:9092', ...properties })))

async function errorOf(promise: Promise<unknown> | (() => unknown)): Promise<ConfigError> {
  try {
    await (typeof promise === 'function' ? promise() : promise)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return error as ConfigError
  }
  throw new Error('no error')
}

describe('bootstrap.servers', () => {
  it.each([
    ['localhost:9092', ['localhost:9092']],
    ['a', ['a:9092']],
    [' a:1 , b:2,', ['a:1', 'b:2']],
    ['[::1]:9093', ['[::1]:9093']],
    ['[::1]', ['[::1]:9092']],
    ['::1', ['[::1]:9092']],
    ['a:1,a:1', ['a:1']],
    ['PLAINTEXT://a:1', ['a:1']],
    ['my-kafka_0.svc.cluster.local:31090', ['my-kafka_0.svc.cluster.local:31090']],
  ])('reads %s', (text, wanted) => {
    expect(parseBootstrapServers(text).map(formatEndpoint)).toEqual(wanted)
  })

  it.each(['', ',', 'a:', 'a:b', 'a:0', 'a:65536', 'a:1:2', 'http://a:1', 'a/b', '[a]:1', '[::1', 'a b:1'])(
    'refuses "%s"',
    (text) => {
      expect(() => parseBootstrapServers(text)).toThrow(ConfigError)
    },
  )

  it('reads back what it prints', () => {
    const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6())
    fc.assert(
      fc.property(
        fc.array(fc.record({ host, port: fc.integer({ min: 1, max: 65535 }) }), { minLength: 1 }),
        (endpoints) => {
          const printed = [...new Set(endpoints.map(formatEndpoint))]
          expect(parseBootstrapServers(printed.join(',')).map(formatEndpoint)).toEqual(printed)
        },
      ),
    )
  })

  it('never fails in another way', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseBootstrapServers(text)
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError)
        }
      }),
    )
  })
})

describe('sasl.jaas.config', () => {
  const module = 'org.apache.kafka.common.security.plain.PlainLoginModule'

  it('reads options with and without quotes', () => {
    const { loginModule, options } = parseJaasConfig(
      ` ${module}\n required user = bob  password='a"b'\n note="x=y; \\"z\\"" ;`,
    )
    expect(loginModule).toBe(module)
    expect([...options]).toEqual([['user', 'bob'], ['password', 'a"b'], ['note', 'x=y; "z"']]) // prettier-ignore
  })

  it.each([
    '', module, `${module} required`, `${module} required user="bob"`, `${module} required user=;`, `${module} required user;`,
    `${module} never user="bob";`, `${module} required user="bob;`, `${module} required; more`, `${module} required "=" "=";`,
  ])('refuses %s', (text) => expect(() => parseJaasConfig(text)).toThrow(SettingError)) // prettier-ignore

  it('gives any quoted value back', () => {
    const quote = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`
    fc.assert(
      fc.property(fc.string(), fc.string({ unit: 'grapheme' }), (username, password) => {
        const text = `${module} required username=${quote(username)} password=${quote(password)};`
        expect([...parseJaasConfig(text).options.values()]).toEqual([username, password])
      }),
    )
  })

  it('keeps the password out of its errors', () => {
    fc.assert(
      fc.property(fc.string(), (tail) => {
        try {
          parseJaasConfig(`${module} required password=geheim${tail}`)
        } catch (error) {
          expect((error as Error).message).not.toContain('geheim')
        }
      }),
    )
  })
})

describe('properties files', () => {
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(path.join(os.tmpdir(), 'ktool-config-'))
  })
  afterAll(() => rm(directory, { recursive: true }))

  it('reads what Java reads: comments, separators, continuations, escapes', async () => {
    const text = '# c\n! c\na=1\r\nb : 2\nc 3\nd\\ e=f\\u00e4\ng=one\\\n   two\nh=\na=last\nj=x\\\r\n  y\n'
    expect(Object.fromEntries(await parseProperties(text, 'f'))).toEqual({
      a: 'last', b: '2', c: '3', 'd e': 'fä', g: 'onetwo', h: '', j: 'xy',
    }) // prettier-ignore
  })

  it('gives any escaped text back', async () => {
    const escape = (text: string) =>
      text.replace(/[^]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.string({ minLength: 1 }), fc.string())), async (pairs) => {
        const text = pairs.map(([key, value]) => `${escape(key)}=${escape(value)}\n`).join('')
        expect(await parseProperties(text, 'f')).toEqual(new Map(pairs))
      }),
    )
  })

  it('takes UTF-8, and ISO 8859-1 where it is not', async () => {
    const file = path.join(directory, 'l.properties')
    await writeFile(file, Buffer.from('p=ä', 'latin1'))
    expect((await readPropertiesFile(file)).get('p')).toBe('ä')
    await writeFile(file, 'p=ä')
    expect((await readPropertiesFile(file)).get('p')).toBe('ä')
  })

  it('names the file it can’t read', async () => {
    expect((await errorOf(readPropertiesFile('/nowhere/x.properties'))).message).toBe(
      "can't read /nowhere/x.properties: no such file",
    )
    expect((await errorOf(readPropertiesFile(directory))).message).toContain('it is a directory')
  })
})

describe('client properties', () => {
  it('has Kafka’s defaults', async () => {
    expect(await config({})).toMatchObject({
      clientId: 'ktool', securityProtocol: 'PLAINTEXT', requestTimeoutMs: 30_000, defaultApiTimeoutMs: 60_000,
      producer: { acks: -1, enableIdempotence: true, deliveryTimeoutMs: 120_000, lingerMs: 5, compressionType: 'none', partitioner: 'default' },
      consumer: { autoOffsetReset: 'latest', fetchMaxWaitMs: 500, isolationLevel: 'read_uncommitted', checkCrcs: true, groupProtocol: 'classic' },
    }) // prettier-ignore
  })

  it('reads what is given', async () => {
    const { producer, consumer, given } = await config({
      'acks': '1', 'linger.ms': '7', 'compression.type': 'zstd', 'compression.zstd.level': '9',
      'partitioner.class': 'org.apache.kafka.clients.producer.RoundRobinPartitioner',
      'auto.offset.reset': 'by_duration:P1DT2H', 'isolation.level': 'read_committed',
      'partition.assignment.strategy': 'org.apache.kafka.clients.consumer.StickyAssignor',
      'key.serializer': 'org.apache.kafka.common.serialization.StringSerializer',
    }) // prettier-ignore
    expect(producer).toMatchObject({
      acks: 1,
      enableIdempotence: false,
      lingerMs: 7,
      compressionLevel: 9,
      partitioner: 'roundRobin',
    })
    expect(consumer).toMatchObject({
      autoOffsetReset: { byDuration: 26 * 3_600_000 },
      isolationLevel: 'read_committed',
      partitionAssignmentStrategy: ['sticky'],
    })
    expect(given.has('acks')).toBe(true)
  })

  it.each([
    ['acks', '2'], ['linger.ms', 'soon'], ['linger.ms', '-1'], ['enable.idempotence', 'yes'], ['compression.type', 'brotli'],
    ['partitioner.class', 'com.example.Mine'], ['interceptor.classes', 'com.example.Mine'], ['value.serializer', 'io.confluent.KafkaAvroSerializer'],
    ['auto.offset.reset', 'first'], ['auto.offset.reset', 'by_duration:P'], ['ssl.cipher.suites', 'TLS_AES_128_GCM_SHA256'],
    ['client.dns.lookup', 'resolve_canonical_bootstrap_servers_only'], ['security.protocol', 'TLS'], ['group.protocol', 'share'],
    ['zookeeper.connect', 'localhost:2181'], ['producer.acks', '1'], ['__proto__', 'x'], ['delivery.timeout.ms', '10'],
    ['max.in.flight.requests.per.connection', '6'], ['partition.assignment.strategy', 'com.example.Mine'],
  ])('refuses %s=%s, by name', async (key, value) => {
    const error = await errorOf(clientConfig(new Map([['bootstrap.servers', 'a'], [key, value]])))
    expect(error.message).toContain(key === 'max.in.flight.requests.per.connection' ? key : (error.key ?? '?'))
    expect([key, 'enable.idempotence']).toContain(error.key)
  }) // prettier-ignore

  it('guesses what a mistyped key means', async () => {
    expect((await errorOf(config({ 'group.ids': 'x' }))).message).toContain('is group.id meant?')
    expect((await errorOf(config({ 'consumer.group.id': 'x' }))).message).toContain('is group.id meant?')
    expect((await errorOf(config({ 'seucrity.protocol': 'SSL' }))).message).toContain(
      'is security.protocol meant?',
    )
  })

  it('turns a wish that contradicts idempotence down, and lets a default go', async () => {
    expect((await config({ acks: '0' })).producer.enableIdempotence).toBe(false)
    expect((await errorOf(config({ acks: '0', 'enable.idempotence': 'true' }))).message).toContain('acks=all')
  })

  it('knows every property of Apache’s three clients', async () => {
    const { CONFIG_KEYS } = await import('../../src/client/config-keys.ts')
    expect(Object.keys(CONFIG_KEYS).length).toBeGreaterThanOrEqual(140) // test/conformance compares the names
  })
})

describe('logins', () => {
  const plain =
    'org.apache.kafka.common.security.plain.PlainLoginModule required username="bob" password="p w";'
  const scram = plain.replace('plain.Plain', 'scram.Scram')

  it('reads user and password for the mechanism', async () => {
    const properties = {
      'security.protocol': 'sasl_plaintext',
      'sasl.mechanism': 'SCRAM-SHA-512',
      'sasl.jaas.config': scram,
    }
    expect((await config(properties)).sasl).toEqual({
      mechanism: 'SCRAM-SHA-512',
      username: 'bob',
      password: 'p w',
    })
  })

  it.each([
    ['sasl.mechanism', {}],
    ['sasl.mechanism', { 'sasl.mechanism': 'GSSAPI' }],
    ['sasl.mechanism', { 'sasl.mechanism': 'OAUTHBEARER' }],
    ['sasl.jaas.config', { 'sasl.mechanism': 'PLAIN' }],
    ['sasl.jaas.config', { 'sasl.mechanism': 'PLAIN', 'sasl.jaas.config': scram }],
    [
      'sasl.jaas.config',
      { 'sasl.mechanism': 'PLAIN', 'sasl.jaas.config': plain.replace('username', 'user') },
    ],
    [
      'sasl.jaas.config',
      { 'sasl.mechanism': 'SCRAM-SHA-256', 'sasl.jaas.config': scram.replace(';', ' tokenauth="true";') },
    ],
  ])('blames %s', async (key, properties) => {
    const error = await errorOf(config({ 'security.protocol': 'SASL_SSL', ...properties }))
    expect(error.key).toBe(key)
    expect(error.message).not.toContain('p w')
  })

  it('does not read what security.protocol does not ask for', async () => {
    const { sasl, tls } = await config({
      'sasl.jaas.config': 'nonsense',
      'ssl.truststore.location': '/nowhere',
    })
    expect([sasl, tls]).toEqual([undefined, undefined])
  })
})

it('is not slow to load: nothing of TLS, kafkajs or parsers before they are needed', async () => {
  const { build } = await import('esbuild')
  const entry = new URL('../../src/client/cluster.ts', import.meta.url).pathname
  const { metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    metafile: true,
    write: false,
    outdir: 'out',
    packages: 'external',
  })
  const output = Object.values(metafile.outputs).find(({ entryPoint }) => entryPoint?.endsWith('cluster.ts'))
  const eager =
    output?.imports.filter(({ kind }) => kind === 'import-statement').map(({ path: file }) => file) ?? []
  expect(eager.filter((file) => /kafkajs|dot-properties|node:tls|node:net/.test(file))).toEqual([])
})
