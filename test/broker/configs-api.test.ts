// DescribeConfigs, IncrementalAlterConfigs, AlterConfigs: values, sources, synonyms, and the refusals word for word, as
// Apache Kafka 4.3.0 gave them when it was asked the same.

import { describe, expect, test } from 'vitest'
import { AlterConfigs } from '../../src/protocol/apis/alter-configs.ts'
import { DescribeConfigs } from '../../src/protocol/apis/describe-configs.ts'
import { IncrementalAlterConfigs } from '../../src/protocol/apis/incremental-alter-configs.ts'
import { ListConfigResources } from '../../src/protocol/apis/list-config-resources.ts'
import { testBroker } from '../support/broker.ts'
import type { RawClient } from '../support/raw-client.ts'

const [SET, DELETE, APPEND, SUBTRACT] = [0, 1, 2, 3]
const [TOPIC, BROKER, LOGGER, METRICS, GROUP] = [2, 4, 8, 16, 32]
const LONGEST = '9223372036854775807'

type Change = [name: string, operation: number, value: string | null]

async function alter(client: RawClient, type: number, resourceName: string, changes: Change[], validateOnly = false) {
  const configs = changes.map(([name, configOperation, value]) => ({ name, configOperation, value }))
  const request = { resources: [{ resourceType: type, resourceName, configs }], validateOnly }
  const { responses } = await client.call(IncrementalAlterConfigs, 1, request)
  return [responses[0].errorCode, responses[0].errorMessage]
}

async function describeAll(client: RawClient, resourceType: number, resourceName: string, keys: string[] | null = null) {
  const request = { resources: [{ resourceType, resourceName, configurationKeys: keys }], includeSynonyms: true, includeDocumentation: true }
  const [result] = (await client.call(DescribeConfigs, 4, request)).results
  return result
}

/** `value @source <- name=value@source …`, as the tools print it. */
async function value(client: RawClient, resourceType: number, resourceName: string, key: string): Promise<string> {
  const { configs } = await describeAll(client, resourceType, resourceName, [key])
  return configs
    .map((config) => `${config.value} @${config.configSource} <- ${config.synonyms.map((s) => `${s.name}=${s.value}@${s.source}`).join(' ')}`)
    .join('\n')
}

test('a topic has every config of Kafka 4.3, with its default, type, and a line about it', async () => {
  const { connect } = await testBroker({ topics: ['orders'] })
  const { configs } = await describeAll(await connect(), TOPIC, 'orders')
  const defaults = configs.map(({ name, value: given, configType }) => `${name}=${given} ${configType}`)
  expect(defaults.sort()).toEqual([
    'cleanup.policy=delete 7',
    'compression.gzip.level=-1 3',
    'compression.lz4.level=9 3',
    'compression.type=producer 2',
    'compression.zstd.level=3 3',
    'delete.retention.ms=86400000 5',
    'file.delete.delay.ms=60000 5',
    'flush.messages=1 5', // Kafka: 9223372036854775807
    `flush.ms=${LONGEST} 5`,
    'follower.replication.throttled.replicas= 7',
    'index.interval.bytes=4096 3',
    'leader.replication.throttled.replicas= 7',
    'local.retention.bytes=-2 5',
    'local.retention.ms=-2 5',
    `max.compaction.lag.ms=${LONGEST} 5`,
    'max.message.bytes=1048588 3',
    'message.timestamp.after.max.ms=3600000 5',
    `message.timestamp.before.max.ms=${LONGEST} 5`,
    'message.timestamp.type=CreateTime 2',
    'min.cleanable.dirty.ratio=0.5 6',
    'min.compaction.lag.ms=0 5',
    'min.insync.replicas=1 3',
    'preallocate=false 1',
    'remote.log.copy.disable=false 1',
    'remote.log.delete.on.disable=false 1',
    'remote.storage.enable=false 1',
    'retention.bytes=-1 5',
    'retention.ms=604800000 5',
    'segment.bytes=1073741824 3',
    'segment.index.bytes=10485760 3',
    'segment.jitter.ms=0 5',
    'segment.ms=604800000 5',
    'unclean.leader.election.enable=false 1',
  ])
  // As Apache's: tools print several overrides in an order that follows from the broker's.
  expect(configs.slice(11, 15).map(({ name }) => name)).toEqual(['compression.lz4.level', 'segment.bytes', 'retention.ms', 'compression.gzip.level'])
  for (const { documentation } of configs) expect(documentation).toMatch(/^\S.*\.$/)
})

