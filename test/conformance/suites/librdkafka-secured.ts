// Those of librdkafka's tests that are about TLS and logins, and a few ordinary ones, on listeners as librdkafka's own harness
// makes them: SSL that wants a client's certificate, SASL_PLAINTEXT with SCRAM, SASL_SSL with PLAIN.

import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { makeCertificates, STORE_PASSWORD } from '../support/certificates.ts'
import { output } from '../support/peers.ts'
import { addScramUser } from '../support/scram-user.ts'
import type { Outcome, Place, Results } from '../support/suite.ts'
import { brokerArgs, runNumber } from './librdkafka.ts'

const [USER, PASSWORD] = ['alice', 'secret']
const LOGIN = 'org.apache.kafka.common.security'
const REAUTHENTICATION_MS = 10_000
const AT_ONCE = 4
/** Of the server's bytes, see `slowly`. */
const DELAY_MS = 20
const SLOWLY = new Set(['0097'])

type Protocol = 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'
/** 0001 produces and consumes, 0081 is the admin client (with rules for who is logged in), 0103 transactions. */
const NUMBERS: Readonly<Record<Protocol, readonly string[]>> = {
  SSL: ['0001', '0097', '0103'],
  SASL_PLAINTEXT: ['0142', '0001', '0103', '0135'],
  SASL_SSL: ['0142', '0001', '0081', '0097', '0103', '0135'],
}
const PROTOCOLS: readonly Protocol[] = ['SASL_SSL', 'SASL_PLAINTEXT', 'SSL']

export interface Secured {
  /** Of the certificates. */
  readonly stores: string
  readonly ports: Readonly<Record<Protocol, number>>
}

export function securedArgs({ stores, ports }: Secured): string[] {
  return brokerArgs(
    `listeners=PLAINTEXT://127.0.0.1:0,${PROTOCOLS.map((protocol) => `${protocol}://127.0.0.1:${ports[protocol]}`).join(',')}`,
    `ssl.keystore.location=${join(stores, 'server.p12')}`,
    `ssl.keystore.password=${STORE_PASSWORD}`,
    'ssl.keystore.type=PKCS12',
    `ssl.truststore.location=${join(stores, 'ca.pem')}`,
    'ssl.truststore.type=PEM',
    'ssl.client.auth=required', // of the SSL listener alone, as Kafka has it
    // As in that harness: with TLS 1.3 the client hears of a refused certificate after its handshake, and 0097 takes that for another error.
    'ssl.enabled.protocols=TLSv1.2',
    'listener.name.sasl_plaintext.sasl.enabled.mechanisms=SCRAM-SHA-512',
    'listener.name.sasl_ssl.sasl.enabled.mechanisms=PLAIN',
    `listener.name.sasl_ssl.plain.sasl.jaas.config=${LOGIN}.plain.PlainLoginModule required user_${USER}="${PASSWORD}";`,
    `connections.max.reauth.ms=${REAUTHENTICATION_MS}`,
  )
}

/** A server's key store, and a client's key, in each encoding that 0097 reads; it asks for them by these names. */
export function makeStores(stores: string): NodeJS.ProcessEnv {
  const { trustStores, wrongAuthority } = makeCertificates(stores)
  const at = (name: string) => join(stores, name)
  const openssl = (...args: string[]) => void output(['openssl'], args, { cwd: stores })
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=client', '-keyout', 'client.key', '-out', 'client.csr')
  openssl('x509', '-req', '-in', 'client.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-out', 'client.pem')
  for (const name of ['ca', 'client']) openssl('x509', '-in', `${name}.pem`, '-outform', 'der', '-out', `${name}.der`)
  openssl('rsa', '-in', 'client.key', '-outform', 'der', '-out', 'client.key.der')
  // The authority that signed nothing comes first: all of them are to be read.
  writeFileSync(at('all.pem'), readFileSync(wrongAuthority, 'utf8') + readFileSync(trustStores.PEM, 'utf8'))
  const key = ['-in', 'client.pem', '-inkey', 'client.key', '-certfile', 'all.pem', '-passout', `pass:${STORE_PASSWORD}`]
  openssl('pkcs12', '-export', ...key, '-out', 'client.p12')
  return {
    SSL_pkcs: at('client.p12'),
    SSL_pub_der: at('client.der'),
    SSL_pub_pem: at('client.pem'),
    SSL_priv_der: at('client.key.der'),
    SSL_priv_pem: at('client.key'),
    SSL_ca_der: at('ca.der'),
    SSL_ca_pem: at('ca.pem'),
    SSL_all_cas_pem: at('all.pem'),
    SSL_password: STORE_PASSWORD,
    SSL_client_auth: 'required',
  }
}

