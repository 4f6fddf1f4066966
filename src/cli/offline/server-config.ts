// What Kafka's tools read of a server.properties before they touch a directory, with the words of KafkaConfig for what is
// wrong with it; and the refusal of whatever names another node, since the broker here runs alone.

import { ConfigError } from '../../client/errors.ts'
import { readPropertiesFile } from '../../client/properties-file.ts'
import { illegalArgument, JavaError, toJava, unreadableFile } from '../apache/java-errors.ts'
import { integer } from '../apache/jopt.ts'

export interface ServerConfig {
  readonly nodeId: number
  readonly roles: readonly string[]
  /** As written, sorted; that of the metadata among them. */
  readonly logDirs: readonly string[]
  readonly metadataLogDir: string
  /** Of controller.quorum.voters. */
  readonly voterIds: readonly number[]
  readonly bootstrapServers: readonly string[]
  /** The first of controller.listener.names. */
  readonly controllerListener: string
  /** What this node tells others of its controller; undefined where it has none. */
  readonly controllerEndpoint: { readonly host: string; readonly port: number } | undefined
}

interface Listener {
  readonly name: string
  readonly host: string
  readonly port: number
}

const ROLES = ['broker', 'controller']
/** Numbers that Kafka's own server.properties sets. */
const INTEGERS = [
  'num.network.threads', 'num.io.threads', 'socket.send.buffer.bytes', 'socket.receive.buffer.bytes', 'socket.request.max.bytes', 'num.partitions',
  'num.recovery.threads.per.data.dir', 'log.retention.hours', 'log.segment.bytes',
] // prettier-ignore
const PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']

/** The file's properties. Throws the JavaError of one that can't be read. */
export async function readServerProperties(path: string): Promise<Map<string, string>> {
  try {
    return new Map([...(await readPropertiesFile(path))].map(([name, value]) => [name, value.trim()]))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw unreadableFile(error, path) ?? toJava(error)
  }
}

/** Throws the JavaErrors of KafkaConfig. */
export function serverConfig(properties: ReadonlyMap<string, string>): ServerConfig {
  const list = (name: string): readonly string[] => listOf(properties.get(name) ?? '')
  for (const name of INTEGERS) int(name, properties.get(name))
  const nodeId = nodeIdOf(properties)
  const roles = rolesOf(properties)
  const controllerListener = list('controller.listener.names').at(0)
  if (controllerListener === undefined) throw missing('controller.listener.names')
  const listeners = listenersOf(properties.get('listeners') ?? 'PLAINTEXT://:9092')
  const advertised = listenersOf(properties.get('advertised.listeners') ?? '')
  const interBroker = properties.get('inter.broker.listener.name')
  const map = properties.get('listener.security.protocol.map')
  const mapped = map === undefined ? [...PROTOCOLS, ...list('controller.listener.names')] : listOf(map).map((entry) => entry.split(':', 1)[0])
  if (interBroker !== undefined && !mapped.includes(interBroker)) {
    throw configException(`Listener with name ${interBroker} defined in inter.broker.listener.name not found in listener.security.protocol.map.`)
  }
  const voterIds = list('controller.quorum.voters').map(voterId)
  const bootstrapServers = list('controller.quorum.bootstrap.servers')
  if (voterIds.length === 0 && bootstrapServers.length === 0) {
    throw configException(
      'If using process.roles, either controller.quorum.bootstrap.servers must contain the set of bootstrap controllers ' +
        'or controller.quorum.voters must contain a parseable set of controllers.',
    )
  }
  checkRoles({ nodeId, roles, voterIds, names: list('controller.listener.names'), listeners })
  const endpoint = [...advertised, ...listeners].find(({ name }) => name === controllerListener)
  const logDirs = listOf(properties.get('log.dirs') ?? properties.get('log.dir') ?? '/tmp/kafka-logs')
  if (logDirs.length === 0) throw requirement('At least one log directory must be defined via log.dirs or log.dir.')
  const metadataLogDir = properties.get('metadata.log.dir') ?? logDirs[0]
  return {
    nodeId,
    roles,
    logDirs: [...new Set([...logDirs, metadataLogDir])].sort(),
    metadataLogDir,
    voterIds,
    bootstrapServers,
    controllerListener,
    controllerEndpoint: endpoint && { host: endpoint.host === '' || endpoint.host === '0.0.0.0' ? 'localhost' : endpoint.host, port: endpoint.port },
  }
}