test('a broker lists the 340 configs of Kafka 4.3, secrets without their values', async () => {
  const given = { 'sasl.jaas.config': 'hush-hush', 'my.own': 'hush-hush', 'log.roll.ms': '77777777' }
  const { connect, lines } = await testBroker({ properties: given })
  const client = await connect()
  const { configs } = await describeAll(client, BROKER, '1')
  expect(configs.length).toBe(341)
  const one = (name: string) => configs.find((config) => config.name === name)
  expect(one('log.retention.hours')).toMatchObject({ value: '168', readOnly: true, configSource: 5, isSensitive: false, configType: 3 })
  expect(one('sasl.jaas.config')).toMatchObject({ value: null, isSensitive: true, configSource: 4, configType: 9 })
  expect(one('my.own')).toMatchObject({ value: null, isSensitive: true, readOnly: true, configSource: 4, configType: 0 })
  expect(one('node.id')).toMatchObject({ value: '1', readOnly: true, configSource: 4 })
  expect(JSON.stringify(configs).includes('hush-hush')).toBe(false)
  expect(lines.join('')).toContain('the property my.own is not known')
  expect(await value(client, BROKER, '1', 'log.roll.ms')).toBe('77777777 @4 <- log.roll.ms=77777777@4 log.roll.hours=168@5')
  expect(await value(client, BROKER, '1', 'log.retention.ms')).toBe('null @5 <- ')
})

test('where a value comes from: topic, broker, all brokers, properties, default', async () => {
  const { connect, broker } = await testBroker({ topics: ['orders'], properties: { 'log.segment.bytes': '2097152', 'log.retention.hours': '1' } })
  const client = await connect()
  const log = broker.partitions.get('orders', 0).log
  expect(await value(client, TOPIC, 'orders', 'retention.ms')).toBe('3600000 @5 <- ')
  expect(log.config.retentionMs).toBe(3_600_000)
  expect(await value(client, TOPIC, 'orders', 'segment.bytes')).toBe('2097152 @4 <- log.segment.bytes=2097152@4 log.segment.bytes=1073741824@5')

  expect(await alter(client, BROKER, '', [['log.segment.bytes', SET, '4194304'], ['log.retention.ms', SET, '6000000']])).toEqual([0, null])
  expect(await alter(client, BROKER, '1', [['log.segment.bytes', SET, '3145728']])).toEqual([0, null])
  expect(await alter(client, TOPIC, 'orders', [['segment.bytes', SET, '5242880']])).toEqual([0, null])
  expect(await value(client, TOPIC, 'orders', 'segment.bytes')).toBe(
    '5242880 @1 <- segment.bytes=5242880@1 log.segment.bytes=3145728@2 log.segment.bytes=4194304@3 log.segment.bytes=2097152@4 log.segment.bytes=1073741824@5',
  )
  expect(await value(client, TOPIC, 'orders', 'retention.ms')).toBe(
    '6000000 @3 <- log.retention.ms=6000000@3 log.retention.hours=1@4 log.retention.hours=168@5',
  )
  expect(await value(client, BROKER, '', 'log.retention.ms')).toBe('6000000 @3 <- log.retention.ms=6000000@3')
  // What is described is what the log does.
  expect([log.config.segmentBytes, log.config.retentionMs]).toEqual([5_242_880, 6_000_000])

  expect(await alter(client, BROKER, '', [['log.retention.ms', DELETE, null]])).toEqual([0, null])
  expect(await alter(client, TOPIC, 'orders', [['segment.bytes', DELETE, null]])).toEqual([0, null])
  expect([log.config.segmentBytes, log.config.retentionMs]).toEqual([3_145_728, 3_600_000])
})

