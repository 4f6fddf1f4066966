// A login byte by byte: what may come when, what is answered, and what a stranger can't do.

import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import { AlterUserScramCredentials } from '../../../src/protocol/apis/alter-user-scram-credentials.ts'
import { ApiVersions } from '../../../src/protocol/apis/api-versions.ts'
import { DescribeConfigs } from '../../../src/protocol/apis/describe-configs.ts'
import { DescribeUserScramCredentials } from '../../../src/protocol/apis/describe-user-scram-credentials.ts'
import { Metadata } from '../../../src/protocol/apis/metadata.ts'
import { SaslAuthenticate } from '../../../src/protocol/apis/sasl-authenticate.ts'
import { SaslHandshake } from '../../../src/protocol/apis/sasl-handshake.ts'
import { errorName } from '../../../src/protocol/errors.ts'
import { encodeRequestFrame } from '../../../src/protocol/frames.ts'
import { ZERO_UUID } from '../../../src/protocol/reader.ts'
import { manualClock } from '../../support/manual-clock.ts'
import { temporaryDirectory, testBroker, type TestBrokerOptions } from '../../support/broker.ts'
import { RawClient } from '../../support/raw-client.ts'

const SOFTWARE = { clientSoftwareName: 'raw', clientSoftwareVersion: '1' }
const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required user_ann="ann-secret" user_bob="bob-secret";'

async function secured(options: TestBrokerOptions = {}) {
  const started = await testBroker({
    ...options,
    properties: {
      listeners: 'OPEN://127.0.0.1:0,LOGIN://127.0.0.1:0',
      'listener.security.protocol.map': 'OPEN:PLAINTEXT,LOGIN:SASL_PLAINTEXT',
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
      'listener.name.login.plain.sasl.jaas.config': PLAIN,
      'connection.failed.authentication.delay.ms': '0',
      ...options.properties,
    },
  })
  const [, { port }] = started.broker.listeners
  const dial = async (): Promise<RawClient> => {
    const client = await RawClient.open(port)
    onTestFinished(() => client.close())
    return client
  }
  return { ...started, dial, port }
}

const handshake = (client: RawClient, mechanism = 'PLAIN', version = 1) => client.call(SaslHandshake, version, { mechanism })
const authenticate = (client: RawClient, token: string, version = 2) =>
  client.call(SaslAuthenticate, version, { authBytes: Buffer.from(token) })
const topics = (client: RawClient, names: readonly string[] | null = null) =>
  client.call(Metadata, 12, {
    topics: names?.map((name) => ({ topicId: ZERO_UUID, name })) ?? null, allowAutoTopicCreation: false, includeClusterAuthorizedOperations: false, includeTopicAuthorizedOperations: false,
  }) // prettier-ignore

async function plain(client: RawClient, user = 'ann', password = `${user}-secret`) {
  await handshake(client)
  return authenticate(client, `\0${user}\0${password}`)
}

const HASHES = { 'SCRAM-SHA-256': ['sha256', 32, 1], 'SCRAM-SHA-512': ['sha512', 64, 2] } as const
type Scram = keyof typeof HASHES

function upsertion(name: string, mechanism: Scram, password: string, iterations = 4096) {
  const [hash, size, type] = HASHES[mechanism]
  const salt = Buffer.from(`salt of ${name}`)
  return { name, mechanism: type, iterations, salt, saltedPassword: pbkdf2Sync(password, salt, iterations, size, hash) }
}

