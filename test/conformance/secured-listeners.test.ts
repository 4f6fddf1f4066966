// Foreign clients through our broker's secured listeners: each protocol and mechanism, right and wrong. SCRAM users are made
// by Apache's own tool, and are there when Apache is started on the directory, and back.

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel, type SASLOptions } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePorts, startApache } from './support/apache.ts'
import { ktool, ktoolEnv, type OurBroker, startBroker } from './support/broker.ts'
import { goProgram, kafkaTool, kcat, output, pythonProgram, run, tryPeer } from './support/peers.ts'

const PASSWORD = 'changeit' // of the stores
const apache = tryPeer('Apache Kafka', () => kafkaTool('kafka-configs'))
const python = tryPeer('confluent-kafka', () => pythonProgram('login'))
const go = tryPeer('franz-go', goProgram)
const kcatPeer = tryPeer('kcat', kcat)

const directory = mkdtempSync(join(tmpdir(), 'ktool-secured-'))
const data = join(directory, 'data')
const stores = join(directory, 'stores')
const store = (name: string): string => join(stores, name)
const LISTENERS = ['PLAINTEXT', 'TLS', 'MTLS', 'LOGIN', 'TLSLOGIN'] as const
type Listener = (typeof LISTENERS)[number]
const ports = new Map<Listener, number>()
const at = (listener: Listener): string => `127.0.0.1:${ports.get(listener)}`
let ours: OurBroker | undefined

const PROTOCOLS: Readonly<Record<Listener, string>> = {
  PLAINTEXT: 'PLAINTEXT', TLS: 'SSL', MTLS: 'SSL', LOGIN: 'SASL_PLAINTEXT', TLSLOGIN: 'SASL_SSL',
} // prettier-ignore
const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const

/** One way in. */
interface Way {
  readonly title: string
  readonly listener: Listener
  readonly mechanism?: (typeof MECHANISMS)[number]
  readonly password?: string
  readonly authority?: string
}

const WAYS: readonly Way[] = [
  { title: 'SSL', listener: 'TLS' },
  { title: 'SSL with a client certificate', listener: 'MTLS' },
  ...MECHANISMS.map((mechanism): Way => ({ title: `SASL_PLAINTEXT ${mechanism}`, listener: 'LOGIN', mechanism })),
  ...MECHANISMS.map((mechanism): Way => ({ title: `SASL_SSL ${mechanism}`, listener: 'TLSLOGIN', mechanism })),
]
const WRONG: readonly Way[] = [
  ...MECHANISMS.map((mechanism): Way => ({ title: `a wrong password for ${mechanism}`, listener: 'LOGIN', mechanism, password: 'guess' })),
  { title: 'another authority', listener: 'TLS', authority: 'other-ca.pem' },
]

const module = (mechanism: string): string =>
  `org.apache.kafka.common.security.${mechanism === 'PLAIN' ? 'plain.Plain' : 'scram.Scram'}LoginModule required`

function serverProperties(): string[] {
  const secured = LISTENERS.filter((name) => name !== 'PLAINTEXT')
  return [
    `listeners=${LISTENERS.map((name) => `${name}://${at(name)}`).join(',')}`,
    `listener.security.protocol.map=${LISTENERS.map((name) => `${name}:${PROTOCOLS[name]}`).join(',')},CONTROLLER:PLAINTEXT`,
    'ssl.keystore.type=PKCS12',
    `ssl.keystore.location=${store('server.p12')}`,
    `ssl.keystore.password=${PASSWORD}`,
    'ssl.truststore.type=JKS',
    `ssl.truststore.location=${store('trust.jks')}`,
    `ssl.truststore.password=${PASSWORD}`,
    'listener.name.mtls.ssl.client.auth=required',
    `sasl.enabled.mechanisms=${MECHANISMS.join(',')}`,
    ...secured.flatMap((name) =>
      MECHANISMS.map((mechanism) => {
        const users = mechanism === 'PLAIN' ? ' user_ann="ann-secret"' : ''
        return `listener.name.${name.toLowerCase()}.${mechanism.toLowerCase()}.sasl.jaas.config=${module(mechanism)}${users};`
      }),
    ),
  ]
}

