// kafka-metadata-quorum (MetadataQuorumCommand of Apache Kafka 4.3).

import { join } from 'node:path'
import { systemClock } from '../../src/base/clock.ts'
import { addRaftVoter, describeCluster, describeQuorum, removeRaftVoter, type QuorumReplica } from '../../src/client/admin.ts'
import { readPropertiesFile } from '../../src/client/properties-file.ts'
import { ArgparseError, argparseExit, HelpScreen, type Namespace, parseArguments, type Program } from '../../src/cli/apache/argparse.ts'
import { type Face, type FaceIo, traceOf } from '../../src/cli/apache/face.ts'
import { executionException, JavaError, toJava } from '../../src/cli/apache/java-errors.ts'
import { tableText } from '../../src/cli/apache/java-text.ts'
import { integer } from '../../src/cli/apache/jopt.ts'
import { type Admin, openAdmin } from '../../src/cli/apache/open-admin.ts'
import { loadProperties } from '../../src/cli/apache/open-cluster.ts'

export { runFace } from '../../src/cli/apache/face.ts'

const DRY_RUN = { flags: ['--dry-run'], action: 'storeTrue', help: 'Only say what would be done.' } as const

const PROGRAM: Program = {
  prog: 'kafka-metadata-quorum',
  description: 'Show and change the quorum of controllers.',
  hasDefaultsInHelp: true,
  groups: { bootstrap: { isMutex: true, isRequired: true } },
  arguments: [
    { flags: ['--bootstrap-server'], group: 'bootstrap', help: 'Brokers to ask first, HOST:PORT[,…].' },
    { flags: ['--bootstrap-controller'], group: 'bootstrap', help: 'Controllers to ask first, HOST:PORT[,…].' },
    { flags: ['--command-config'], help: 'A file of client properties; for add-controller the properties of the controller too.' },
  ],
  commands: {
    describe: {
      help: 'Show the quorum.',
      groups: { status: { title: 'Status' }, replication: { title: 'Replication' } },
      arguments: [
        { flags: ['--status'], action: 'storeTrue', group: 'status', help: 'Who leads, and who votes.' },
        { flags: ['--replication'], action: 'storeTrue', group: 'replication', help: 'How far each node is.' },
        { flags: ['--human-readable'], action: 'storeTrue', group: 'replication', help: 'Ages, not times.' },
      ],
    },
    'add-controller': { help: 'Add a controller to the voters.', arguments: [DRY_RUN] },
    'remove-controller': {
      help: 'Take a controller from the voters.',
      arguments: [
        { flags: ['--controller-id', '-i'], type: 'Integer', isRequired: true, help: 'Its id.' },
        { flags: ['--controller-directory-id', '-d'], isRequired: true, help: 'The id of its metadata directory.' },
        DRY_RUN,
      ],
    },
  },
}

/** The message is all that the tool says of it. */
class Terse extends Error {
  override readonly name = 'Terse'
}

export const face: Face = async (argv, io) => {
  try {
    await run(parseArguments(PROGRAM, argv, io), io)
    return 0
  } catch (error) {
    if (error instanceof HelpScreen || error instanceof ArgparseError) throw argparseExit(error)
    io.err(error instanceof Terse ? `${error.message}\n` : `${toJava(error).message}\n${traceOf(error)}\n`)
    return 1
  }
}

async function run(options: Namespace, io: FaceIo): Promise<void> {
  const config = options.string('command_config')
  const properties = await loadProperties(config).catch((error: unknown) => {
    const isAbsent = error instanceof JavaError && error.className.endsWith('.NoSuchFileException')
    throw isAbsent ? new Terse(`Properties file ${config ?? ''} does not exists!`) : error
  })
  const admin = await openAdmin(io, {
    bootstrapServer: options.string('bootstrap_server'),
    bootstrapController: options.string('bootstrap_controller'),
    properties,
  })
  try {
    if (options.command === 'describe') await describe(admin, options, io)
    else if (options.command === 'remove-controller') await removeController(admin, options, io)
    else if (config === undefined) throw new Terse('You must supply the configuration file of the controller you are adding when using add-controller.')
    else await addController(admin, properties, options.has('dry_run'), io)
  } finally {
    await admin.close()
  }
}

async function describe(admin: Admin, options: Namespace, io: FaceIo): Promise<void> {
  const [isStatus, isReplication, isHuman] = ['status', 'replication', 'human_readable'].map((dest) => options.has(dest))
  if (isStatus && isReplication) throw new Terse('Only one of --status or --replication should be specified with describe sub-command')
  if (isReplication) return describeReplication(admin, isHuman, io)
  if (!isStatus) throw new Terse('One of --status or --replication must be specified with describe sub-command')
  if (isHuman) throw new Terse('The option --human-readable is only supported along with --replication')
  return describeStatus(admin, io)
}