/** Logs in as a client does, and checks the server's signature. Gives the last answer's code. */
async function scram(client: RawClient, mechanism: Scram, user: string, password: string): Promise<string> {
  const [hash, size] = HASHES[mechanism]
  const hmac = (key: Buffer, text: string) => createHmac(hash, key).update(text).digest()
  await handshake(client, mechanism)
  const bare = `n=${user},r=nonce`
  const challenge = await authenticate(client, `n,,${bare}`)
  if (challenge.errorCode !== 0) return errorName(challenge.errorCode)
  const first = challenge.authBytes.toString()
  const [, nonce, salt, iterations] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(first) ?? []
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations), size, hash)
  const clientKey = hmac(salted, 'Client Key')
  const message = `${bare},${first},c=biws,r=${nonce}`
  const signature = hmac(createHash(hash).update(clientKey).digest(), message)
  const proof = Buffer.from(clientKey.map((byte, i) => byte ^ signature[i])).toString('base64')
  const answer = await authenticate(client, `c=biws,r=${nonce},p=${proof}`)
  if (answer.errorCode !== 0) return errorName(answer.errorCode)
  expect(answer.authBytes.toString()).toBe(`v=${hmac(hmac(salted, 'Server Key'), message).toString('base64')}`)
  return 'NONE'
}

describe('before the login', () => {
  test('versions, a handshake and a token are answered; then everything is', async () => {
    const { dial } = await secured()
    const client = await dial()
    expect((await client.call(ApiVersions, 4, SOFTWARE)).apiKeys.length).toBeGreaterThan(20)
    expect(await handshake(client)).toEqual({ errorCode: 0, mechanisms: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] })
    const answer = await authenticate(client, '\0ann\0ann-secret')
    expect(answer).toMatchObject({ errorCode: 0, errorMessage: null, sessionLifetimeMs: 0 })
    expect(answer.authBytes.length).toBe(0)
    expect((await topics(client)).brokers.length).toBe(1)
  })

  test('a version of ApiVersions that is not there may be followed by one that is', async () => {
    const { dial } = await secured()
    const client = await dial()
    client.write(Buffer.concat([Buffer.from([0, 0, 0, 11, 0, 18, 0, 99, 0, 0, 0, 9, 255, 255, 0])]))
    await expect.poll(() => client.unexpected.has(9)).toBe(true)
    expect((await client.call(ApiVersions, 3, SOFTWARE)).errorCode).toBe(0)
    expect((await plain(client)).errorCode).toBe(0)
  })

  test('any other request closes the connection, whatever its version', async () => {
    const { dial, lines } = await secured()
    for (let key = 0; key <= 94; key++) {
      if ([17, 18].includes(key)) continue
      const client = await dial()
      client.write(Buffer.from([0, 0, 0, 10, 0, key, 0, key % 5, 0, 0, 0, 9, 255, 255]))
      await client.closed
      expect(client.replied).toEqual([])
    }
    expect(lines.some((line) => line.includes('a request with api key 3 before the login on LOGIN'))).toBe(true)
  })

  test('so does a second ApiVersions, a request between handshake and token, and noise', async () => {
    const { dial } = await secured()
    const twice = await dial()
    await twice.call(ApiVersions, 4, SOFTWARE)
    await expect(twice.call(ApiVersions, 4, SOFTWARE)).rejects.toThrow('closed')
    const between = await dial()
    await handshake(between)
    await expect(topics(between)).rejects.toThrow('closed')
    for (const noise of [[0, 0, 0, 0], [0, 0, 0, 1, 7], [0, 0, 0, 2, 0, 17], [0, 0, 0, 4, 0, 17, 0, 1], [255, 255, 255, 255]]) {
      const client = await dial()
      client.write(Buffer.from(noise))
      await client.closed
    }
  })

  test('a frame longer than sasl.server.max.receive.size closes it; afterwards one may be longer', async () => {
    const { dial, lines } = await secured({ properties: { 'sasl.server.max.receive.size': '1000' } })
    const client = await dial()
    client.write(Buffer.from([0, 0, 3, 233]))
    await client.closed
    expect(lines.at(-1)).toContain('a frame of 1001 bytes; sasl.server.max.receive.size is 1000')
    const honest = await dial()
    await plain(honest)
    const names = Array.from({ length: 200 }, (_, i) => `topic-${i}`)
    expect((await topics(honest, names)).topics.length).toBe(200)
  })

  test('requests that come with the token wait for it', async () => {
    const { dial } = await secured()
    const client = await dial()
    const answers = [handshake(client), authenticate(client, '\0ann\0ann-secret'), topics(client)] as const
    expect((await answers[2]).brokers.length).toBe(1)
    expect(client.replied).toEqual([1, 2, 3])
    const stranger = await dial()
    const refused = [handshake(stranger), authenticate(stranger, '\0ann\0guess'), topics(stranger)] as const
    refused[2].catch(() => undefined)
    expect((await refused[1]).errorCode).toBe(58)
    await expect(refused[2]).rejects.toThrow('closed')
  })
})

