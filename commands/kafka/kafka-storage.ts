// kafka-storage (StorageTool of Apache Kafka 4.3). It formats for one node alone: what names another is refused before a
// byte is written, which is the one difference.

import { join, normalize } from 'node:path'
import { randomUuid } from '../../src/base/uuid.ts'
import { argparseExit, ArgparseError, type Argument, HelpScreen, type Namespace, parseArguments, type Program } from '../../src/cli/apache/argparse.ts'
import type { Face, FaceIo } from '../../src/cli/apache/face.ts'
import { defaultLevel, FEATURES, LATEST_PRODUCTION, METADATA_VERSION, METADATA_VERSIONS, type MetadataVersion, metadataVersion, metadataVersionOf } from '../../src/cli/apache/feature-levels.ts'
import { illegalArgument, JavaError, runtimeException } from '../../src/cli/apache/java-errors.ts'
import { inHashOrder, stringHash } from '../../src/cli/apache/java-hash.ts'
import { integer } from '../../src/cli/apache/jopt.ts'
import { type Bootstrap, bootstrapOf, bootstrapText, featureLevels, formatDirectory, type Voter } from '../../src/cli/offline/format-storage.ts'
import { FormatterError } from '../../src/cli/offline/formatter-error.ts'
import { kindOf, loadEnsemble, type MetaProperties, readMetaProperties, verifyEnsemble } from '../../src/cli/offline/meta-properties-files.ts'
import { foreignMetadata } from '../../src/cli/offline/metadata-nodes.ts'
import { scramRecord } from '../../src/cli/offline/scram-argument.ts'
import { otherNodes, readServerProperties, type ServerConfig, serverConfig } from '../../src/cli/offline/server-config.ts'

export { runFace } from '../../src/cli/apache/face.ts'

const CONFIG: Argument = { flags: ['--config', '-c'], isRequired: true, help: "The server's properties." }
const RELEASE: Argument = { flags: ['--release-version', '-r'], help: `The release whose features are meant; ${LATEST_PRODUCTION} when left out.` }

const PROGRAM: Program = {
  prog: 'kafka-storage',
  description: 'The Kafka storage tool.',
  fromFilePrefix: '@',
  hasDefaultsInHelp: true,
  arguments: [],
  commands: {
    info: { help: 'Look at the log directories of this node.', arguments: [CONFIG] },
    format: {
      help: 'Format the log directories of this node.',
      groups: { quorum: { isMutex: true } },
      arguments: [
        CONFIG,
        { flags: ['--cluster-id', '-t'], isRequired: true, help: 'The id of the cluster.' },
        { flags: ['--add-scram', '-S'], action: 'append', help: "A user: 'SCRAM-SHA-256=[name=alice,password=alice-secret]'." },
        { flags: ['--ignore-formatted', '-g'], action: 'storeTrue', help: 'Leave alone what is formatted.' },
        RELEASE,
        { flags: ['--feature', '-f'], action: 'append', help: 'The level of a feature: kraft.version=1.' },
        { flags: ['--standalone', '-s'], group: 'quorum', action: 'storeTrue', help: 'This controller is the whole quorum, which can grow.' },
        { flags: ['--no-initial-controllers', '-N'], group: 'quorum', action: 'storeTrue', help: 'Name no controllers.' },
        { flags: ['--initial-controllers', '-I'], group: 'quorum', help: 'id@host:port:directory of each controller, with commas.' },
      ],
    },
    'version-mapping': { help: 'The features that go with a release.', arguments: [RELEASE] },
    'feature-dependencies': {
      help: 'What levels of features need.',
      arguments: [{ flags: ['--feature', '-f'], action: 'append', isRequired: true, help: 'feature=level.' }],
    },
    'random-uuid': { help: 'Print a random id.', arguments: [] },
  },
}

export const face: Face = async (argv, io) => {
  try {
    return await run(parseArguments(PROGRAM, argv, io), io)
  } catch (error) {
    if (error instanceof ArgparseError || error instanceof HelpScreen) throw argparseExit(error)
    if (!(error instanceof FormatterError)) throw error
    io.err(`${error.message}\n`)
    return 1
  }
}

async function run(options: Namespace, io: FaceIo): Promise<number> {
  switch (options.command) {
    case 'info':
      return await info(await configOf(options), io)
    case 'format':
      await format(options, await configOf(options), io)
      return 0
    case 'version-mapping':
      versionMapping(options.string('release_version') ?? LATEST_PRODUCTION, io)
      return 0
    case 'feature-dependencies':
      for (const feature of options.strings('feature') ?? []) io.out(dependencies(feature))
      return 0
    default:
      io.out(`${kafkaUuid()}\n`)
      return 0
  }
}