describe('DescribeConfigs refuses', () => {
  test.each([
    [TOPIC, 'nowhere', 3, ''],
    [TOPIC, '', 17, 'Topic name is invalid: the empty string is not allowed'],
    [BROKER, '2', 42, 'Unexpected broker id, expected 1 or empty string, but received 2'],
    [BROKER, 'x', 42, 'Broker id must be an integer, but it is: x'],
    [LOGGER, '2', 42, 'Unexpected broker id, expected 1 but received 2'],
    [LOGGER, '', 42, 'Broker id must not be empty'],
    [METRICS, '', 42, 'Client metrics subscription name must not be empty'],
    [GROUP, '', 42, 'Group name must not be empty'],
    [7, 'x', 42, 'This most likely occurs because of a request being malformed by the client library or the message was sent to an incompatible broker. See the broker logs for more details.'],
  ])('type %i, %j', async (resourceType, resourceName, errorCode, errorMessage) => {
    const { connect } = await testBroker()
    const result = await describeAll(await connect(), resourceType, resourceName)
    expect(result).toEqual({ errorCode, errorMessage, resourceType, resourceName, configs: [] })
  })
})

test.each([1, 2, 3, 4])('DescribeConfigs version %i', async (version) => {
  const { connect } = await testBroker({ topics: ['orders'] })
  const client = await connect()
  const resources = [{ resourceType: TOPIC, resourceName: 'orders', configurationKeys: ['segment.ms', 'nope'] }]
  const { results } = await client.call(DescribeConfigs, version, { resources, includeSynonyms: false })
  expect(results[0].configs).toEqual([
    {
      name: 'segment.ms',
      value: '604800000',
      readOnly: false,
      configSource: 5,
      isSensitive: false,
      synonyms: [],
      configType: version >= 3 ? 5 : 0,
      documentation: version >= 3 ? null : '',
    },
  ])
})

describe("a topic's config is refused", () => {
  const invalid = (given: string, name: string, reason: string) => `Invalid value ${given} for configuration ${name}: ${reason}`
  const throttled = (name: string) =>
    `${name} must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...`
  const cases: [name: string, given: string, message: string][] = [
    ['foo', '1', 'Unknown topic config name: foo'],
    ['message.format.version', '2.8', 'Unknown topic config name: message.format.version'],
    ['retention.ms', 'x', invalid('x', 'retention.ms', 'Not a number of type LONG')],
    ['retention.ms', '', invalid('', 'retention.ms', 'Not a number of type LONG')],
    ['retention.ms', '9223372036854775808', invalid('9223372036854775808', 'retention.ms', 'Not a number of type LONG')],
    ['retention.ms', '1e3', invalid('1e3', 'retention.ms', 'Not a number of type LONG')],
    ['retention.ms', '-2', invalid('-2', 'retention.ms', 'Value must be at least -1')],
    ['segment.bytes', '1048575', invalid('1048575', 'segment.bytes', 'Value must be at least 1048576')],
    ['segment.bytes', '2147483648', invalid('2147483648', 'segment.bytes', 'Not a number of type INT')],
    ['flush.messages', '0', invalid('0', 'flush.messages', 'Value must be at least 1')],
    ['min.cleanable.dirty.ratio', '1.5', invalid('1.5', 'min.cleanable.dirty.ratio', 'Value must be no more than 1')],
    ['min.cleanable.dirty.ratio', 'x', invalid('x', 'min.cleanable.dirty.ratio', 'Not a number of type DOUBLE')],
    ['preallocate', 'x', invalid('x', 'preallocate', 'Expected value to be either true or false')],
    ['compression.type', 'x', invalid('x', 'compression.type', 'String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer')],
    ['compression.gzip.level', '0', invalid('0', 'compression.gzip.level', 'Value must be between 1 and 9 or equal to -1')],
    ['compression.zstd.level', '23', invalid('23', 'compression.zstd.level', 'Value must be no more than 22')],
    ['cleanup.policy', 'compact,foo', invalid('foo', 'cleanup.policy', 'String must be one of: compact, delete')],
    ['cleanup.policy', 'delete,', "Configuration 'cleanup.policy' values must not be empty."],
    ['leader.replication.throttled.replicas', 'x', invalid('[x]', 'leader.replication.throttled.replicas', throttled('leader.replication.throttled.replicas'))],
    ['remote.storage.enable', 'true', 'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.'],
  ]
  test.each(cases)('%s=%s', async (name, given, message) => {
    const { connect, broker } = await testBroker({ topics: ['orders'] })
    expect(await alter(await connect(), TOPIC, 'orders', [[name, SET, given]])).toEqual([40, message])
    expect(broker.metadata.image.configs(TOPIC, 'orders').size).toBe(0)
  })

  test('compaction lags that contradict each other', async () => {
    const { connect } = await testBroker({ topics: ['orders'] })
    const lags: Change[] = [['min.compaction.lag.ms', SET, '10'], ['max.compaction.lag.ms', SET, '5']]
    const message = 'conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (5)'
    expect(await alter(await connect(), TOPIC, 'orders', lags)).toEqual([40, message])
  })
})