/** Kafka's client properties in a file. */
function clientProperties(way: Way): string {
  const { listener, mechanism, password = 'ann-secret', authority } = way
  const lines = [`security.protocol=${PROTOCOLS[listener]}`, 'request.timeout.ms=6000', 'default.api.timeout.ms=8000', 'max.block.ms=8000', 'delivery.timeout.ms=8000', 'linger.ms=0']
  if (PROTOCOLS[listener].endsWith('SSL')) {
    if (authority === undefined) lines.push(`ssl.truststore.location=${store('trust.p12')}`, `ssl.truststore.password=${PASSWORD}`, 'ssl.truststore.type=PKCS12')
    else lines.push(`ssl.truststore.location=${store(authority)}`, 'ssl.truststore.type=PEM')
  }
  if (listener === 'MTLS') lines.push(`ssl.keystore.location=${store('client.p12')}`, `ssl.keystore.password=${PASSWORD}`, 'ssl.keystore.type=PKCS12')
  if (mechanism !== undefined) {
    lines.push(`sasl.mechanism=${mechanism}`, `sasl.jaas.config=${module(mechanism)} username="ann" password="${password}";`)
  }
  const file = join(directory, `${way.title.replaceAll(/\W+/g, '-')}.properties`)
  writeFileSync(file, lines.map((line) => `${line}\n`).join(''))
  return file
}

/** The same for librdkafka. */
function librdkafka({ listener, mechanism, password = 'ann-secret', authority = 'ca.pem' }: Way): string[] {
  const settings = [`bootstrap.servers=${at(listener)}`, `security.protocol=${PROTOCOLS[listener]}`]
  if (PROTOCOLS[listener].endsWith('SSL')) settings.push(`ssl.ca.location=${store(authority)}`)
  if (listener === 'MTLS') settings.push(`ssl.certificate.location=${store('client.pem')}`, `ssl.key.location=${store('client.key')}`)
  if (mechanism !== undefined) settings.push(`sasl.mechanism=${mechanism}`, 'sasl.username=ann', `sasl.password=${password}`)
  return settings
}

const setScram = (address: string, user: string, password: string): string[] =>
  ['SCRAM-SHA-256', 'SCRAM-SHA-512'].map((mechanism) =>
    output(kafkaTool('kafka-configs'), [
      '--bootstrap-server', address, '--alter', '--entity-type', 'users', '--entity-name', user, '--add-config', `${mechanism}=[password=${password}]`,
    ]),
  ) // prettier-ignore

beforeAll(async () => {
  mkdirSync(stores)
  execFileSync('bash', [new URL('../support/make-stores.sh', import.meta.url).pathname, stores])
  const free = await freePorts(LISTENERS.length)
  LISTENERS.forEach((name, i) => ports.set(name, free[i]))
  const config = join(directory, 'server.properties')
  writeFileSync(config, [...serverProperties(), `log.dirs=${data}`].join('\n'))
  ours = await startBroker(['--config', config, '--topic', 't:1'], ktoolEnv(directory))
  if (apache !== undefined) setScram(at('PLAINTEXT'), 'ann', 'ann-secret')
}, 120_000)

afterAll(async () => {
  await ours?.stop()
  rmSync(directory, { recursive: true, force: true })
})

