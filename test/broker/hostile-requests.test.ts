// Each API that is served, in each version, asked by somebody who means no good: requests that are well-formed and make no
// sense, and such that were damaged on the way. The answer is one that its version has, without UNKNOWN_SERVER_ERROR, or
// the connection ends; our log has no mistake of ours in it, and the next client is served.

import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ApiVersions } from '../../src/protocol/apis/api-versions.ts'
import { FindCoordinator } from '../../src/protocol/apis/find-coordinator.ts'
import { InitProducerId } from '../../src/protocol/apis/init-producer-id.ts'
import { SaslAuthenticate } from '../../src/protocol/apis/sasl-authenticate.ts'
import { SaslHandshake } from '../../src/protocol/apis/sasl-handshake.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import { decodeResponsePayload, encodeRequestPayload, frameRequest } from '../../src/protocol/frames.ts'
import type { Api, Fields, Type } from '../../src/protocol/schema.ts'
import { isLive, messageArbitrary, type Struct } from '../protocol/arbitraries.ts'
import { allApis } from '../protocol/declarations.ts'
import { testBroker, type TestBroker } from '../support/broker.ts'
import { batchOf, RawClient } from '../support/raw-client.ts'

const SOFTWARE = { clientSoftwareName: 'raw', clientSoftwareVersion: '1' }
const CORRELATION_ID = 4711
/** Who has no answer by then waits for something, as a fetch may. */
const PATIENCE_MS = 20
const RUNS = 8

const served = await servedApis()

/** As ApiVersions lists them; Produce below 3 is listed and not served. */
async function servedApis(): Promise<readonly { api: Api; versions: number[] }[]> {
  const { startBroker } = await import('../../src/broker/broker.ts')
  const { createLogger } = await import('../../src/base/logger.ts')
  const { SimulatedMachine } = await import('../support/simulated-disk.ts')
  const properties = new Map(Object.entries({ listeners: 'PLAINTEXT://127.0.0.1:0', 'log.dirs': '/data' }))
  const logger = createLogger(() => undefined, () => 0, 'error') // prettier-ignore
  const broker = await startBroker({ properties, logger, disk: new SimulatedMachine().disk })
  const client = await RawClient.open(broker.listeners[0].port)
  const { apiKeys } = await client.call(ApiVersions, 4, SOFTWARE)
  client.close()
  await broker.stop()
  return apiKeys.map(({ apiKey, minVersion, maxVersion }) => {
    const api = allApis.find(({ key }) => key === apiKey) ?? ApiVersions
    const first = apiKey === 0 ? 3 : minVersion
    return { api, versions: Array.from({ length: maxVersion - first + 1 }, (_, i) => first + i) }
  })
}

const STRINGS = ['t', 'absent', 'g', 'tx', '', '__consumer_offsets', '__transaction_state', '1', 'consumer', 'range', 'uniform', 'User:x', 'x'.repeat(300), '\0', '../t', 'metadata.version', 'cleanup.policy', 'user', 'client-id', 'producer_byte_rate', '(', '[a-z', 'PLAIN', 'SCRAM-SHA-256'] // prettier-ignore
const NUMBERS = [0, 1, 2, 3, -1, -2, 5, 100]
const BIGINTS = [0n, 1n, -1n, -2n, 1000n, 2n ** 63n - 1n, -(2n ** 63n)]
const BYTES = [Buffer.alloc(0), batchOf(['a']), batchOf(['a'], { producerId: 0n, producerEpoch: 0, baseSequence: 0, isTransactional: true }), batchOf(['a']).subarray(0, 40), Buffer.from('n,,n=x,r=y')] // prettier-ignore

