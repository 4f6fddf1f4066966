// kafka-cluster (ClusterTool of Apache Kafka 4.3). `-c` was short for --config until 4.1.

import { describeCluster, unregisterBroker } from '../../src/client/admin.ts'
import { ArgparseError, type Argument, HelpScreen, type Namespace, parseArguments, type Program } from '../../src/cli/apache/argparse.ts'
import { type Face, FaceExit, type FaceIo, printTrace } from '../../src/cli/apache/face.ts'
import { executionException, illegalArgument, JavaError, toJava } from '../../src/cli/apache/java-errors.ts'
import { logLine } from '../../src/cli/apache/log4j.ts'
import { type Admin, openAdmin } from '../../src/cli/apache/open-admin.ts'
import { loadProperties } from '../../src/cli/apache/open-cluster.ts'

export { runFace } from '../../src/cli/apache/face.ts'

const CONNECTION: readonly Argument[] = [
  { flags: ['--bootstrap-server', '-b'], group: 'bootstrap', help: 'Brokers to ask first, HOST:PORT[,…].' },
  { flags: ['--bootstrap-controller', '-C'], group: 'bootstrap', help: 'Controllers to ask first, HOST:PORT[,…].' },
  { flags: ['--config'], help: 'Old: a file of client properties.' },
  { flags: ['--command-config', '-c'], help: 'A file of client properties.' },
]
const GROUPS = { bootstrap: { isMutex: true, isRequired: true } }

const PROGRAM: Program = {
  prog: 'kafka-cluster',
  description: 'Show a cluster, and have it forget brokers.',
  hasDefaultsInHelp: true,
  arguments: [],
  commands: {
    'cluster-id': { help: 'Print the id of the cluster.', groups: GROUPS, arguments: CONNECTION },
    unregister: {
      help: 'Have the cluster forget a broker.',
      groups: GROUPS,
      arguments: [...CONNECTION, { flags: ['--id', '-i'], type: 'Integer', isRequired: true, help: 'The broker.' }],
    },
    'list-endpoints': {
      help: 'Print the addresses of the nodes.',
      groups: GROUPS,
      arguments: [...CONNECTION, { flags: ['--include-fenced-brokers'], action: 'storeTrue', help: 'Brokers too that are fenced.' }],
    },
  },
}

export const face: Face = async (argv, io) => {
  try {
    await run(parseArguments(PROGRAM, argv, io), io)
    return 0
  } catch (error) {
    // This tool ends with 1 for its help too.
    if (error instanceof HelpScreen) throw new FaceExit(1, { out: error.help })
    if (error instanceof ArgparseError) throw new FaceExit(1, { err: error.report })
    printTrace(io, error)
    return 1
  }
}

async function run(options: Namespace, io: FaceIo): Promise<void> {
  const old = options.string('config')
  const config = options.string('command_config')
  if (old !== undefined && config !== undefined) {
    throw new JavaError('net.sourceforge.argparse4j.inf.ArgumentParserException', '--config and --command-config cannot be specified together.')
  }
  if (old !== undefined) io.out('Option --config has been deprecated and will be removed in a future version. Use --command-config instead.\n')
  const properties = await loadProperties(config ?? old)
  const admin = await openAdmin(io, {
    bootstrapServer: options.string('bootstrap_server'),
    bootstrapController: options.string('bootstrap_controller'),
    properties,
  })
  try {
    if (options.command === 'cluster-id') await clusterId(admin, io)
    else if (options.command === 'unregister') await unregister(admin, options.number('id') ?? 0, io)
    else await listEndpoints(admin, options.has('include_fenced_brokers'), io)
  } finally {
    await admin.close()
  }
}

async function clusterId(admin: Admin, io: FaceIo): Promise<void> {
  const { clusterId } = await executed(admin.call('listNodes', (cluster) => describeCluster(cluster, { ofControllers: admin.isController })))
  io.out(clusterId === null ? 'No cluster ID found. The Kafka version is probably too old.\n' : `Cluster ID: ${clusterId}\n`)
}

async function unregister(admin: Admin, id: number, io: FaceIo): Promise<void> {
  try {
    await admin.call('unregisterBroker', (cluster) => unregisterBroker(cluster, id))
    io.out(`Broker ${id} is no longer registered.\n`)
  } catch (error) {
    const java = toJava(error)
    if (isUnsupported(java)) {
      io.out('The target cluster does not support the broker unregistration API.\n')
      return
    }
    if (!/TimeoutException$/.test(java.className)) {
      const logger = 'org.apache.kafka.clients.admin.KafkaAdminClient'
      logLine(io, 'ERROR', `[AdminClient clientId=adminclient-1] Unregister broker request for broker ID ${id} failed: ${java.message}`, logger)
    }
    throw executionException(java)
  }
}

async function listEndpoints(admin: Admin, includeFencedBrokers: boolean, io: FaceIo): Promise<void> {
  const ofControllers = admin.isController
  if (includeFencedBrokers && ofControllers) {
    throw illegalArgument('The option --include-fenced-brokers is only supported with --bootstrap-server option')
  }
  let nodes: Awaited<ReturnType<typeof describeCluster>>['brokers']
  try {
    nodes = (await admin.call('listNodes', (cluster) => describeCluster(cluster, { includeFencedBrokers, ofControllers }))).brokers
  } catch (error) {
    const java = toJava(error)
    if (!isUnsupported(java)) throw executionException(java)
    io.out(`${java.message}\n`)
    return
  }
  const width = (lengths: readonly number[], none: number): number => (lengths.length === 0 ? none : Math.max(...lengths))
  const host = width(nodes.map((node) => node.host.length), 100)
  const rack = width(nodes.flatMap((node) => (node.rack === null ? [] : [node.rack.length])), 10)
  const line = (id: string, at: string, port: string, on: string, state: string, type: string): string => {
    const middle = ofControllers ? '' : `${state.padEnd(10)} `
    return `${id.padEnd(10)} ${at.padEnd(host)} ${port.padEnd(10)} ${on.padEnd(rack)} ${middle}${type.padEnd(15)}\n`
  }
  io.out(line('ID', 'HOST', 'PORT', 'RACK', 'STATE', 'ENDPOINT_TYPE'))
  for (const { nodeId, host, port, rack, isFenced } of nodes) {
    io.out(line(String(nodeId), host, String(port), rack ?? 'null', isFenced ? 'fenced' : 'unfenced', ofControllers ? 'controller' : 'broker'))
  }
}

async function executed<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw executionException(error)
  }
}

function isUnsupported({ className }: JavaError): boolean {
  return className.endsWith('.UnsupportedVersionException')
}