describe.skipIf(apache === undefined)('Apache’s tools', () => {
  test('kafka-configs describes the users it made', () => {
    const said = output(kafkaTool('kafka-configs'), ['--bootstrap-server', at('PLAINTEXT'), '--describe', '--entity-type', 'users'])
    expect(said.trim()).toBe("SCRAM credential configs for user-principal 'ann' are SCRAM-SHA-256=iterations=4096, SCRAM-SHA-512=iterations=4096")
  })

  test.each(WAYS)('write and read: $title', (way) => {
    const server = ['--bootstrap-server', at(way.listener), '--command-config', clientProperties(way), '--topic', 't']
    output(kafkaTool('kafka-console-producer'), server, { input: 'from Java\n' })
    const read = output(kafkaTool('kafka-console-consumer'), [...server, '--from-beginning', '--max-messages', '1', '--timeout-ms', '15000'])
    expect(read).toContain('from')
  })

  test.each(WRONG)('are refused: $title', (way) => {
    const { status, stdout, stderr } = run(kafkaTool('kafka-configs'), [
      '--bootstrap-server', at(way.listener), '--command-config', clientProperties(way), '--describe', '--entity-type', 'users',
    ]) // prettier-ignore
    expect(status).not.toBe(0)
    expect(`${String(stdout)}${String(stderr)}`).toMatch(/SaslAuthenticationException|SslAuthenticationException|Authentication failed|SSL handshake failed/)
  })
})

describe.skipIf(kcatPeer === undefined || apache === undefined)('kcat', () => {
  const ask = (way: Way, args: readonly string[], input = '') =>
    run(kcat(), [...librdkafka(way).flatMap((one) => ['-X', one]), '-m', '8', ...args], { input, timeoutMs: 20_000 })

  test.each(WAYS)('writes and reads: $title', (way) => {
    const written = ask(way, ['-P', '-t', 't'], 'from kcat\n')
    expect(written.status, String(written.stderr)).toBe(0)
    const read = ask(way, ['-C', '-t', 't', '-e', '-q', '-o', 'beginning'])
    expect(String(read.stdout)).toContain('from kcat')
  })

  test.each(WRONG)('is refused: $title', (way) => {
    const { status, stderr } = ask(way, ['-L'])
    expect(status).not.toBe(0)
    expect(String(stderr)).toMatch(/SASL authentication error: Authentication failed|certificate verify failed/)
  })
})

describe.skipIf(python === undefined || apache === undefined)('confluent-kafka', () => {
  test.each(WAYS)('writes and reads: $title', (way) => {
    expect(output(pythonProgram('login'), ['t', ...librdkafka(way)])).toBe('read True\n')
  })

  test.each(WRONG)('is refused: $title', (way) => {
    const { status, stderr } = run(pythonProgram('login'), ['t', ...librdkafka(way)])
    expect(status).toBe(1)
    expect(String(stderr)).toMatch(/Authentication failed|certificate verify failed/)
  })
})

describe.skipIf(go === undefined || apache === undefined)('franz-go', () => {
  const ask = ({ listener, mechanism, password = 'ann-secret', authority = 'ca.pem' }: Way) => {
    const words = [`mechanism=${mechanism ?? ''}`, 'user=ann', `password=${password}`]
    if (PROTOCOLS[listener].endsWith('SSL')) words.push(`ca=${store(authority)}`)
    if (listener === 'MTLS') words.push(`cert=${store('client.pem')}`, `key=${store('client.key')}`)
    return run(goProgram(), ['login', at(listener), 't', ...words])
  }

  test.each(WAYS)('writes and reads: $title', (way) => {
    const { stdout, stderr } = ask(way)
    expect(String(stdout), String(stderr)).toBe('read true\n')
  })

  test.each(WRONG)('is refused: $title', (way) => {
    const { status, stderr, stdout } = ask(way)
    expect(status).not.toBe(0)
    expect(`${String(stdout)}${String(stderr)}`).toMatch(/SASL_AUTHENTICATION_FAILED|certificate signed by unknown authority/)
  })
})

