// Key and trust stores as keytool (JDK 17) and openssl 3 write them; test/support/make-stores.sh made the
// files.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clientConfig } from '../../src/client/client-config.ts'
import { ConfigError } from '../../src/client/errors.ts'
import { StoreError } from '../../src/protocol/stores/der.ts'
import { readJks } from '../../src/protocol/stores/jks.ts'
import { readPkcs12 } from '../../src/protocol/stores/pkcs12.ts'

const PASSWORD = 'changeit'
const file = (name: string): string => new URL(`./stores/${name}`, import.meta.url).pathname
const text = (name: string): string => readFileSync(file(name), 'utf8')
const authority = new X509Certificate(text('ca.pem')).fingerprint256

const tlsOf = async (properties: Record<string, string>) =>
  (
    await clientConfig(
      new Map(Object.entries({ 'bootstrap.servers': 'a', 'security.protocol': 'SSL', ...properties })),
    )
  ).tls

async function errorOf(properties: Record<string, string>): Promise<ConfigError> {
  const error: unknown = await tlsOf(properties).then(() => undefined, (reason: unknown) => reason) // prettier-ignore
  expect(error).toBeInstanceOf(ConfigError)
  return error as ConfigError
}

describe('trust stores', () => {
  it.each(['trust.p12', 'trust-legacy.p12', 'trust.jks', 'trust-open.p12', 'trust-openssl.p12'])(
    'reads %s',
    async (name) => {
      const tls = await tlsOf({ 'ssl.truststore.location': file(name), 'ssl.truststore.password': PASSWORD })
      expect(tls?.ca?.map((pem) => new X509Certificate(pem).fingerprint256)).toEqual([authority])
    },
  )

  it('reads PEM from a file and inline, in lines or in one', async () => {
    const forms: Record<string, string>[] = [
      { 'ssl.truststore.location': file('ca.pem') },
      { 'ssl.truststore.location': file('ca.pem'), 'ssl.truststore.type': 'PEM' },
      { 'ssl.truststore.certificates': text('ca.pem'), 'ssl.truststore.type': 'PEM' },
      { 'ssl.truststore.certificates': text('ca.pem').replaceAll('\n', ' '), 'ssl.truststore.type': 'PEM' },
    ]
    for (const form of forms) {
      const tls = await tlsOf(form)
      expect(tls?.ca?.map((pem) => new X509Certificate(pem).fingerprint256)).toEqual([authority])
    }
  })

  it('leaves the choice to Node without one', async () => {
    expect((await tlsOf({}))?.ca).toBeUndefined()
  })

  it.each(['trust.p12', 'trust-legacy.p12', 'trust.jks', 'trust-openssl.p12'])(
    'says that the password of %s is wrong',
    async (name) => {
      const error = await errorOf({
        'ssl.truststore.location': file(name),
        'ssl.truststore.password': 'wrong',
      })
      expect(error.key).toBe('ssl.truststore.password')
      expect(error.message).toContain('the password is wrong')
      expect(error.message).toContain(name)
    },
  )

  it.each([
    [{ 'ssl.truststore.location': '/nowhere/t.jks' }, 'ssl.truststore.location', 'no such file'],
    [{ 'ssl.truststore.location': file('trust.p12') }, 'ssl.truststore.password', 'no password is given'],
    [{ 'ssl.truststore.location': file('client.key') }, 'ssl.truststore.location', 'no certificate'],
    [
      { 'ssl.truststore.location': file('ca.pem'), 'ssl.truststore.password': 'x' },
      'ssl.truststore.password',
      'PEM',
    ],
    [
      { 'ssl.truststore.location': file('ca.pem'), 'ssl.truststore.type': 'PKCS12' },
      'ssl.truststore.type',
      'is PEM',
    ],
    [
      { 'ssl.truststore.location': file('trust.jks'), 'ssl.truststore.type': 'PEM' },
      'ssl.truststore.type',
      'is JKS',
    ],
    [
      { 'ssl.truststore.location': file('trust.jks'), 'ssl.truststore.type': 'BCFKS' },
      'ssl.truststore.type',
      'BCFKS',
    ],
    [
      { 'ssl.truststore.location': import.meta.filename },
      'ssl.truststore.location',
      'neither PEM, PKCS12 nor JKS',
    ],
  ])('refuses %o', async (properties, key, words) => {
    const error = await errorOf(properties)
    expect(error.key).toBe(key)
    expect(error.message).toContain(words)
  })
})