test('lists are changed word by word, from their default on', async () => {
  const { connect } = await testBroker({ topics: ['orders'] })
  const client = await connect()
  const policy = async (operation: number, given: string | null) => {
    const [code] = await alter(client, TOPIC, 'orders', [['cleanup.policy', operation, given]])
    const { configs } = await describeAll(client, TOPIC, 'orders', ['cleanup.policy'])
    return [code, configs[0].value]
  }
  expect(await policy(APPEND, 'compact')).toEqual([0, 'delete,compact'])
  expect(await policy(APPEND, 'compact')).toEqual([0, 'delete,compact'])
  expect(await policy(SUBTRACT, 'delete')).toEqual([0, 'compact'])
  expect(await policy(APPEND, 'foo')).toEqual([40, 'compact'])
  expect(await policy(SUBTRACT, 'compact')).toEqual([0, ''])
  expect(await policy(DELETE, null)).toEqual([0, 'delete'])
})

const refusedChange = (why: string) =>
  `Invalid value org.apache.kafka.common.config.ConfigException: ${why} for configuration Invalid dynamic configuration`

describe('IncrementalAlterConfigs refuses', () => {
  const cases: [type: number, name: string, changes: Change[], code: number, message: string][] = [
    [TOPIC, 'orders', [['retention.ms', SET, null]], 42, 'Null value not supported for : retention.ms'],
    [TOPIC, 'orders', [['retention.ms', SET, '5'], ['retention.ms', DELETE, null]], 42, 'Error due to duplicate config keys'],
    [TOPIC, 'orders', [['retention.ms', APPEND, '5']], 40, "Can't APPEND to key retention.ms because its type is not LIST."],
    [TOPIC, 'orders', [['retention.ms', SUBTRACT, '5']], 40, "Can't SUBTRACT to key retention.ms because its type is not LIST."],
    [TOPIC, 'nowhere', [['retention.ms', SET, '5']], 3, "The topic 'nowhere' does not exist."],
    [TOPIC, '', [['retention.ms', SET, '5']], 42, 'Default topic resources are not allowed.'],
    [7, 'x', [['retention.ms', SET, '5']], 42, 'Unknown resource type 7'],
    [BROKER, '2', [['log.retention.ms', SET, '5']], 42, 'Unexpected broker id, expected 1, but received 2'],
    [BROKER, 'x', [['log.retention.ms', SET, '5']], 42, 'Node id must be an integer, but it is: x'],
    [BROKER, '1', [['node.id', SET, '5'], ['log.dirs', SET, '/x'], ['log.retention.ms', SET, '7']], 42, 'Cannot update these configs dynamically: [node.id, log.dirs]'],
    [BROKER, '', [['node.id', SET, '5']], 42, 'Cannot update these configs dynamically: [node.id]'],
    [BROKER, '', [['listeners', SET, 'PLAINTEXT://:1']], 42, 'Cannot update these configs at default cluster level, broker id must be specified: [listeners]'],
    [BROKER, '1', [['log.retention.ms', SET, 'x']], 42, 'Invalid value x for configuration log.retention.ms: Not a number of type LONG'],
    [BROKER, '1', [['log.segment.bytes', SET, '5']], 42, 'Invalid value 5 for configuration log.segment.bytes: Value must be at least 1048576'],
    [BROKER, '1', [['min.insync.replicas', SET, '2']], 40, 'Broker-level min.insync.replicas cannot be altered while ELR is enabled.'],
    [BROKER, '', [['min.insync.replicas', DELETE, null]], 40, 'Cluster-level min.insync.replicas cannot be removed while ELR is enabled.'],
    [BROKER, '1', [['min.insync.replicas', SET, '0']], 42, 'Invalid value 0 for configuration min.insync.replicas: Value must be at least 1'],
    [BROKER, '', [['ssl.keystore.location', SET, '/x']], 42, 'These security configs can be dynamically updated only per-listener using the listener prefix: [ssl.keystore.location]'],
    [BROKER, '', [['listener.name.tls.ssl.keystore.location', SET, '/x']], 42, 'Cannot update these configs at default cluster level, broker id must be specified: [listener.name.tls.ssl.keystore.location]'],
    [BROKER, '1', [['listener.name.tls.ssl.keystore.location', SET, '/x'], ['listener.name.tls.ssl.keystore.password', SET, 'p']], 42, 'This broker cannot change these configs while it runs: [listener.name.tls.ssl.keystore.location, listener.name.tls.ssl.keystore.password]'],
    [BROKER, '1', [['listener.name.login.plain.sasl.jaas.config', SET, 'x']], 42, 'This broker cannot change these configs while it runs: [listener.name.login.plain.sasl.jaas.config]'],
    [BROKER, '1', [['num.io.threads', SET, '100']], 42, refusedChange('Dynamic thread count update validation failed for num.io.threads=100, value should not be greater than double the current value 8')],
    [BROKER, '1', [['num.io.threads', SET, '1']], 42, refusedChange('Dynamic thread count update validation failed for num.io.threads=1, value should be at least half the current value 8')],
    [BROKER, '', [['log.cleaner.threads', SET, '9']], 42, refusedChange('Log cleaner threads cannot be increased to more than double the current value 1')],
    [BROKER, '', [['max.connection.creation.rate', SET, '0']], 42, refusedChange('Invalid max.connection.creation.rate 0')],
    [BROKER, '', [['metric.reporters', SET, 'X']], 42, refusedChange('Validation of dynamic config update of Set(metric.reporters) failed with class class kafka.server.DynamicMetricsReporters')],
    [BROKER, '', [['max.connections.per.ip.overrides', SET, 'bad']], 42, "Error parsing configuration property 'max.connections.per.ip.overrides': begin 0, end -1, length 3"],
    [BROKER, '1', [['max.connections.per.ip.overrides', SET, 'localhost:x']], 42, 'For input string: "x"'],
    [BROKER, '', [['leader.replication.throttled.rate', SET, '-1']], 42, 'Invalid value -1 for configuration leader.replication.throttled.rate: Value must be at least 0'],
    [BROKER, '1', [['leader.replication.throttled.rate', APPEND, '1']], 40, 'Unknown config name: leader.replication.throttled.rate'],
    [BROKER, '1', [['num.partitions', APPEND, '1']], 40, 'Config value append is not allowed for config key: num.partitions'],
    [BROKER, '', [['cordoned.log.dirs', SET, '/x']], 42, 'Cannot update these configs at default cluster level, broker id must be specified: [cordoned.log.dirs]'],
    [BROKER, '1', [['cordoned.log.dirs', SET, '/x']], 42, 'This broker cannot change these configs while it runs: [cordoned.log.dirs]'],
    [BROKER, '1', [['x', 9, '1']], 42, 'Unknown operations type 9'],
    [METRICS, '', [['metrics', SET, 'a']], 42, "Subscription name can't be empty"],
    [METRICS, 'm', [['nope', SET, 'a']], 42, 'Unknown client metrics configuration: nope'],
    [METRICS, 'm', [['interval.ms', SET, 'abc']], 40, 'Invalid value abc for configuration interval.ms: Not a number of type INT'],
    [METRICS, 'm', [['interval.ms', SET, '99']], 42, 'Invalid value 99 for interval.ms, interval must be between 100 and 3600000 (1 hour)'],
    [METRICS, 'm', [['match', SET, 'foo=1']], 40, 'Illegal client matching pattern: foo=1'],
    [METRICS, 'm', [['match', SET, 'client_id=[']], 40, 'Illegal client matching pattern: client_id=['],
    [METRICS, 'm', [['metrics', SET, 'a,,b']], 40, "Configuration 'metrics' values must not be empty."],
    [METRICS, 'm', [['metrics', APPEND, 'a']], 40, "Can't APPEND to key metrics because its type is not LIST."],
    [LOGGER, '1', [['root', SET, 'LOUD']], 40, 'Cannot set the log level of root to LOUD as it is not a supported log level. Valid log levels are DEBUG, ERROR, FATAL, INFO, TRACE, WARN'],
    [LOGGER, '1', [['nope', SET, 'DEBUG']], 40, 'Logger nope does not exist!'],
    [LOGGER, '1', [['root', DELETE, null]], 42, 'Removing the log level of the root logger is not allowed'],
    [LOGGER, '1', [['root', APPEND, 'DEBUG']], 42, 'APPEND operation is not allowed for the BROKER_LOGGER resource'],
    [LOGGER, '2', [['root', SET, 'DEBUG']], 42, 'Unexpected node id. Expected 1, but received 2'],
  ]
  test.each(cases)('type %i %j %j', async (type, name, changes, code, message) => {
    const { connect } = await testBroker({ topics: ['orders'] })
    expect(await alter(await connect(), type, name, changes)).toEqual([code, message])
  })

  test('a resource that is named twice, and nothing that shall only be checked is kept', async () => {
    const { connect, broker } = await testBroker({ topics: ['orders'] })
    const client = await connect()
    const one = { resourceType: TOPIC, resourceName: 'orders', configs: [{ name: 'retention.ms', configOperation: SET, value: '7' }] }
    const { responses } = await client.call(IncrementalAlterConfigs, 0, { resources: [one, one], validateOnly: false })
    expect(responses.map(({ errorMessage }) => errorMessage)).toEqual(Array(2).fill('Each resource must appear at most once.'))
    expect(await alter(client, TOPIC, 'orders', [['retention.ms', SET, '7']], true)).toEqual([0, null])
    expect(broker.metadata.image.configs(TOPIC, 'orders').size).toBe(0)
  })
})