async function describeReplication(admin: Admin, isHuman: boolean, io: FaceIo): Promise<void> {
  const { leaderId, voters, observers } = await executed(admin.call('describeMetadataQuorum', describeQuorum))
  const leader = leaderOf(leaderId, voters)
  const now = systemClock.now()
  const rows = (replicas: readonly QuorumReplica[], status: string): string[][] =>
    replicas.map(({ replicaId, directoryId, logEndOffset, lastFetchTimestamp, lastCaughtUpTimestamp }) => [
      String(replicaId),
      directoryId,
      String(logEndOffset),
      String(leader.logEndOffset - logEndOffset),
      timeText(lastFetchTimestamp, isHuman, now, 'last fetch'),
      timeText(lastCaughtUpTimestamp, isHuman, now, 'last caught up'),
      status,
    ])
  const headings = ['NodeId', 'DirectoryId', 'LogEndOffset', 'Lag', 'LastFetchTimestamp', 'LastCaughtUpTimestamp', 'Status']
  const followers = voters.filter((voter) => voter !== leader)
  io.out(tableText(headings, [...rows([leader], 'Leader'), ...rows(followers, 'Follower'), ...rows(observers, 'Observer')]))
}

function timeText(at: number, isHuman: boolean, now: number, what: string): string {
  if (at === -1 || !isHuman) return String(at)
  if (at > 0 && at <= now) return `${now - at} ms ago`
  const drift = `Error while computing relative time, possible drift in system clock.\nCurrent timestamp is ${now}, ${what} timestamp is ${at}`
  throw new JavaError('org.apache.kafka.common.KafkaException', drift)
}

async function describeStatus(admin: Admin, io: FaceIo): Promise<void> {
  const { clusterId } = await executed(admin.call('listNodes', (cluster) => describeCluster(cluster, { ofControllers: admin.isController })))
  const { leaderId, leaderEpoch, highWatermark, voters, observers } = await executed(admin.call('describeMetadataQuorum', describeQuorum))
  const leader = leaderOf(leaderId, voters)
  const last = voters.reduce((least, voter) => (voter.logEndOffset < least.logEndOffset ? voter : least))
  const isKnown = leader.lastCaughtUpTimestamp !== -1 && last.lastCaughtUpTimestamp !== -1
  const lines = [
    ['ClusterId:', clusterId],
    ['LeaderId:', leaderId],
    ['LeaderEpoch:', leaderEpoch],
    ['HighWatermark:', highWatermark],
    ['MaxFollowerLag:', leader.logEndOffset - last.logEndOffset],
    ['MaxFollowerLagTimeMs:', last === leader ? 0 : isKnown ? leader.lastCaughtUpTimestamp - last.lastCaughtUpTimestamp : -1],
    ['CurrentVoters:', replicasText(voters)],
    ['CurrentObservers:', replicasText(observers)],
  ] as const
  io.out(lines.map(([label, value]) => `${label.padEnd(24)}${value ?? 'null'}\n`).join(''))
}

/** The leader is one of the voters; Java's Optional.get fails where it is not. */
function leaderOf(leaderId: number, voters: readonly QuorumReplica[]): QuorumReplica {
  const leader = voters.find(({ replicaId }) => replicaId === leaderId)
  if (leader === undefined) throw new JavaError('java.util.NoSuchElementException', 'No value present')
  return leader
}

function replicasText(replicas: readonly QuorumReplica[]): string {
  const texts = replicas.map(({ replicaId, directoryId, endpoints }) => {
    const directory = directoryId === ZERO_UUID ? '' : `, "directoryId": "${directoryId}"`
    const at = endpoints.length === 0 ? '' : `, "endpoints": [${endpoints.map((endpoint) => `"${endpointText(endpoint)}"`).join(', ')}]`
    return `{"id": ${replicaId}${directory}${at}}`
  })
  return `[${texts.join(', ')}]`
}