/** The same message with words in it that mean something here, so that it gets past the first checks. */
function seasoned(fields: Fields, version: number, message: Struct, spice: readonly number[]): Struct {
  let used = 0
  const pick = (choices: readonly unknown[], otherwise: unknown): unknown => {
    const drop = spice[used++ % spice.length]
    return drop % 4 === 0 ? otherwise : choices[(drop >> 2) % choices.length]
  }
  const season = (type: Type<unknown, boolean>, value: unknown): unknown => {
    if (value === null || value === undefined || !isLive(type, version)) return value
    if (type.kind === 'array') return (value as unknown[]).map((each) => season(type.settings.element as Type<unknown, boolean>, each))
    if (type.kind === 'struct') return struct(type.settings.fields ?? {}, value as Struct)
    if (type.kind === 'string') return pick(STRINGS, value)
    if (type.kind === 'bytes' || type.kind === 'records') return pick(BYTES, value)
    if (type.kind === 'exactInt64') return pick(BIGINTS, value)
    return /^int/.test(type.kind) ? pick(NUMBERS, value) : value
  }
  const struct = (of: Fields, value: Struct): Struct => {
    return Object.fromEntries(Object.entries(of).map(([name, type]) => [name, season(type, value[name])]))
  }
  return struct(fields, message)
}

const LENGTHS = ['ffffffff', '7fffffff', '80000000', '000f4240', 'ffff', '7fff', '8000', 'ffffffff0f', '00', '01', '80'].map((hex) => Buffer.from(hex, 'hex')) // prettier-ignore
const damage = fc.record({ at: fc.nat(), put: fc.constantFrom(...LENGTHS), remove: fc.nat(5), cut: fc.option(fc.nat()) })

/** A frame of `api`: whole, damaged, or with a body of any bytes. */
function hostileFrame(api: Api, versions: readonly number[]): fc.Arbitrary<{ version: number; frame: Buffer }> {
  return fc.constantFrom(...versions).chain((version) => {
    const sensible = fc
      .tuple(messageArbitrary(api.request, version), fc.array(fc.nat(), { minLength: 8, maxLength: 30 }))
      .map(([{ given }, spice]) => Buffer.concat(encodeRequestPayload(api, version, seasoned(api.request.fields, version, given, spice))))
    const damaged = fc.tuple(sensible, fc.array(damage, { minLength: 1, maxLength: 3 })).map(([body, damages]) => {
      return damages.reduce((bytes, { at, put, remove, cut }) => {
        const start = at % (bytes.length + 1)
        if (cut !== null) return bytes.subarray(0, cut % (bytes.length + 1))
        return Buffer.concat([bytes.subarray(0, start), put, bytes.subarray(start + remove)])
      }, body)
    })
    const noise = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes))
    const header = { apiKey: api.key, apiVersion: version, correlationId: CORRELATION_ID, clientId: 'hostile' }
    return fc
      .oneof({ weight: 5, arbitrary: sensible }, { weight: 3, arbitrary: damaged }, { weight: 1, arbitrary: noise })
      .map((body) => ({ version, frame: Buffer.concat(frameRequest(header, [body])) }))
  })
}

/** Every error code in an answer. */
function codesIn(value: unknown, found: number[] = []): number[] {
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return found
  for (const [name, each] of Object.entries(value)) {
    if (/errorCode$/i.test(name) && typeof each === 'number') found.push(each)
    codesIn(each, found)
  }
  return found
}

/** The answer, if there is one; 'closed', or 'waits'. */
async function answerTo(port: number, api: Api, version: number, frame: Buffer, patienceMs = PATIENCE_MS): Promise<unknown> {
  const client = await RawClient.open(port)
  client.write(frame)
  const deadline = performance.now() + patienceMs
  const state = { isClosed: false }
  void client.closed.then(() => (state.isClosed = true))
  const isOver = () => client.unexpected.has(CORRELATION_ID) || state.isClosed || performance.now() >= deadline
  while (!isOver()) await new Promise(setImmediate)
  client.close()
  const payload = client.unexpected.get(CORRELATION_ID)
  if (payload === undefined) return state.isClosed ? 'closed' : 'waits'
  return decodeResponsePayload(api, version, payload)
}