export interface Home {
  readonly tests: string
  /** What `makeStores` gave. */
  readonly env: NodeJS.ProcessEnv
}

/** Names are those of the tests after the listener's protocol. */
export async function runSecured({ tests, env }: Home, place: Place, { stores, ports }: Secured): Promise<Results> {
  if (place.hasBroker) await addScramUser(place.address, USER, { 'SCRAM-SHA-512': PASSWORD })
  const all = PROTOCOLS.flatMap((protocol) => NUMBERS[protocol].map((number) => ({ protocol, number })))
  const isWanted = ({ protocol, number }: (typeof all)[number]) => place.only?.some((name) => name.startsWith(`${protocol} ${number}`)) ?? true
  const waiting = all.filter(isWanted)
  const results = new Map<string, Outcome>()
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { protocol, number } = next
      const slow = SLOWLY.has(number) ? await slowly(ports[protocol]) : undefined
      const address = `127.0.0.1:${slow?.port ?? ports[protocol]}`
      const directory = join(place.directory, protocol)
      mkdirSync(directory, { recursive: true })
      const config = join(directory, `${number}.conf`)
      writeFileSync(config, clientSettings(protocol, address, stores).map((line) => `${line}\n`).join(''))
      const variables = { ...process.env, ...env, LD_LIBRARY_PATH: '../src:../src-cpp', TEST_KAFKA_VERSION: '4.3.0', BROKERS: address }
      const one = await runNumber(tests, { ...place, directory }, { ...variables, TESTS: number, RDKAFKA_TEST_CONF: config }, 'default')
      for (const [name, outcome] of one) results.set(`${protocol} ${name}`, outcome)
      slow?.server.close()
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return results
}

/**
 * A way to the broker with a network's delay: librdkafka tells a failed handshake for one of the transport, and 0097 fails, when the
 * answer is there before its first SSL_connect returns, as it is now and then on one machine.
 */
async function slowly(port: number): Promise<{ server: Server; port: number }> {
  const server = createServer((client) => {
    const broker = connect(port, '127.0.0.1')
    client.pipe(broker)
    broker.on('data', (bytes) => setTimeout(() => client.write(bytes), DELAY_MS))
    broker.on('close', () => setTimeout(() => client.destroy(), DELAY_MS + 5))
    client.on('close', () => broker.destroy())
    for (const socket of [client, broker]) socket.on('error', () => socket.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { server, port: address.port }
}

function clientSettings(protocol: Protocol, address: string, stores: string): string[] {
  const tls = [
    `ssl.ca.location=${join(stores, 'ca.pem')}`,
    `ssl.certificate.location=${join(stores, 'client.pem')}`,
    `ssl.key.location=${join(stores, 'client.key')}`,
    `ssl.key.password=${STORE_PASSWORD}`,
  ]
  const mechanism = protocol === 'SASL_SSL' ? 'PLAIN' : 'SCRAM-SHA-512'
  const login = [`sasl.mechanism=${mechanism}`, `sasl.username=${USER}`, `sasl.password=${PASSWORD}`]
  return [
    `bootstrap.servers=${address}`,
    `security.protocol=${protocol}`,
    ...(protocol.endsWith('SSL') ? tls : []),
    ...(protocol.startsWith('SASL') ? login : []),
  ]
}
