// kafka-features (FeatureCommand of Apache Kafka 4.3).
//
// Until 3.2 it had actions, not commands: --describe, --upgrade-all and --downgrade-all, to the levels of its own release.

import { describeFeatures, updateFeatures, type FeatureUpdate } from '../../src/client/admin.ts'
import { ArgparseError, argparseError, HelpScreen, type Namespace, parseArguments, type Program } from '../../src/cli/apache/argparse.ts'
import type { Face, FaceIo } from '../../src/cli/apache/face.ts'
import {
  defaultLevel, FEATURES, LATEST_PRODUCTION, METADATA_VERSION, metadataVersion, metadataVersionOf, type MetadataVersion,
} from '../../src/cli/apache/feature-levels.ts' // prettier-ignore
import { executionException, illegalArgument, JavaError, runtimeException, toJava } from '../../src/cli/apache/java-errors.ts'
import { integer } from '../../src/cli/apache/jopt.ts'
import { type Admin, openAdmin } from '../../src/cli/apache/open-admin.ts'
import { loadProperties } from '../../src/cli/apache/open-cluster.ts'

export { runFace } from '../../src/cli/apache/face.ts'

const CHANGE = [
  { flags: ['--metadata'], help: 'Old: the metadata.version to set, as 4.2-IV1.' },
  { flags: ['--release-version'], help: 'The release whose levels all features get, as 4.2.' },
  { flags: ['--feature'], action: 'append', help: 'A feature and its new level, as metadata.version=25. May be repeated.' },
] as const
const UNSAFE = { flags: ['--unsafe'], action: 'storeTrue', help: 'Even where metadata may be lost.' } as const
const DRY_RUN = { flags: ['--dry-run'], action: 'storeTrue', help: 'Only say whether it would be done.' } as const

const PROGRAM: Program = {
  prog: 'kafka-features',
  description: 'Show and change the levels of the features of a cluster.',
  hasDefaultsInHelp: true,
  groups: { bootstrap: { isMutex: true } },
  arguments: [
    { flags: ['--bootstrap-server'], group: 'bootstrap', help: 'Brokers to ask first, HOST:PORT[,…].' },
    { flags: ['--bootstrap-controller'], group: 'bootstrap', help: 'Controllers to ask first, HOST:PORT[,…].' },
    { flags: ['--command-config'], help: 'A file of client properties.' },
  ],
  commands: {
    describe: {
      help: 'Show the levels.',
      arguments: [{ flags: ['--node-id'], type: 'Integer', help: 'The node to ask.' }],
    },
    upgrade: { help: 'Raise levels.', arguments: [...CHANGE, DRY_RUN] },
    downgrade: { help: 'Lower levels.', arguments: [...CHANGE, UNSAFE, DRY_RUN] },
    disable: {
      help: 'Set levels to 0.',
      arguments: [{ flags: ['--feature'], action: 'append', help: 'A feature. May be repeated.' }, UNSAFE, DRY_RUN],
    },
    'version-mapping': {
      help: 'Print the levels of a release.',
      arguments: [{ flags: ['--release-version'], help: `The release; ${LATEST_PRODUCTION} when left out.` }],
    },
    'feature-dependencies': {
      help: 'Print what levels of features need.',
      arguments: [{ flags: ['--feature'], action: 'append', isRequired: true, help: 'A feature and its level, as share.version=1. May be repeated.' }],
    },
  },
}

export const face: Face = async (argv, io) => {
  try {
    const options = parseArguments(PROGRAM, withCommand(argv), io)
    if (options.command === 'version-mapping') versionMapping(options.string('release_version') ?? LATEST_PRODUCTION, io)
    else if (options.command === 'feature-dependencies') dependencies(options.strings('feature') ?? [], io)
    else await withCluster(options, io)
    return 0
  } catch (error) {
    if (error instanceof HelpScreen) {
      io.out(error.help)
      return 0
    }
    io.err(error instanceof ArgparseError ? `Command line error: ${error.message}. Type --help for help.` : `${toJava(error).message}\n`)
    return 1
  }
}

