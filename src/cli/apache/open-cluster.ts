// The cluster that a face talks to: only what its own words name, never the environment, a context or a broker of its own.
// Like Java's clients it goes on trying an address where nobody answers, until default.api.timeout.ms is over, and takes
// properties that it doesn't know with a warning.

import { lookup } from 'node:dns/promises'
import { clientConfig } from '../../client/client-config.ts'
import type { Cluster } from '../../client/cluster.ts'
import { connectCluster } from '../../client/kafka-cluster.ts'
import { isKnownKey } from '../../client/config-keys.ts'
import { ConfigError } from '../../client/errors.ts'
import { readPropertiesFile } from '../../client/properties-file.ts'
import { clientAddress, runningBrokers } from '../control.ts'
import { realDirectory } from '../local-broker.ts'
import { localPaths } from '../paths.ts'
import type { FaceIo } from './face.ts'
import { configException } from './java-config.ts'
import { JavaError, unreadableFile } from './java-errors.ts'
import { clientLogger, logLine } from './log4j.ts'

export interface ClusterWish {
  /** HOST:PORT[,…]; wins over the properties. */
  readonly bootstrapServer?: string | undefined
  readonly properties: ReadonlyMap<string, string>
  /** Where the properties name none. */
  readonly clientId: string
  /** Java's client: its constructor is what fails for properties that can't be used. */
  readonly kind: 'KafkaAdminClient' | 'KafkaProducer' | 'KafkaConsumer'
}

/** Lazy: the first call dials. Throws the JavaError of Java's constructor. */
export async function openCluster(io: FaceIo, wish: ClusterWish): Promise<Cluster> {
  const properties = knownProperties(io, wish.properties)
  if (wish.bootstrapServer !== undefined) properties.set('bootstrap.servers', wish.bootstrapServer)
  if (!properties.get('client.id')) properties.set('client.id', wish.clientId)
  try {
    await checkAddresses(io, properties.get('bootstrap.servers') ?? '', wish.kind === 'KafkaAdminClient')
    const config = await clientConfig(properties)
    return connectCluster(config, { patienceMs: config.defaultApiTimeoutMs, logger: clientLogger(io, wish.clientId) })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const invalid = configException(error, properties)
    if (invalid !== undefined) throw invalid
    const message = `Failed to ${wish.kind === 'KafkaAdminClient' ? 'create new KafkaAdminClient' : `construct ${wish.kind === 'KafkaProducer' ? 'kafka producer' : 'kafka consumer'}`}`
    throw new JavaError('org.apache.kafka.common.KafkaException', message, { cause: error })
  }
}

const ADDRESS = /^(?:[\w\-%.]*:\/\/)?\[?[\w\-%.:]*\]?:\d+$/

/**
 * ClientUtils.parseAndValidateAddresses. Throws ConfigError for what is no HOST:PORT and where no host has an address;
 * JavaError for an empty item of the list, and for an empty list of a producer or consumer.
 */
export async function checkAddresses(io: FaceIo, servers: string, isAdmin: boolean): Promise<void> {
  const items = servers.trim() === '' ? [] : servers.trim().split(/\s*,\s*/)
  if (items.includes('')) throw new JavaError('org.apache.kafka.common.config.ConfigException', "Configuration 'bootstrap.servers' values must not be empty.")
  if (items.length === 0) {
    if (isAdmin) throw new ConfigError('bootstrap.servers', 'You must set either bootstrap.servers or bootstrap.controllers')
    throw new JavaError('org.apache.kafka.common.config.ConfigException', "Configuration 'bootstrap.servers' must not be empty. Valid values include: any non-empty value")
  }
  const wrong = items.find((item) => !ADDRESS.test(item))
  if (wrong !== undefined) throw new ConfigError('bootstrap.servers', `Invalid url in bootstrap.servers: ${wrong}`)
  const unreachable = items.find((item) => Number(/\d+$/.exec(item)?.[0]) > 65_535)
  if (unreachable !== undefined) throw new ConfigError('bootstrap.servers', `Invalid port in bootstrap.servers: ${unreachable}`)
  const hosts = items.map((item) => item.replace(/^.*:\/\//, '').replace(/:\d+$/, '').replace(/^\[|\]$/g, ''))
  const isKnown = await Promise.all(hosts.map((host) => lookup(host).then(() => true, () => false)))
  for (const [index, host] of hosts.entries()) {
    if (isKnown[index]) continue
    const text = `Couldn't resolve server ${items[index]} from bootstrap.servers as DNS resolution failed for ${host}`
    logLine(io, 'WARN', text, 'org.apache.kafka.clients.ClientUtils')
  }
  if (!isKnown.includes(true)) throw new ConfigError('bootstrap.servers', 'No resolvable bootstrap urls given in bootstrap.servers')
}

/** Without what no client knows, which a warning says. */
export function knownProperties(io: FaceIo, properties: ReadonlyMap<string, string>): Map<string, string> {
  const unknown = [...properties.keys()].filter((key) => !isKnownKey(key))
  for (const key of unknown) {
    logLine(io, 'WARN', `The configuration '${key}' was supplied but isn't a known config.`, 'org.apache.kafka.clients.CommonClientConfigs')
  }
  return new Map([...properties].filter(([key]) => !unknown.includes(key)))
}

/** Utils.loadProps: empty without a path. Throws the JavaError of a file that can't be read. */
export async function loadProperties(path: string | undefined): Promise<ReadonlyMap<string, string>> {
  if (path === undefined) return new Map()
  try {
    return await readPropertiesFile(path)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw unreadableFile(error, path) ?? error
  }
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[?::1\]?|0\.0\.0\.0)(:\d+)?(\/.*)?$/i

/**
 * The address that `--zookeeper` of older releases stands for: on a loopback host the broker of this machine, which one line
 * on stderr says. Any other host keeps nothing of Kafka any more.
 */
export async function brokerForZookeeper(io: FaceIo, zookeeper: string): Promise<string> {
  const hosts = zookeeper.split('/', 1)[0].split(',')
  if (!hosts.every((host) => LOOPBACK.test(host.trim()))) {
    throw new JavaError('java.lang.IllegalArgumentException', `--zookeeper ${zookeeper}: Kafka has no ZooKeeper any more; name a broker with --bootstrap-server HOST:PORT`)
  }
  const paths = localPaths(io.env)
  const [running, usual] = await Promise.all([runningBrokers(paths.runtimeDirectory), realDirectory(paths.dataDirectory)])
  const broker = running.find(({ dataDirectory }) => dataDirectory === usual) ?? running.at(0)
  const address = broker === undefined ? 'localhost:9092' : clientAddress(broker)
  io.err(`--zookeeper ${zookeeper} is taken for the broker on this machine: --bootstrap-server ${address}\n`)
  return address
}
