// Each of our commands through a SASL_SSL listener of Apache Kafka, with SCRAM-SHA-512, and the three kinds of trust store.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ApacheBroker, freePorts, startApache } from './support/apache.ts'
import { ktool, ktoolEnv } from './support/broker.ts'
import { type Certificates, makeCertificates, STORE_PASSWORD } from './support/certificates.ts'
import { kafkaTool, run, tryPeer } from './support/peers.ts'

const USER = 'alice'
const PASSWORD = "alice's; secret = 1"

const isThere = tryPeer('Apache Kafka', () => kafkaTool('kafka-storage')) !== undefined
const directory = mkdtempSync(join(tmpdir(), 'ktool-sasl-'))
let certificates: Certificates | undefined
let apache: ApacheBroker | undefined
let address = ''

beforeAll(async () => {
  if (!isThere) return
  certificates = makeCertificates(directory)
  const [port] = await freePorts(1)
  address = `127.0.0.1:${port}`
  apache = await startApache({
    directory: join(directory, 'apache'),
    listeners: { SASL_SSL: port },
    formatArguments: ['--add-scram', `SCRAM-SHA-512=[name=${USER},password="${PASSWORD}"]`],
    properties: [
      'sasl.enabled.mechanisms=SCRAM-SHA-512',
      'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;',
      `ssl.keystore.location=${certificates.keyStore}`,
      `ssl.keystore.password=${STORE_PASSWORD}`,
      'ssl.keystore.type=PKCS12',
    ],
  })
})

afterAll(async () => {
  await apache?.stop()
  rmSync(directory, { recursive: true, force: true })
})

function properties(name: string, trust: Readonly<Record<string, string>>, password = PASSWORD): string {
  const lines = {
    'security.protocol': 'SASL_SSL',
    'sasl.mechanism': 'SCRAM-SHA-512',
    'sasl.jaas.config': `org.apache.kafka.common.security.scram.ScramLoginModule required username="${USER}" password="${password}";`,
    ...trust,
  }
  const file = join(directory, name)
  writeFileSync(file, Object.entries(lines).map(([key, value]) => `${key}=${value}\n`).join(''))
  return file
}

function command(config: string, args: string, input = ''): { exit: number | null; stdout: string; stderr: string } {
  const [verb, ...rest] = args.split(' ')
  const connection = ['-b', address, '--command-config', config]
  const { status, stdout, stderr } = run(ktool(), [verb, ...connection, ...rest], { input, env: ktoolEnv(directory), timeoutMs: 60_000 })
  return { exit: status, stdout: stdout.toString(), stderr: stderr.toString() }
}

describe.skipIf(!isThere).each(['PEM', 'PKCS12', 'JKS'] as const)('with a trust store of type %s', (type) => {
  const topic = `over-${type.toLowerCase()}`
  let config = ''

  beforeAll(() => {
    config = properties(`${type}.properties`, {
      'ssl.truststore.type': type,
      'ssl.truststore.location': certificates?.trustStores[type] ?? '',
      ...(type !== 'PEM' && { 'ssl.truststore.password': STORE_PASSWORD }),
    })
  })

  test('every command does its work', () => {
    const done = (args: string, input?: string) => {
      const result = command(config, args, input)
      expect(result.exit, `${args}: ${result.stderr}`).toBe(0)
      return result.stdout
    }
    done(`topics --create --topic ${topic} --partitions 2`)
    expect(done('topics --list').split('\n')).toContain(topic)
    done(`topics --alter --topic ${topic} --partitions 3`)
    done(`configs --alter --topic ${topic} --add-config retention.ms=60000`)
    expect(done(`configs --describe --topic ${topic}`)).toContain('retention.ms')
    done(`produce --topic ${topic} --compression-type zstd`, 'a\nb\nc\n')
    const consumed = done(`consume --topic ${topic} --from-beginning --max-messages 3 --timeout 30s`)
    expect(consumed.trim().split('\n').sort()).toEqual(['a', 'b', 'c'])
    expect(done(`topics --describe --topic ${topic}`)).toContain(topic)
    done(`topics --delete --topic ${topic}`)
  })
})

describe.skipIf(!isThere)('refused: exit 3 and one line', () => {
  const COMMANDS = [
    'topics --list', 'topics --describe', 'topics --create --topic t', 'configs --describe --topic t', 'produce --topic t',
    'consume --topic t --from-beginning --max-messages 1 --timeout 20s',
  ]
  const refused = (config: string, what: RegExp) => {
    for (const args of COMMANDS) {
      const result = command(config, args, 'a\n')
      expect.soft(result, args).toMatchObject({ exit: 3, stdout: '' })
      expect.soft(result.stderr.trim().split('\n').length, `${args}: ${result.stderr}`).toBe(1)
      expect.soft(result.stderr, args).toMatch(what)
    }
  }

  test('a wrong password', () => {
    const trust = { 'ssl.truststore.type': 'PEM', 'ssl.truststore.location': certificates?.trustStores.PEM ?? '' }
    refused(properties('wrong-password.properties', trust, 'guessed'), /authentic|password|credential/i)
  })

  test('a wrong CA', () => {
    const trust = { 'ssl.truststore.type': 'PEM', 'ssl.truststore.location': certificates?.wrongAuthority ?? '' }
    refused(properties('wrong-ca.properties', trust), /certificate/i)
  })
})