test('AlterConfigs replaces everything that was set', async () => {
  const { connect, broker } = await testBroker({ topics: ['orders'] })
  const client = await connect()
  const put = async (resourceType: number, resourceName: string, given: Record<string, string | null>) => {
    const configs = Object.entries(given).map(([name, text]) => ({ name, value: text }))
    const request = { resources: [{ resourceType, resourceName, configs }], validateOnly: false }
    const [{ errorCode, errorMessage }] = (await client.call(AlterConfigs, 2, request)).responses
    return [errorCode, errorMessage]
  }
  const now = () => Object.fromEntries(broker.metadata.image.configs(TOPIC, 'orders'))
  expect(await put(TOPIC, 'orders', { 'retention.ms': '5', 'cleanup.policy': 'compact' })).toEqual([0, null])
  expect(await put(TOPIC, 'orders', { 'retention.ms': '6' })).toEqual([0, null])
  expect(now()).toEqual({ 'retention.ms': '6' })
  expect(await put(TOPIC, 'orders', { 'retention.ms': null })).toEqual([42, 'Null value not supported for : retention.ms'])
  expect(await put(TOPIC, 'orders', { foo: '1' })).toEqual([40, 'Unknown topic config name: foo'])
  expect(await put(LOGGER, '1', { root: 'DEBUG' })).toEqual([42, 'Unknown resource type 8'])
  expect(await put(BROKER, '', {})).toEqual([40, 'Cluster-level min.insync.replicas cannot be removed while ELR is enabled.'])
  expect(await put(TOPIC, 'orders', {})).toEqual([0, null])
  expect(now()).toEqual({})
})