interface Roles {
  readonly nodeId: number
  readonly roles: readonly string[]
  readonly voterIds: readonly number[]
  readonly names: readonly string[]
  readonly listeners: readonly Listener[]
}

function checkRoles({ nodeId, roles, voterIds, names, listeners }: Roles): void {
  const isListed = (name: string): boolean => listeners.some((listener) => listener.name === name)
  if (!roles.includes('controller')) {
    const voters = `controller.quorum.voters=Set(${voterIds.join(', ')})`
    if (voterIds.includes(nodeId)) throw requirement(`If process.roles contains just the 'broker' role, the node id ${nodeId} must not be included in the set of voters ${voters}`)
    if (names.some(isListed)) {
      throw requirement("controller.listener.names must not contain a value appearing in the 'listeners' configuration when running KRaft with just the broker role")
    }
    return
  }
  if (voterIds.length > 0 && !voterIds.includes(nodeId)) {
    throw requirement(
      `If process.roles contains the 'controller' role, the node id ${nodeId} must be included in the set of voters controller.quorum.voters=Set(${voterIds.join(', ')})`,
    )
  }
  if (!names.every(isListed)) {
    throw requirement("controller.listener.names must only contain values appearing in the 'listeners' configuration when running the KRaft controller role")
  }
}

/** Why this broker, which runs alone, takes no such configuration; undefined: it does. */
export function otherNodes({ nodeId, roles, voterIds, bootstrapServers }: ServerConfig): string | undefined {
  const others = voterIds.filter((id) => id !== nodeId)
  if (others.length > 0) return `controller.quorum.voters names node ${others.join(', ')}`
  if (new Set(bootstrapServers).size > 1) return 'controller.quorum.bootstrap.servers names several controllers'
  if (!roles.includes('controller')) return "without the role 'controller' in process.roles the controller is another node"
  return undefined
}

function nodeIdOf(properties: ReadonlyMap<string, string>): number {
  const text = properties.get('node.id') ?? properties.get('broker.id')
  if (text === undefined) throw missing('node.id')
  const nodeId = int('broker.id', text) ?? -1
  if (nodeId < 0) throw configException(`Invalid value ${nodeId} for configuration node.id: Value must be at least 0`)
  const brokerId = int('broker.id', properties.get('broker.id') ?? text)
  if (brokerId !== nodeId) throw configException('You must set `node.id` to the same value as `broker.id`.')
  return nodeId
}

function rolesOf(properties: ReadonlyMap<string, string>): readonly string[] {
  const text = properties.get('process.roles')
  if (text === undefined) throw missing('process.roles')
  const roles = listOf(text)
  if (roles.length === 0) throw configException(`Configuration 'process.roles' must not be empty. Valid values include: [${ROLES.join(', ')}]`)
  const unknown = roles.find((role) => !ROLES.includes(role))
  if (unknown !== undefined) throw configException(`Invalid value ${unknown} for configuration process.roles: String must be one of: ${ROLES.join(', ')}`)
  return roles
}

function listenersOf(text: string): Listener[] {
  return listOf(text).map((one) => {
    const parts = /^(.*):\/\/\[?([0-9a-zA-Z\-%._:]*)\]?:(-?[0-9]+)$/.exec(one)
    if (parts === null) throw illegalArgument(`Error creating broker listeners from '[${listOf(text).join(', ')}]': Unable to parse ${one} to a broker endpoint`)
    return { name: parts[1].toUpperCase(), host: parts[2], port: Number(parts[3]) }
  })
}

function voterId(voter: string): number {
  const id = integer(voter.split('@', 1)[0], 2n ** 31n)
  if (id === undefined || !/^[^@]+@.+:\d+$/.test(voter)) {
    throw configException(`Invalid value ${voter} for configuration controller.quorum.voters: Each entry should be in the form \`{id}@{host}:{port}\`.`)
  }
  return Number(id)
}

function int(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = integer(text, 2n ** 31n)
  if (value === undefined) throw configException(`Invalid value ${text} for configuration ${name}: Not a number of type INT`)
  return Number(value)
}

function listOf(text: string): string[] {
  return text.split(',').map((one) => one.trim()).filter((one) => one !== '')
}

function configException(message: string): JavaError {
  return new JavaError('org.apache.kafka.common.config.ConfigException', message)
}

function missing(name: string): JavaError {
  return configException(`Missing required configuration "${name}" which has no default value.`)
}

function requirement(message: string): JavaError {
  return illegalArgument(`requirement failed: ${message}`)
}