describe('a login that fails', () => {
  test('is told so in Kafka’s words, and the connection ends', async () => {
    const { dial, lines } = await secured()
    const client = await dial()
    expect(await plain(client, 'ann', 'guess-1')).toMatchObject({
      errorCode: 58,
      errorMessage: 'Authentication failed: Invalid username or password',
    })
    await client.closed
    expect(lines.at(-1)).toContain('login on LOGIN from 127.0.0.1 failed')
    expect(lines.join('\n')).not.toMatch(/guess|secret/)
  })

  test('with a mechanism that is not enabled: UNSUPPORTED_SASL_MECHANISM, and those that are', async () => {
    const { dial } = await secured({ properties: { 'listener.name.login.sasl.enabled.mechanisms': 'SCRAM-SHA-512' } })
    const client = await dial()
    expect(await handshake(client, 'PLAIN')).toEqual({ errorCode: 33, mechanisms: ['SCRAM-SHA-512'] })
    await client.closed
  })

  test('is answered late, so that guessing takes its time', async () => {
    const clock = manualClock()
    const { dial } = await secured({ clock, properties: { 'connection.failed.authentication.delay.ms': '700' } })
    const client = await dial()
    await handshake(client)
    const before = clock.pending
    const answer = authenticate(client, '\0ann\0guess')
    await expect.poll(() => clock.pending).toBeGreaterThan(before)
    clock.advance(699)
    await new Promise((resolve) => setImmediate(resolve))
    expect(client.replied).toEqual([1])
    clock.advance(1)
    expect((await answer).errorCode).toBe(58)
    await client.closed
  })

  test('a second handshake in its middle: ILLEGAL_SASL_STATE, and the end', async () => {
    const { dial } = await secured()
    const client = await dial()
    await handshake(client)
    expect((await handshake(client)).errorCode).toBe(34)
    await client.closed
  })
})

test('a handshake of version 0 is followed by bare tokens', async () => {
  const { dial } = await secured()
  const client = await dial()
  await handshake(client, 'PLAIN', 0)
  const token = Buffer.from('\0ann\0ann-secret')
  client.write(Buffer.concat([Buffer.from([0, 0, 0, token.length]), token]))
  client.write(Buffer.concat(encodeRequestFrame(ApiVersions, 4, { correlationId: 0, clientId: 'raw' }, SOFTWARE)))
  // The empty token comes back as a length of nothing: four zero bytes before the next answer.
  await expect.poll(() => client.bytesReceived).toBeGreaterThan(100)
  const stranger = await dial()
  await handshake(stranger, 'PLAIN', 0)
  stranger.write(Buffer.from([0, 0, 0, 6, 0, 97, 0, 98, 99, 100]))
  await stranger.closed
  expect(stranger.replied).toEqual([1])
})