async function expectHealthy({ connect, lines }: TestBroker): Promise<void> {
  const { errorCode } = await (await connect()).call(ApiVersions, 4, SOFTWARE)
  expect(errorCode).toBe(0)
  expect(lines.filter((line) => /\berror\b|\n\s+at /i.test(line) && !/closed: /.test(line))).toEqual([])
}

const properties = { 'offsets.topic.num.partitions': '1', 'transaction.state.log.num.partitions': '1' }
const AUTHORIZER = { 'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer', 'super.users': 'User:ANONYMOUS' }

describe('hostile requests', () => {
  test.each(served.map((each) => [each.api.name, each] as const))('%s', async (_, { api, versions }) => {
    const world = await testBroker({ topics: ['t:2'], properties: { ...properties, ...AUTHORIZER } })
    const client = await world.connect()
    await client.call(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })
    await client.call(FindCoordinator, 4, { keyType: 1, coordinatorKeys: ['tx'] })
    await client.call(InitProducerId, 4, { transactionalId: 'tx', transactionTimeoutMs: 60_000, producerId: -1n, producerEpoch: -1 })
    await fc.assert(
      fc.asyncProperty(hostileFrame(api, versions), async ({ version, frame }) => {
        const codes = codesIn(await answerTo(world.port, api, version, frame))
        expect(codes).not.toContain(ErrorCode.UNKNOWN_SERVER_ERROR)
        await expectHealthy(world)
      }),
      { numRuns: RUNS * Math.min(4, versions.length) },
    )
  }, 60_000)
})

describe('hostile requests before the login', () => {
  const BEFORE_LOGIN = new Set<Api>([ApiVersions, SaslHandshake, SaslAuthenticate])

  async function secured() {
    const world = await testBroker({
      properties: {
        listeners: 'LOGIN://127.0.0.1:0',
        'inter.broker.listener.name': 'LOGIN',
        'listener.security.protocol.map': 'LOGIN:SASL_PLAINTEXT',
        'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256',
        'listener.name.login.plain.sasl.jaas.config': 'org.apache.kafka.common.security.plain.PlainLoginModule required user_a="b";',
        'connection.failed.authentication.delay.ms': '0',
      },
    })
    return world
  }

  test('end the connection, but for the three that make a login', async () => {
    const world = await secured()
    for (const { api, versions } of served.filter((each) => !BEFORE_LOGIN.has(each.api))) {
      const [{ version, frame }] = fc.sample(hostileFrame(api, versions), 1)
      expect([api.name, await answerTo(world.port, api, version, frame, 10_000)]).toEqual([api.name, 'closed'])
    }
    await expectHealthy(world)
  })

  test('in a login of any mechanism', async () => {
    const world = await secured()
    const token = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom('n,,n=a,r=x', 'n,,n=a,r=', 'y,,n=a,r=x', 'n,a=b,n=a,r=x', 'c=biws,r=x,p=AAAA', 'p=tls-unique,,n=a,r=x', '\0a\0b', '\0', 'n,,n==2,r=x', 'n,,m=1,n=a,r=x').map((text) => Buffer.from(text)),
    ) // prettier-ignore
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('PLAIN', 'SCRAM-SHA-256', 'GSSAPI', ''), fc.nat(1), fc.array(token, { minLength: 1, maxLength: 3 }), async (mechanism, version, tokens) => {
        const client = await RawClient.open(world.port)
        onTestFinished(() => client.close())
        try {
          await client.call(SaslHandshake, version, { mechanism })
          if (version === 0) {
            for (const each of tokens) {
              const size = Buffer.alloc(4)
              size.writeInt32BE(each.length)
              client.write(Buffer.concat([size, each]))
            }
          } else {
            for (const authBytes of tokens) {
              const { errorCode } = await client.call(SaslAuthenticate, 2, { authBytes })
              expect(errorCode).not.toBe(ErrorCode.UNKNOWN_SERVER_ERROR)
            }
          }
        } catch (error) {
          expect(String(error)).toContain('closed the connection')
        }
        client.close()
        await expectHealthy(world)
      }),
      { numRuns: 100 },
    ) // prettier-ignore
  }, 60_000)
})