async function configOf(options: Namespace): Promise<ServerConfig> {
  return serverConfig(await readServerProperties(options.string('config') ?? ''))
}

/** Uuid.randomUuid: none that an option could be taken for. */
function kafkaUuid(): string {
  let id = randomUuid()
  while (id.startsWith('-')) id = randomUuid()
  return id
}

async function info({ logDirs }: ServerConfig, io: FaceIo): Promise<number> {
  const problems: string[] = []
  const found: string[] = []
  let first: MetaProperties | undefined
  for (const directory of logDirs.map((one) => normalize(one).replace(/(?<=.)\/$/, ''))) {
    const kind = await kindOf(directory)
    if (kind !== 'directory') {
      problems.push(kind === 'nothing' ? `${directory} does not exist` : `${directory} is not a directory`)
      continue
    }
    found.push(directory)
    try {
      const meta = await readMetaProperties(directory)
      if (first !== undefined && first.clusterId !== meta.clusterId) problems.push('Mismatched cluster IDs between storage directories.')
      else if (first !== undefined && first.nodeId !== meta.nodeId) problems.push('Mismatched node IDs between storage directories.')
      first ??= meta
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') problems.push(`${directory} is not formatted.`)
      else problems.push(`Error loading ${join(directory, 'meta.properties')}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  if (first?.version === '0') {
    problems.push('The kafka configuration file appears to be for a cluster in KRaft mode, but the directories are formatted for legacy mode.')
  }
  const listed = (lines: readonly string[]): string => lines.map((line) => `  ${line}\n`).join('')
  if (found.length > 0) io.out(`Found log director${found.length === 1 ? 'y' : 'ies'}:\n${listed(found)}\n`)
  if (first !== undefined) io.out(`Found metadata: {${metaText(first)}}\n\n`)
  if (problems.length > 0) io.out(`Found problem${problems.length === 1 ? '' : 's'}:\n${listed(problems)}\n`)
  return problems.length > 0 ? 1 : 0
}

function metaText({ version, clusterId, nodeId, directoryId }: MetaProperties): string {
  const entries: readonly (readonly [string, string | number | undefined])[] = [
    [version === '0' ? 'broker.id' : '', nodeId],
    ['cluster.id', clusterId],
    ['directory.id', directoryId],
    [version === '1' ? 'node.id' : '', nodeId],
    ['version', version],
  ]
  return entries.filter(([name, value]) => name !== '' && value !== undefined).map(([name, value]) => `${name}=${value}`).join(', ')
}

async function format(options: Namespace, config: ServerConfig, io: FaceIo): Promise<void> {
  const given = options.string('release_version')
  const wanted = given === undefined ? undefined : terse(() => productionVersion(given))
  const features = new Map((options.strings('feature') ?? []).map(nameAndLevel))
  const voters = votersOf(options, config)
  if (!options.has('no_initial_controllers') && config.roles.includes('controller') && config.voterIds.length === 0 && voters === undefined) {
    throw new FormatterError(
      'Because controller.quorum.voters is not set on this controller, you must specify one of the following: --standalone, ' +
        '--initial-controllers, or --no-initial-controllers.',
    )
  }
  const release = releaseOf(wanted, features)
  const levels = featureLevels(release, features, config.voterIds.length === 0)
  const scram = options.strings('add_scram') ?? []
  if (scram.length > 0 && release.level < FIRST_WITH_SCRAM) throw new FormatterError('SCRAM is only supported in metadata.version 3.5-IV2 or later.')
  const bootstrap = bootstrapOf(release, levels, scram.map(scramRecord))
  await formatDirectories(options, config, bootstrap, voters, io)
}

const FIRST_WITH_SCRAM = 11

/** MetadataVersion.fromVersionString for releases that are out. */
function productionVersion(text: string): MetadataVersion {
  const stable = METADATA_VERSIONS.slice(0, METADATA_VERSIONS.findIndex(({ name }) => name === LATEST_PRODUCTION) + 1)
  try {
    const found = metadataVersion(text)
    if (stable.includes(found)) return found
  } catch (error) {
    if (!(error instanceof JavaError)) throw error
  }
  throw illegalArgument(`Unknown metadata.version '${text}'. Supported metadata.version are: ${stable.map(({ name }) => name).join(', ')}`)
}

/** What `read` throws as Java's exceptions is said in one line. */
function terse<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof JavaError ? new FormatterError(error.message) : error
  }
}

function releaseOf(wanted: MetadataVersion | undefined, features: ReadonlyMap<string, number>): MetadataVersion {
  const level = features.get(METADATA_VERSION)
  if (level === undefined) return wanted ?? metadataVersion(LATEST_PRODUCTION)
  if (wanted !== undefined) throw new FormatterError('Use --release-version instead of --feature metadata.version=X to avoid ambiguity.')
  const found = metadataVersionOf(level)
  const last = METADATA_VERSIONS[METADATA_VERSIONS.length - 1]
  if (found === undefined) {
    throw illegalArgument(`No MetadataVersion with feature level ${level}. Valid feature levels are from ${METADATA_VERSIONS[0].level} to ${last.level}.`)
  }
  if (found.level > metadataVersion(LATEST_PRODUCTION).level) throw new FormatterError(`metadata.version ${found.name} is not yet stable.`)
  return found
}

function nameAndLevel(text: string): readonly [string, number] {
  const equals = text.indexOf('=')
  if (equals < 0) throw runtimeException(`Can't parse feature=level string ${text}: equals sign not found.`)
  const [name, levelText] = [text.slice(0, equals).trim(), text.slice(equals + 1).trim()]
  const level = integer(levelText, 2n ** 15n)
  if (level === undefined) throw runtimeException(`Can't parse feature=level string ${text}: unable to parse ${levelText} as a short.`)
  return [name, Number(level)]
}

/** The voters that the quorum begins with; undefined where the log names none. */
function votersOf(options: Namespace, config: ServerConfig): readonly Voter[] | undefined {
  const initial = options.string('initial_controllers')
  const isStandalone = options.has('standalone')
  if (config.voterIds.length > 0 && (initial !== undefined || isStandalone)) {
    throw new FormatterError(
      'You cannot specify controller.quorum.voters and format the node with --initial-controllers or --standalone. If you want to use ' +
        'dynamic quorum, please remove controller.quorum.voters and specify controller.quorum.bootstrap.servers instead.',
    )
  }
  if (initial !== undefined) return parseVoters(initial)
  if (!isStandalone) return undefined
  const { nodeId, roles, controllerEndpoint } = config
  if (!roles.includes('controller')) throw new FormatterError('You can only use --standalone on a controller.')
  if (controllerEndpoint === undefined) throw runtimeException('No controller listeners found.')
  return [{ nodeId, ...controllerEndpoint, directoryId: kafkaUuid() }]
}

function parseVoters(text: string): readonly Voter[] {
  const voters = text.trim().split(',').filter((one) => one !== '').map(parseVoter)
  if (voters.length === 0) throw illegalArgument('No voters given.')
  const twice = voters.find(({ nodeId }, index) => voters.findIndex((other) => other.nodeId === nodeId) < index)
  if (twice !== undefined) throw illegalArgument(`Node id ${twice.nodeId} was specified more than once.`)
  return voters.toSorted((a, b) => a.nodeId - b.nodeId)
}

/** DynamicVoter.parse: id@host:port:directory. */
function parseVoter(text: string): Voter {
  const input = text.trim()
  const at = input.indexOf('@')
  if (at < 0) throw illegalArgument('No @ found in dynamic voter string.')
  if (at === 0) throw illegalArgument('Invalid @ at beginning of dynamic voter string.')
  const nodeId = integer(input.slice(0, at), 2n ** 31n)
  if (nodeId === undefined) throw illegalArgument('Failed to parse node id in dynamic voter string.')
  if (nodeId < 0n) throw illegalArgument(`Invalid negative node id ${nodeId} in dynamic voter string.`)
  const place = input.slice(at + 1)
  if (place === '') throw illegalArgument('No hostname found after node id.')
  const isBracketed = place.startsWith('[')
  const hostEnd = place.indexOf(isBracketed ? ']' : ':')
  if (hostEnd < 0) throw illegalArgument(isBracketed ? 'Hostname began with left bracket, but no right bracket was found.' : 'No colon following hostname could be found.')
  const rest = place.slice(isBracketed ? hostEnd + 1 : hostEnd)
  if (!rest.startsWith(':')) throw illegalArgument('Port section must start with a colon.')
  const portEnd = rest.indexOf(':', 1)
  if (portEnd < 0) throw illegalArgument('No colon following port could be found.')
  const port = integer(rest.slice(1, portEnd), 2n ** 31n)
  if (port === undefined) throw illegalArgument('Failed to parse port in dynamic voter string.')
  if (port < 0n || port > 65535n) throw illegalArgument(`Invalid port ${port} in dynamic voter string.`)
  const directoryId = rest.slice(portEnd + 1)
  if (Buffer.from(directoryId, 'base64url').length !== 16) throw illegalArgument('Failed to parse directory ID in dynamic voter string.')
  return { nodeId: Number(nodeId), host: place.slice(isBracketed ? 1 : 0, hostEnd), port: Number(port), directoryId }
}

async function refuseOthers(config: ServerConfig, voters: readonly Voter[] | undefined): Promise<void> {
  const others = (voters ?? []).map(({ nodeId }) => nodeId).filter((id) => id !== config.nodeId)
  const reasons = [otherNodes(config), others.length > 0 ? `--initial-controllers names node ${others.join(', ')}` : undefined]
  for (const directory of config.logDirs) reasons.push(await foreignMetadata(directory, config.nodeId))
  const why = reasons.find((reason) => reason !== undefined)
  if (why !== undefined) throw new FormatterError(`ktool's broker runs alone: ${why}. Nothing was written.`)
}

async function formatDirectories(
  options: Namespace,
  config: ServerConfig,
  bootstrap: Bootstrap,
  voters: readonly Voter[] | undefined,
  io: FaceIo,
): Promise<void> {
  const clusterId = options.string('cluster_id') ?? ''
  const { nodeId, metadataLogDir, controllerListener } = config
  const ensemble = await loadEnsemble(config.logDirs)
  const { formatted, empty, unreadable } = ensemble
  verifyEnsemble(ensemble, clusterId, nodeId)
  await refuseOthers(config, voters)
  const first = [...formatted.keys()].at(0)
  if (first !== undefined && !options.has('ignore_formatted')) {
    throw new FormatterError(`Log directory ${first} is already formatted. Use --ignore-formatted to ignore this directory and format the others.`)
  }
  for (const directory of unreadable) io.out(`I/O error trying to read log directory ${directory}. Ignoring...\n`)
  if (unreadable.length > 0 && empty.length === 0 && formatted.size === 0) throw new FormatterError('No available log directories to format.')
  if (empty.length === 0) {
    io.out('All of the log directories are already formatted.\n')
    return
  }
  io.out(`Bootstrap metadata: ${bootstrapText(bootstrap)}\n`)
  for (const directory of inHashOrder(empty, stringHash)) {
    const isMetadata = directory === metadataLogDir
    const own = isMetadata ? voters?.find((voter) => voter.nodeId === nodeId) : undefined
    const kind = !isMetadata ? 'data' : voters === undefined ? 'metadata' : 'dynamic metadata voter'
    io.out(`Formatting ${kind} directory ${directory} with metadata.version ${bootstrap.release.name}.\n`)
    const meta = { version: '1', clusterId, nodeId, directoryId: own?.directoryId ?? kafkaUuid() }
    try {
      await formatDirectory(directory, meta, bootstrap, isMetadata && voters !== undefined ? { voters, listener: controllerListener } : undefined)
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error)) throw error
      throw new FormatterError(`Error while writing meta.properties file ${directory}: ${ioText(error)}`)
    }
  }
}

function ioText(error: Error & { readonly code?: unknown; readonly path?: unknown }): string {
  const path = typeof error.path === 'string' ? error.path : ''
  if (error.code === 'EACCES' || error.code === 'EPERM') return `java.nio.file.AccessDeniedException: ${path}`
  if (error.code === 'EEXIST') return `java.nio.file.FileAlreadyExistsException: ${path}`
  return `java.nio.file.FileSystemException: ${path}: ${error.message}`
}

function versionMapping(release: string, io: FaceIo): void {
  const version = terse(() => metadataVersion(release))
  io.out(`${METADATA_VERSION}=${version.level} (${release})\n`)
  for (const feature of FEATURES) io.out(`${feature.name}=${defaultLevel(feature, version)}\n`)
}

function dependencies(text: string): string {
  const equals = text.indexOf('=')
  if (equals < 0) throw new FormatterError(`Invalid feature format: ${text}. Expected format: 'feature=version' (e.g. 'group.version=1')`)
  const [name, levelText] = [text.slice(0, equals).trim(), text.slice(equals + 1).trim()]
  const parsed = integer(levelText, 2n ** 15n)
  if (parsed === undefined) throw new FormatterError(`Invalid version format: ${levelText} for feature ${name}`)
  const level = Number(parsed)
  if (name === METADATA_VERSION) {
    const version = metadataVersionOf(level)
    if (version === undefined) throw new FormatterError(`Unknown metadata.version ${level}`)
    return `${name}=${level} (${version.name}) has no dependencies.\n`
  }
  const feature = FEATURES.find((one) => one.name === name)
  if (feature === undefined) throw new FormatterError(`Unknown feature: ${name}`)
  if (level < 0 || level > feature.since.length) throw new FormatterError(`Feature level ${level} is not supported for feature ${name}`)
  const needs = Object.entries(feature.needs?.[level] ?? {})
  if (needs.length === 0) return `${name}=${level} has no dependencies.\n`
  const lines = needs.map(([other, least]) => `    ${other}=${least}${other === METADATA_VERSION ? ` (${metadataVersionOf(least)?.name ?? ''})` : ''}\n`)
  return `${name}=${level} requires:\n${lines.join('')}`
}