describe('after the login', () => {
  test('another handshake or token is out of place, and nothing more', async () => {
    const { dial, connect } = await secured()
    const client = await dial()
    await plain(client)
    expect(await handshake(client)).toEqual({ errorCode: 34, mechanisms: [] })
    expect(await authenticate(client, '\0bob\0bob-secret')).toMatchObject({
      errorCode: 34,
      errorMessage: 'SaslAuthenticate request received after successful authentication',
    })
    expect((await topics(client)).brokers.length).toBe(1)
    expect((await handshake(await connect())).errorCode).toBe(34) // on a listener without a login as before
  })

  test('it lasts for connections.max.reauth.ms, unless it is renewed by the same user with the same mechanism', async () => {
    const clock = manualClock()
    const properties = { 'listener.name.login.plain.connections.max.reauth.ms': '5000', 'connections.max.reauth.ms': '99' }
    const { dial, lines } = await secured({ clock, properties })
    const [idle, renewing, other, changing] = [await dial(), await dial(), await dial(), await dial()]
    for (const client of [idle, renewing, other, changing]) {
      expect((await plain(client)).sessionLifetimeMs).toBe(5000)
    }
    clock.advance(4000)
    expect((await plain(renewing)).sessionLifetimeMs).toBe(5000)
    expect((await handshake(renewing)).errorCode).toBe(34) // twice in a second
    clock.advance(2000)
    expect((await topics(renewing)).brokers.length).toBe(1)
    await expect(topics(idle)).rejects.toThrow('closed')
    expect(lines.at(-1)).toContain('the login on LOGIN has ended and was not renewed')
    expect((await plain(other, 'bob')).errorMessage).toBe('Cannot change principals during re-authentication from User.ann: User.bob')
    await other.closed
    await handshake(changing, 'SCRAM-SHA-256')
    expect((await authenticate(changing, 'n,,n=ann,r=x')).errorCode).toBe(58)
    await changing.closed
  })
})

describe('SCRAM users', () => {
  test('are there for logins as soon as they are set, and gone when they are removed', async () => {
    const { dial, connect } = await secured()
    const admin = await connect()
    const alter = (request: Parameters<typeof admin.call<typeof AlterUserScramCredentials>>[2]) =>
      admin.call(AlterUserScramCredentials, 0, request)
    expect(await scram(await dial(), 'SCRAM-SHA-256', 'eve', 'eve-secret')).toBe('SASL_AUTHENTICATION_FAILED')
    await alter({ deletions: [], upsertions: [upsertion('eve', 'SCRAM-SHA-256', 'eve-secret'), upsertion('dan', 'SCRAM-SHA-512', 'x', 8192)] })
    expect(await scram(await dial(), 'SCRAM-SHA-256', 'eve', 'eve-secret')).toBe('NONE')
    expect(await scram(await dial(), 'SCRAM-SHA-512', 'dan', 'x')).toBe('NONE')
    expect(await scram(await dial(), 'SCRAM-SHA-256', 'dan', 'x')).toBe('SASL_AUTHENTICATION_FAILED')
    expect(await scram(await dial(), 'SCRAM-SHA-256', 'eve', 'wrong')).toBe('SASL_AUTHENTICATION_FAILED')
    await alter({ deletions: [], upsertions: [upsertion('eve', 'SCRAM-SHA-256', 'another')] })
    expect(await scram(await dial(), 'SCRAM-SHA-256', 'eve', 'eve-secret')).toBe('SASL_AUTHENTICATION_FAILED')
    expect(await scram(await dial(), 'SCRAM-SHA-256', 'eve', 'another')).toBe('NONE')
    await alter({ deletions: [{ name: 'eve', mechanism: 1 }], upsertions: [] })
    expect(await scram(await dial(), 'SCRAM-SHA-256', 'eve', 'another')).toBe('SASL_AUTHENTICATION_FAILED')
  })

  test('survive a restart; only without any is it said that nobody can log in', async () => {
    const options = { properties: { 'log.dirs': temporaryDirectory(), 'sasl.enabled.mechanisms': 'SCRAM-SHA-512' } }
    const first = await secured(options)
    expect(first.lines.join('')).toContain('listener LOGIN: nobody can log in until a SCRAM user is made')
    await (await first.connect()).call(AlterUserScramCredentials, 0, { deletions: [], upsertions: [upsertion('eve', 'SCRAM-SHA-512', 'x')] })
    await first.broker.stop()
    const { dial, lines } = await secured(options)
    expect(await scram(await dial(), 'SCRAM-SHA-512', 'eve', 'x')).toBe('NONE')
    expect(lines.join('')).not.toContain('nobody can log in')
  })

  test('are described without secrets; what is wrong has Kafka’s codes', async () => {
    const { connect } = await secured()
    const client = await connect()
    const good = upsertion('ann', 'SCRAM-SHA-256', 'x')
    const { results } = await client.call(AlterUserScramCredentials, 0, {
      deletions: [{ name: 'nobody', mechanism: 1 }, { name: 'gone', mechanism: 3 }, { name: 'twice', mechanism: 1 }],
      upsertions: [
        good,
        { ...upsertion('ann2', 'SCRAM-SHA-512', 'x'), iterations: 16384 },
        { ...good, name: 'few', iterations: 4095 }, { ...good, name: 'many', iterations: 16385 }, { ...good, name: '' },
        { ...good, name: 'strange', mechanism: 0 }, { ...good, name: 'both' }, { ...good, name: 'both', mechanism: 2 },
      ],
    }) // prettier-ignore
    expect(Object.fromEntries(results.map(({ user, errorCode, errorMessage }) => [user, `${errorCode} ${errorMessage}`]))).toEqual({
      ann: '0 null',
      ann2: '0 null',
      nobody: '91 Attempt to delete a user credential that does not exist',
      twice: '91 Attempt to delete a user credential that does not exist',
      gone: '33 Unknown SCRAM mechanism',
      few: '93 Too few iterations',
      many: '93 Too many iterations',
      '': '93 Username must not be empty',
      strange: '33 Unknown SCRAM mechanism',
      both: '92 A user credential cannot be altered twice in the same request',
    })
    const describeUsers = async (users: readonly string[] | null) => {
      const answer = await client.call(DescribeUserScramCredentials, 0, { users: users?.map((name) => ({ name })) ?? null })
      return answer.results.map(({ user, errorCode, credentialInfos }) => [user, errorCode, credentialInfos])
    }
    const everybody = [['ann', 0, [{ mechanism: 1, iterations: 4096 }]], ['ann2', 0, [{ mechanism: 2, iterations: 16384 }]]] // prettier-ignore
    expect(await describeUsers(null)).toEqual(everybody)
    expect(await describeUsers([])).toEqual(everybody)
    expect(await describeUsers(['ann', 'x', 'ann2', 'ann2'])).toEqual([everybody[0], ['x', 91, []], ['ann2', 92, []]])
  })
})