describe('key stores', () => {
  it.each([
    'client.p12',
    'client-legacy.p12',
    'client-keytool.p12',
    'client-keytool-legacy.p12',
    'ecclient.p12',
  ])('reads %s', async (name) => {
    const tls = await tlsOf({ 'ssl.keystore.location': file(name), 'ssl.keystore.password': PASSWORD })
    expectIdentity(tls?.identity)
  })

  it('reads a JKS whose key has a password of its own', async () => {
    const store = { 'ssl.keystore.location': file('client.jks'), 'ssl.keystore.password': PASSWORD }
    expectIdentity((await tlsOf({ ...store, 'ssl.key.password': 'keysecret' }))?.identity)
    expect((await errorOf({ ...store, 'ssl.key.password': 'wrong' })).key).toBe('ssl.key.password')
    expect((await errorOf(store)).key).toBe('ssl.key.password')
  })

  it('reads PEM with an encrypted key', async () => {
    const store = { 'ssl.keystore.location': file('client-keystore.pem'), 'ssl.keystore.type': 'PEM' }
    expectIdentity((await tlsOf({ ...store, 'ssl.key.password': 'keysecret' }))?.identity)
    expect((await errorOf(store)).message).toContain('may need ssl.key.password')
    expect((await errorOf({ ...store, 'ssl.key.password': 'wrong' })).message).toContain(
      'ssl.key.password may be wrong',
    )
  })

  it('reads PEM inline', async () => {
    const chain = text('client.pem').replaceAll('\n', ' ')
    const tls = await tlsOf({
      'ssl.keystore.key': text('client.key').replaceAll('\n', ' '),
      'ssl.keystore.certificate.chain': chain,
    })
    expectIdentity(tls?.identity)
    expect((await errorOf({ 'ssl.keystore.certificate.chain': chain })).key).toBe('ssl.keystore.key')
    const strangers = { 'ssl.keystore.key': text('server.key'), 'ssl.keystore.certificate.chain': chain }
    expect((await errorOf(strangers)).message).toContain("is not the first certificate's")
  })

  function expectIdentity(identity: { chain: string; key: string } | undefined): void {
    const leaf = new X509Certificate(identity?.chain ?? '')
    expect(leaf.checkPrivateKey(createPrivateKey(identity?.key ?? ''))).toBe(true)
    expect(leaf.subject).toMatch(/client/)
  }
})

describe('damaged stores', () => {
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(path.join(os.tmpdir(), 'ktool-stores-'))
  })
  afterAll(() => rm(directory, { recursive: true }))

  it.each([
    ['trust.p12', readPkcs12],
    ['client-legacy.p12', readPkcs12],
    ['client.jks', readJks],
  ] as const)('gives one kind of error for any change to %s', (name, read) => {
    const whole = readFileSync(file(name))
    const change = fc.record({
      at: fc.nat(whole.length - 1),
      value: fc.integer({ min: 0, max: 255 }),
      cut: fc.boolean(),
    })
    fc.assert(
      fc.property(change, ({ at, value, cut }) => {
        const damaged = Buffer.from(cut ? whole.subarray(0, at) : whole)
        if (!cut) damaged[at] = value
        try {
          read(damaged, undefined, undefined)
        } catch (error) {
          expect(error).toBeInstanceOf(StoreError)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('names the file', async () => {
    const damaged = path.join(directory, 'cut.p12')
    await writeFile(damaged, readFileSync(file('trust.p12')).subarray(0, 500))
    expect(
      (await errorOf({ 'ssl.truststore.location': damaged, 'ssl.truststore.password': PASSWORD })).message,
    ).toContain(damaged)
  })
})