test('a client metrics subscription is described, listed, and gone with its last config', async () => {
  const { connect } = await testBroker({ topics: ['orders'] })
  const client = await connect()
  const list = async (version: number, resourceTypes: number[]) => {
    const { errorCode, configResources } = await client.call(ListConfigResources, version, { resourceTypes })
    return errorCode === 0 ? configResources.map(({ resourceType, resourceName }) => `${resourceType} ${resourceName}`) : errorCode
  }
  expect(await value(client, METRICS, 'm', 'interval.ms')).toBe('300000 @5 <- ')
  expect(await alter(client, METRICS, 'm', [['metrics', SET, 'a.b,c'], ['interval.ms', SET, ' 500 '], ['match', SET, 'client_id=x.*']])).toEqual([0, null])
  expect(await value(client, METRICS, 'm', 'interval.ms')).toBe('500 @7 <- interval.ms=500@7')
  expect(await list(0, [])).toEqual(['16 m'])
  expect(await list(1, [])).toEqual(['16 m', '8 1', '4 1', '2 orders'])
  expect(await list(1, [METRICS, METRICS])).toEqual(['16 m'])
  expect(await list(1, [BROKER, LOGGER])).toEqual(['8 1', '4 1'])
  expect(await list(1, [99])).toBe(35)
  expect(await alter(client, METRICS, 'm', [['metrics', DELETE, null], ['interval.ms', DELETE, null], ['match', DELETE, null]])).toEqual([0, null])
  expect(await list(1, [METRICS])).toEqual([])
})