describe.skipIf(apache === undefined)('kafkajs', () => {
  async function list({ listener, mechanism, password = 'ann-secret', authority = 'ca.pem' }: Way): Promise<string[]> {
    const isTls = PROTOCOLS[listener].endsWith('SSL')
    const mine = listener === 'MTLS' ? { cert: readFileSync(store('client.pem')), key: readFileSync(store('client.key')) } : {}
    const kafka = new Kafka({
      brokers: [at(listener)],
      logLevel: logLevel.NOTHING,
      retry: { retries: 1 },
      ...(isTls && { ssl: { ca: [readFileSync(store(authority))], servername: 'localhost', ...mine } }),
      ...(mechanism && { sasl: { mechanism: mechanism.toLowerCase(), username: 'ann', password } as SASLOptions }),
    })
    const [admin, producer] = [kafka.admin(), kafka.producer()]
    try {
      await producer.connect()
      await producer.send({ topic: 't', messages: [{ value: 'from kafkajs' }] })
      await admin.connect()
      return await admin.listTopics()
    } finally {
      await producer.disconnect()
      await admin.disconnect()
    }
  }

  test.each(WAYS)('writes and asks: $title', async (way) => expect(await list(way)).toContain('t'))

  test.each(WRONG)('is refused: $title', async (way) => {
    await expect(list(way)).rejects.toThrow(/Authentication failed|self.signed|unable to verify/i)
  })
})

describe.skipIf(apache === undefined)('ktool', () => {
  const ask = (way: Way, args: readonly string[], input = '') =>
    run(ktool(), [args[0], '-b', at(way.listener), '--command-config', clientProperties(way), ...args.slice(1)], {
      input,
      env: ktoolEnv(directory),
    })

  test.each(WAYS)('writes and reads: $title', (way) => {
    const written = ask(way, ['produce', '--topic', 't'], 'from ktool\n')
    expect(written.status, String(written.stderr)).toBe(0)
    const read = ask(way, ['consume', '--topic', 't', '--from-beginning', '--max-messages', '1', '--timeout', '15s'])
    expect(String(read.stdout), String(read.stderr)).toContain('from')
  })

  test.each(WRONG)('is refused with exit 3: $title', (way) => {
    const { status, stderr } = ask(way, ['topics', '--list'])
    expect(status).toBe(3)
    expect(String(stderr)).toMatch(/password|certificate/i)
  })
})

describe.skipIf(apache === undefined)('SCRAM users go with the directory', () => {
  test('to Apache Kafka, and back', async () => {
    await ours?.stop()
    const [login] = await freePorts(1)
    mkdirSync(join(directory, 'apache'))
    const kafka = await startApache({
      directory: join(directory, 'apache'),
      listeners: { LOGIN: login },
      properties: [
        'listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,LOGIN:SASL_PLAINTEXT',
        ...serverProperties().filter((line) => /^(sasl|listener.name.login)/.test(line)),
        `log.dirs=${data}`,
      ],
      isFormatted: true,
    })
    ports.set('LOGIN', login)
    try {
      for (const mechanism of MECHANISMS) {
        const way: Way = { title: `on Apache ${mechanism}`, listener: 'LOGIN', mechanism }
        const { status, stderr } = run(ktool(), ['topics', '-b', at('LOGIN'), '--command-config', clientProperties(way), '--list'], { env: ktoolEnv(directory) })
        expect(status, `${mechanism}: ${String(stderr)}`).toBe(0)
      }
      setScram(kafka.address, 'eve', 'ann-secret')
    } finally {
      await kafka.stop()
    }
    const again = await startBroker(['--config', join(directory, 'server.properties')], ktoolEnv(directory))
    try {
      ports.set('LOGIN', Number(/LOGIN:\/\/[^:]+:(\d+)/.exec(readFileSync(join(directory, 'server.properties'), 'utf8'))?.[1]))
      for (const user of ['ann', 'eve']) {
        const way: Way = { title: `back ${user}`, listener: 'LOGIN', mechanism: 'SCRAM-SHA-512' }
        const file = clientProperties(way)
        writeFileSync(file, readFileSync(file, 'utf8').replace('"ann"', `"${user}"`))
        const { status, stderr } = run(ktool(), ['topics', '-b', at('LOGIN'), '--command-config', file, '--list'], { env: ktoolEnv(directory) })
        expect(status, `${user}: ${String(stderr)}`).toBe(0)
      }
    } finally {
      await again.stop()
    }
  }, 120_000)
})
