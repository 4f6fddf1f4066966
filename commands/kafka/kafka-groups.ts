// kafka-groups (GroupsCommand of Apache Kafka 4.3; there is none before 4.0).

import type { GroupListing } from '../../src/client/admin.ts'
import type { Cluster } from '../../src/client/cluster.ts'
import { type Face, type FaceIo, traceOf, printTrace } from '../../src/cli/apache/face.ts'
import { groupListings } from '../../src/cli/apache/group-listings.ts'
import { illegalArgument, JavaError, toJava } from '../../src/cli/apache/java-errors.ts'
import { widest } from '../../src/cli/apache/java-text.ts'
import { checkInvalid, DEFAULT_OPTIONS, type Jopt, maybeHelp, parseOrUsage } from '../../src/cli/apache/jopt.ts'
import { logLine } from '../../src/cli/apache/log4j.ts'
import { loadProperties, openCluster } from '../../src/cli/apache/open-cluster.ts'

export { runFace } from '../../src/cli/apache/face.ts'

const OPTIONS = {
  ...DEFAULT_OPTIONS,
  'bootstrap-server': { arg: 'required', isRequired: true, describedAs: 'server to connect to', help: 'REQUIRED: the broker to ask first, HOST:PORT.' },
  'command-config': { arg: 'required', describedAs: 'command config property file', help: 'A file of client properties.' },
  list: { help: 'List the groups.' },
  'group-type': { arg: 'required', describedAs: 'type', help: 'Only groups of this type: classic, consumer, share or streams.' },
  protocol: { arg: 'required', describedAs: 'protocol', help: 'Only groups of this protocol.' },
  consumer: { help: 'Only groups of consumers, classic ones and those without members among them.' },
  share: { help: 'Only share groups.' },
  streams: { help: 'Only streams groups.' },
} as const

type Options = Jopt<keyof typeof OPTIONS>

const PURPOSE = 'This tool helps to list groups of all types.'
const TYPES = ['Consumer', 'Classic', 'Share', 'Streams']
/** As long as the tool waits for its list, whatever the client would do. */
const LIST_MS = 30_000

export const face: Face = async (argv, io) => {
  let options: Options
  let properties: ReadonlyMap<string, string>
  let bootstrapServer: string | undefined
  try {
    options = parsed(argv)
    properties = await loadProperties(options.value('command-config'))
    bootstrapServer = options.value('bootstrap-server')
  } catch (error) {
    if (!(error instanceof JavaError)) throw error
    printTrace(io, error)
    return 1
  }
  let cluster: Cluster | undefined
  try {
    cluster = await openCluster(io, { bootstrapServer, properties, clientId: 'adminclient-1', kind: 'KafkaAdminClient' })
    await list(cluster, options, io)
    return 0
  } catch (error) {
    const java = toJava(error)
    io.out(`Error while executing groups command : ${java.message === '' ? 'null' : java.message}\n`)
    logLine(io, 'ERROR', traceOf(java), 'org.apache.kafka.tools.GroupsCommand')
    return 1
  } finally {
    await cluster?.close()
  }
}

function parsed(argv: readonly string[]): Options {
  const options = parseOrUsage(OPTIONS, argv)
  maybeHelp(options, argv, PURPOSE)
  if (!options.has('list')) throw options.usage('Command must include exactly one action: --list.')
  if (options.has('group-type') && groupType(options) === undefined) throw illegalArgument('--group-type must be a valid group type.')
  checkInvalid(options, 'consumer', ['group-type', 'protocol', 'share', 'streams'])
  checkInvalid(options, 'share', ['consumer', 'group-type', 'protocol', 'streams'])
  checkInvalid(options, 'streams', ['consumer', 'group-type', 'protocol', 'share'])
  return options
}

function groupType(options: Options): string | undefined {
  const wanted = options.value('group-type')?.toLowerCase()
  return TYPES.find((type) => type.toLowerCase() === wanted)
}

async function list(cluster: Cluster, options: Options, io: FaceIo): Promise<void> {
  const groups = await groupsInTime(cluster)
  const isWanted = filter(options)
  const rows = groups.filter(isWanted).map(({ groupId, type, protocolType }) => [groupId, type, protocolType])
  const width = widest(20, rows.flat())
  io.out(`${['GROUP', 'TYPE', 'PROTOCOL'].map((word) => word.padEnd(width)).join(' ')}\n`)
  for (const row of rows) io.out(`${row.map((cell) => `${cell.padEnd(width)} `).join('')}\n`)
}

/** Future.get(30, SECONDS) gives up without a word. */
async function groupsInTime(cluster: Cluster): Promise<GroupListing[]> {
  const { defaultApiTimeoutMs } = cluster.config
  try {
    return await groupListings(cluster, { timeoutMs: Math.min(LIST_MS, defaultApiTimeoutMs) })
  } catch (error) {
    const isLate = error instanceof JavaError && error.className === 'org.apache.kafka.common.KafkaException'
    throw isLate && defaultApiTimeoutMs > LIST_MS ? new JavaError('java.util.concurrent.TimeoutException', '', { cause: error }) : error
  }
}

function filter(options: Options): (group: GroupListing) => boolean {
  const protocol = options.value('protocol')
  if (options.has('group-type')) {
    const wanted = groupType(options)
    return ({ type, protocolType }) => type === wanted && (protocol === undefined || protocolType === protocol)
  }
  if (protocol !== undefined) return ({ protocolType }) => protocolType === protocol
  if (options.has('consumer')) return ({ type, protocolType }) => ['consumer', ''].includes(protocolType) || type === 'Consumer'
  if (options.has('share')) return ({ type }) => type === 'Share'
  if (options.has('streams')) return ({ type }) => type === 'Streams'
  return () => true
}