test('no secret is in a description of the configs', async () => {
  const { connect } = await secured()
  const resources = [{ resourceType: 4, resourceName: '1', configurationKeys: null }]
  const answer = await (await connect()).call(DescribeConfigs, 4, { resources, includeSynonyms: true, includeDocumentation: false })
  const found = answer.results[0].configs.find(({ name }) => name === 'listener.name.login.plain.sasl.jaas.config')
  expect(found).toMatchObject({ value: null, isSensitive: true })
  expect(JSON.stringify(answer)).not.toContain('ann-secret')
})

describe('settings that can’t be used are refused by name before anything is opened', () => {
  const LOGIN = 'listener.name.login.'
  test.each<[string, Record<string, string>, RegExp]>([
    ['no mechanisms', { 'sasl.enabled.mechanisms': '' }, /sasl.enabled.mechanisms is missing.*GSSAPI/],
    ['GSSAPI', { 'sasl.enabled.mechanisms': 'GSSAPI' }, /GSSAPI is not supported; this broker has PLAIN/],
    ['PLAIN without users', { [`${LOGIN}plain.sasl.jaas.config`]: '' }, /PLAIN needs its users: listener.name.login.plain.sasl.jaas.config=/],
    ['a JAAS entry cut short', { [`${LOGIN}plain.sasl.jaas.config`]: PLAIN.slice(0, -1) }, /must end with a semicolon/],
    ['the wrong login module', { [`${LOGIN}scram-sha-256.sasl.jaas.config`]: PLAIN }, /SCRAM-SHA-256 needs ScramLoginModule/],
    ['TLS without a certificate', { 'listener.security.protocol.map': 'OPEN:PLAINTEXT,LOGIN:SSL' }, /needs a certificate and its key/],
  ])('%s', async (_, properties, text) => {
    const error = await secured({ properties }).then(() => 'started', (reason: unknown) => String(reason)) // prettier-ignore
    expect(error).toMatch(text)
    expect(error).toContain('listener LOGIN')
    expect(error).not.toContain('secret')
  })
})