test('the level of the log can be changed, until the broker ends', async () => {
  const { connect, broker, lines } = await testBroker()
  const client = await connect()
  const level = async () => (await describeAll(client, LOGGER, '1')).configs.map(({ name, value: given }) => `${name}=${given}`)
  expect(await level()).toEqual(['root=DEBUG'])
  expect(await alter(client, LOGGER, '1', [['root', SET, 'ERROR']], true)).toEqual([0, null])
  expect(await level()).toEqual(['root=DEBUG'])
  expect(await alter(client, LOGGER, '1', [['root', SET, 'WARN']])).toEqual([0, null])
  expect(await level()).toEqual(['root=WARN'])
  const before = lines.length
  broker.logger.info('not said')
  broker.logger.warn('said')
  expect(lines.slice(before)).toHaveLength(1)
})

test('what can only be set dynamically is taken, and not described, as in Kafka', async () => {
  const { connect, broker } = await testBroker()
  const client = await connect()
  expect(await alter(client, BROKER, '', [['leader.replication.throttled.rate', SET, '10']])).toEqual([0, null])
  expect(broker.metadata.image.configs(BROKER, '').get('leader.replication.throttled.rate')).toBe('10')
  for (const name of ['', '1']) expect((await describeAll(client, BROKER, name, ['leader.replication.throttled.rate'])).configs).toEqual([])
  // What is read-only may be taken back: it was never set.
  expect(await alter(client, BROKER, '1', [['num.partitions', DELETE, null]])).toEqual([0, null])
})