const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  '--describe': ['describe'],
  '--upgrade-all': ['upgrade', '--release-version', LATEST_PRODUCTION],
  '--downgrade-all': ['downgrade', '--release-version', LATEST_PRODUCTION],
}

/** Words of a release until 3.2 in today's order. */
function withCommand(argv: readonly string[]): readonly string[] {
  const action = argv.find((word) => word in ACTIONS)
  if (action === undefined) return argv
  const isForCommand = (word: string): boolean => word === '--dry-run'
  const rest = argv.filter((word) => word !== action && word !== '--from-controller' && !isForCommand(word))
  return [...rest, ...ACTIONS[action], ...argv.filter(isForCommand)]
}

async function withCluster(options: Namespace, io: FaceIo): Promise<void> {
  const properties = await loadProperties(options.string('command_config'))
  const bootstrapServer = options.string('bootstrap_server')
  const bootstrapController = options.string('bootstrap_controller')
  if (bootstrapServer === undefined && bootstrapController === undefined) {
    throw argparseError(PROGRAM, 'You must specify either --bootstrap-controller or --bootstrap-server.', io)
  }
  const admin = await openAdmin(io, { bootstrapServer, bootstrapController, properties })
  try {
    if (options.command === 'describe') await describe(admin, options.number('node_id'), io)
    else await change(admin, options, io)
  } finally {
    await admin.close()
  }
}

async function describe(admin: Admin, node: number | undefined, io: FaceIo): Promise<void> {
  if (node !== undefined && node < 0) throw illegalArgument(`Invalid node id ${node}: must be non-negative.`)
  const asked = admin.call('describeFeatures', (cluster) => describeFeatures(cluster, { node: admin.isController ? 'any' : node }))
  const { features, epoch } = await asked.catch((error: unknown) => {
    throw executionException(error)
  })
  for (const { name, minLevel, maxLevel, finalizedLevel } of features) {
    const [min, max, level] = [minLevel, maxLevel, finalizedLevel].map((each) => levelText(name, each).padEnd(15))
    io.out(
      `Feature: ${name.padEnd(40)}  SupportedMinVersion: ${min}  SupportedMaxVersion: ${max}  ` +
        `FinalizedVersionLevel: ${level}  Epoch: ${epoch < 0 ? '-' : epoch}\n`,
    )
  }
}

function levelText(feature: string, level: number): string {
  return feature === METADATA_VERSION ? (metadataVersionOf(level)?.name ?? `UNKNOWN ${level}`) : String(level)
}

async function change(admin: Admin, options: Namespace, io: FaceIo): Promise<void> {
  const verb = options.command ?? ''
  const type = verb === 'upgrade' ? 'upgrade' : options.has('unsafe') ? 'unsafeDowngrade' : 'safeDowngrade'
  const levels = verb === 'disable' ? disabled(options.strings('feature') ?? []) : wantedLevels(options, type, io)
  if (levels.size === 0) throw runtimeException(`You must specify at least one feature to ${verb}`)
  const updates = [...levels].map(([name, level]): FeatureUpdate => ({ name, level, type }))
  if (updates.some(({ name }) => name.trim() === '')) throw illegalArgument('Provided feature can not be empty.')
  const validateOnly = options.has('dry_run')
  const node = admin.isController ? 'any' : 'controller'
  const refusals = await admin.call('updateFeatures', (cluster) => updateFeatures(cluster, updates, { validateOnly, node })).then(
    (results) => new Map([...results].map(([name, result]) => [name, result.ok ? undefined : result.error.message])),
    (error: unknown) => new Map(updates.map(({ name }) => [name, toJava(error).message])),
  )
  let failures = 0
  for (const [name, refusal] of [...refusals].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const level = levels.get(name) ?? 0
    if (refusal === undefined) {
      io.out(`${name}${validateOnly ? ' can be ' : ' was '}${verb === 'disable' ? 'disabled' : `${verb}d to ${level}`}.\n`)
      continue
    }
    failures++
    const what = verb === 'disable' ? `disable ${name}` : `${verb} ${name} to ${level}`
    io.out(`${validateOnly ? 'Can not' : 'Could not'} ${what}. ${refusal}\n`)
  }
  if (failures > 0) throw runtimeException(`${failures} out of ${updates.length} operation(s) failed.`)
}