function endpointText({ name, host, port }: Endpoint): string {
  return `${name}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

interface Endpoint {
  readonly name: string
  readonly host: string
  readonly port: number
}

async function addController(admin: Admin, properties: ReadonlyMap<string, string>, isDryRun: boolean, io: FaceIo): Promise<void> {
  const id = controllerId(properties)
  const directoryId = await metadataDirectoryId(metadataDirectory(properties))
  const endpoints = controllerEndpoints(properties)
  if (!isDryRun) await executed(admin.call('addRaftVoter', (cluster) => addRaftVoter(cluster, { id, directoryId, endpoints })))
  io.out(`${isDryRun ? 'DRY RUN of adding' : 'Added'} controller ${id} with directory id ${directoryId} and endpoints: ${endpoints.map(endpointText).join(', ')}\n`)
}

const IS_IT = 'Is this a valid controller configuration file?'

function controllerId(properties: ReadonlyMap<string, string>): number {
  const text = properties.get('node.id')
  if (text === undefined) throw new Terse(`node.id not found in configuration file. ${IS_IT}`)
  const id = integer(text, 2n ** 31n)
  if (id === undefined) throw new JavaError('java.lang.NumberFormatException', `For input string: "${text}"`)
  if (id < 0n) throw new Terse(`node.id was negative in configuration file. ${IS_IT}`)
  if (properties.get('process.roles')?.includes('controller') !== true) {
    throw new Terse(`process.roles did not contain 'controller' in configuration file. ${IS_IT}`)
  }
  return Number(id)
}

function metadataDirectory(properties: ReadonlyMap<string, string>): string {
  const found = properties.get('metadata.log.dir') ?? properties.get('log.dirs')?.trim().split(',').at(0)
  if (found === undefined) throw new Terse(`Neither metadata.log.dir nor log.dirs were found. ${IS_IT}`)
  return found
}

async function metadataDirectoryId(directory: string): Promise<string> {
  const properties = await readPropertiesFile(join(directory, 'meta.properties')).catch(() => undefined)
  if (properties === undefined) throw new Terse(`Unable to read meta.properties from ${directory}`)
  const id = properties.get('directory.id')
  if (id === undefined) throw new Terse(`No directory id found in ${directory}`)
  return id
}

/** Those of the controller's listeners, as advertised where they are. */
function controllerEndpoints(properties: ReadonlyMap<string, string>): Endpoint[] {
  const listeners = new Map([...listenersIn(properties.get('listeners')), ...listenersIn(properties.get('advertised.listeners'))])
  const names = properties.get('controller.listener.names')
  if (names === undefined) throw new Terse(`controller.listener.names was not found. ${IS_IT}`)
  return names.split(',').map((name) => {
    const endpoint = listeners.get(name.toUpperCase())
    if (endpoint === undefined) throw new Terse(`Cannot find information about controller listener name: ${name.toUpperCase()}`)
    return endpoint
  })
}

function listenersIn(text = ''): [string, Endpoint][] {
  const entries = text.split(',').map((entry) => entry.trim()).filter((entry) => entry !== '')
  return entries.map((entry) => {
    const match = /^(.*):\/\/\[?([0-9a-zA-Z\-%._:]*)\]?:(-?[0-9]+)$/.exec(entry)
    if (match === null) throw new JavaError('org.apache.kafka.common.KafkaException', `Unable to parse ${entry} to a broker endpoint`)
    const name = match[1].toUpperCase()
    return [name, { name, host: match[2] === '' ? 'localhost' : match[2], port: Number(match[3]) }]
  })
}

async function removeController(admin: Admin, options: Namespace, io: FaceIo): Promise<void> {
  const id = options.number('controller_id') ?? 0
  if (id < 0) throw new Terse(`Invalid negative --controller-id: ${id}`)
  const directoryId = directoryIdOf(options.string('controller_directory_id') ?? '')
  const isDryRun = options.has('dry_run')
  if (!isDryRun) await executed(admin.call('removeRaftVoter', (cluster) => removeRaftVoter(cluster, { id, directoryId })))
  io.out(`${isDryRun ? 'DRY RUN of removing ' : 'Removed '} KRaft controller ${id} with directory id ${directoryId}\n`)
}

/** Uuid.fromString. */
function directoryIdOf(text: string): string {
  const refused = (why: string): Terse => new Terse(`Failed to parse --controller-directory-id: ${why}`)
  if (text.length > 24) throw refused(`Input string with prefix \`${text.slice(0, 24)}\` is too long to be decoded as a base64 UUID`)
  const stray = /[^\w-]/.exec(text.replace(/={1,2}$/, ''))?.[0]
  if (stray !== undefined) throw refused(`Illegal base64 character ${(stray.codePointAt(0) ?? 0).toString(16)}`)
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length === 16) return bytes.toString('base64url')
  throw refused(`Input string \`${text}\` decoded as ${bytes.length} bytes, which is not equal to the expected 16 bytes of a base64-encoded UUID`)
}

async function executed<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw executionException(error)
  }
}
