// A broker's own properties: typed values out of Kafka's text, and one line with the key's name where that can't be.

import { describe, expect, test } from 'vitest'
import { ConfigError, parseBrokerConfig } from '../../src/broker/config/broker-configs.ts'
import { topicLogConfig } from '../../src/broker/config/log-configs.ts'
import { MetadataImage, ResourceType } from '../../src/broker/metadata/image.ts'

function parse(given: Record<string, string>, options: { ephemeral?: boolean } = {}) {
  return parseBrokerConfig(new Map(Object.entries({ 'log.dirs': '/data', ...given })), options)
}

test('nothing but a directory is enough', () => {
  expect(parse({})).toMatchObject({
    nodeId: 1,
    logDir: '/data',
    listeners: [{ name: 'PLAINTEXT', protocol: 'PLAINTEXT', host: '127.0.0.1', port: 9092, advertisedHost: '127.0.0.1', advertisedPort: 9092 }],
    numPartitions: 1,
    autoCreateTopics: true,
    socketRequestMaxBytes: 104_857_600,
    queuedMaxRequestBytes: -1,
    rack: null,
    warnings: [],
  })
})

test("Kafka's own server.properties of one node", () => {
  const config = parse({
    'process.roles': 'broker,controller',
    'node.id': '1',
    listeners: 'PLAINTEXT://:9092, EXTERNAL://[::1]:9094 ,CONTROLLER://:9093',
    'advertised.listeners': 'PLAINTEXT://localhost:9092,EXTERNAL://example.org:19094,CONTROLLER://localhost:9093',
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.voters': '1@localhost:9093',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,EXTERNAL:SASL_SSL',
    'num.network.threads': '3',
    'auto.create.topics.enable': 'FALSE',
    'max.connections': '9',
    'listener.name.external.ssl.keystore.type': 'PEM',
    'cluster.id': 'MkU3OEVBNTcwNTJENDM2Qg',
    'my.property': '1',
  })
  expect(config.listeners).toEqual([
    { name: 'PLAINTEXT', protocol: 'PLAINTEXT', host: '', port: 9092, advertisedHost: 'localhost', advertisedPort: 9092 },
    { name: 'EXTERNAL', protocol: 'SASL_SSL', host: '::1', port: 9094, advertisedHost: 'example.org', advertisedPort: 19094 },
  ])
  expect(config).toMatchObject({ autoCreateTopics: false, maxConnections: 9, clusterId: 'MkU3OEVBNTcwNTJENDM2Qg' })
  expect(config.warnings).toEqual(['the property my.property is not known and has no effect'])
})

test('clients are told 127.0.0.1 for localhost, unless localhost is what is to be advertised', () => {
  const told = (given: Record<string, string>) => parse({ listeners: 'PLAINTEXT://localhost:9092', ...given }).listeners[0].advertisedHost
  expect(told({})).toBe('127.0.0.1')
  expect(told({ 'advertised.listeners': 'PLAINTEXT://localhost:9092' })).toBe('localhost')
})

describe('refused', () => {
  const cases: [given: Record<string, string>, key: string, message: RegExp][] = [
    [{ 'log.dirs': '' }, 'log.dirs', /log.dirs is missing/],
    [{ 'log.dirs': '/a,/b' }, 'log.dirs', /several directories/],
    [{ 'metadata.log.dir': '/other' }, 'metadata.log.dir', /metadata.log.dir/],
    [{ 'num.partitions': 'x' }, 'num.partitions', /Invalid value x for configuration num.partitions: Not a number of type INT/],
    [{ 'num.partitions': '0' }, 'num.partitions', /Value must be at least 1/],
    [{ 'log.segment.bytes': '5' }, 'log.segment.bytes', /Value must be at least 1048576/],
    [{ listeners: 'localhost:9092' }, 'listeners', /expected NAME:\/\/HOST:PORT/],
    [{ listeners: 'PLAINTEXT://:99999' }, 'listeners', /expected NAME:\/\/HOST:PORT/],
    [{ listeners: 'A://:1,A://:2', 'listener.security.protocol.map': 'A:PLAINTEXT' }, 'listeners', /different name/],
    [{ listeners: 'CONTROLLER://:1', 'controller.listener.names': 'CONTROLLER' }, 'listeners', /no listener for clients/],
    [{ listeners: 'OTHER://:1' }, 'listener.security.protocol.map', /No security protocol defined for listener OTHER/],
    [{ 'listener.security.protocol.map': 'A:TLS' }, 'listener.security.protocol.map', /A:TLS is not LISTENER:PROTOCOL/],
    [{ 'advertised.listeners': 'PLAINTEXT://0.0.0.0:1' }, 'advertised.listeners', /nonroutable meta-address/],
    [{ 'advertised.listeners': 'OTHER://a:1' }, 'advertised.listeners', /equal to or a subset/],
    [{ 'process.roles': 'controller' }, 'process.roles', /must contain broker/],
    [{ 'controller.quorum.voters': '1@a:1,2@b:1' }, 'controller.quorum.voters', /names another node/],
    [{ 'node.id': '1', 'broker.id': '2' }, 'broker.id', /same value/],
    [{ 'authorizer.class.name': 'kafka.security.authorizer.AclAuthorizer' }, 'authorizer.class.name', /has only org.apache.kafka.metadata/],
    [{ 'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer', 'super.users': 'User:a; b' }, 'super.users', /but got b/],
    [{ 'create.topic.policy.class.name': 'a.B' }, 'create.topic.policy.class.name', /not supported/],
    [{ 'sasl.login.class': 'a.B' }, 'sasl.login.class', /can't load Java classes/],
    [{ 'remote.log.storage.system.enable': 'true' }, 'remote.log.storage.system.enable', /not supported/],
  ]
  test.each(cases)('%j', (given, key, message) => {
    expect(() => parse(given)).toThrow(ConfigError)
    expect(() => parse(given)).toThrow(message)
    expect(() => parse(given)).toThrow(expect.objectContaining({ key }))
  })
})

test("a log's settings: every unit counts, text saturates, an ephemeral broker never syncs", () => {
  const image = new MetadataImage()
  const set = (name: string, value: string) => {
    const record = { type: 4, name: 'ConfigRecord', version: 0 } as const
    image.replay({ ...record, value: { resourceType: ResourceType.topic, resourceName: 'orders', name, value } })
  }
  set('cleanup.policy', 'compact, delete')
  set('compression.type', 'uncompressed')
  set('segment.ms', ' +7 ')
  const config = parse({ 'log.retention.hours': '2', 'log.retention.minutes': '30', 'log.roll.jitter.hours': '1' })
  expect(topicLogConfig(config, image, 'orders')).toMatchObject({
    retentionMs: 1_800_000,
    segmentJitterMs: 3_600_000,
    segmentMs: 7,
    flushMessages: 1,
    flushMs: Number.MAX_SAFE_INTEGER,
    compressionType: 'none',
    cleanupPolicy: new Set(['compact', 'delete']),
    timestampType: 'CreateTime',
    compressionLevels: { lz4: 9, zstd: 3 },
    preallocate: false,
  })
  expect(topicLogConfig(parse({ 'log.retention.hours': '-1' }), image, 'other').retentionMs).toBe(-1)
  expect(topicLogConfig(parse({}, { ephemeral: true }), image, 'other').flushMessages).toBe(Number.MAX_SAFE_INTEGER)
  expect(topicLogConfig(parse({ 'log.flush.interval.messages': '5' }, { ephemeral: true }), image, 'other').flushMessages).toBe(5)
})