function wantedLevels(options: Namespace, type: FeatureUpdate['type'], io: FaceIo): Map<string, number> {
  const release = options.string('release_version')
  const metadata = options.string('metadata')
  const features = options.strings('feature')
  const levels = new Map<string, number>()
  if (release !== undefined) {
    if (metadata !== undefined || features !== undefined) throw runtimeException('Can not specify `release-version` with other feature flags.')
    const version = metadataVersion(release)
    levels.set(METADATA_VERSION, version.level)
    for (const feature of FEATURES) {
      const level = defaultLevel(feature, version)
      if (type !== 'upgrade' || level > 0) levels.set(feature.name, level)
    }
    return levels
  }
  if (metadata !== undefined) {
    io.out(' `metadata` flag is deprecated and may be removed in a future release.\n')
    levels.set(METADATA_VERSION, metadataVersion(metadata).level)
  }
  for (const text of features ?? []) {
    const [name, level] = nameAndLevel(text)
    if (level < 0) throw illegalArgument('Cannot specify a negative version level.')
    if (level === 0 && type === 'upgrade') {
      throw illegalArgument('The upgradeType flag should be set to SAFE_DOWNGRADE or UNSAFE_DOWNGRADE when the provided maxVersionLevel:0 is < 1.')
    }
    if (levels.has(name)) throw runtimeException(`Feature ${name} was specified more than once.`)
    levels.set(name, level)
  }
  return levels
}

function disabled(features: readonly string[]): Map<string, number> {
  const twice = features.find((name, index) => features.indexOf(name) !== index)
  if (twice !== undefined) throw runtimeException(`Feature ${twice} was specified more than once.`)
  return new Map(features.map((name) => [name, 0]))
}

function nameAndLevel(text: string): [string, number] {
  const equals = text.indexOf('=')
  if (equals < 0) throw runtimeException(`Can't parse feature=level string ${text}: equals sign not found.`)
  const level = text.slice(equals + 1).trim()
  const number = integer(level, 2n ** 15n)
  if (number === undefined) throw runtimeException(`Can't parse feature=level string ${text}: unable to parse ${level} as a short.`)
  return [text.slice(0, equals).trim(), Number(number)]
}

function versionMapping(release: string, io: FaceIo): void {
  const version = metadataVersion(release)
  io.out(`${METADATA_VERSION}=${version.level} (${release})\n`)
  for (const feature of FEATURES) io.out(`${feature.name}=${defaultLevel(feature, version)}\n`)
}

function dependencies(features: readonly string[], io: FaceIo): void {
  for (const text of features) {
    const [name, level] = nameAndLevel(text)
    const isMetadata = name === METADATA_VERSION
    const version = isMetadata ? metadataVersionOf(level) : undefined
    if (isMetadata && version === undefined) throw runtimeException(`Unknown ${METADATA_VERSION} ${level}`)
    const needs = Object.entries(isMetadata ? {} : needsOf(name, level))
    io.out(`${name}=${level}${version === undefined ? '' : ` (${version.name})`} ${needs.length === 0 ? 'has no dependencies.' : 'requires:'}\n`)
    for (const [other, least] of needs) io.out(`    ${other}=${least}${other === METADATA_VERSION ? ` (${nameOf(metadataVersionOf(least))})` : ''}\n`)
  }
}

function needsOf(name: string, level: number): Readonly<Record<string, number>> {
  const feature = FEATURES.find((each) => each.name === name)
  if (feature === undefined) throw runtimeException(`Unknown feature: ${name}`)
  if (level < 0 || level > feature.since.length) throw new JavaError('java.lang.IllegalArgumentException', `No feature:${name} with feature level ${level}`)
  return feature.needs?.[level] ?? {}
}

function nameOf(version: MetadataVersion | undefined): string {
  return version?.name ?? ''
}
