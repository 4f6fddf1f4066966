// kafka-broker-api-versions (BrokerApiVersionsCommand of Apache Kafka 4.3). Each bootstrap server is tried once.

import { CLIENT_APIS } from '../../src/cli/apache/client-apis.ts'
import { type Face, FaceExit, printTrace } from '../../src/cli/apache/face.ts'
import { JavaError, runtimeException, toJava } from '../../src/cli/apache/java-errors.ts'
import { listText } from '../../src/cli/apache/java-text.ts'
import { checkRequired, DEFAULT_OPTIONS, maybeHelp, parseJopt } from '../../src/cli/apache/jopt.ts'
import { clientLogger } from '../../src/cli/apache/log4j.ts'
import { checkAddresses, knownProperties, loadProperties } from '../../src/cli/apache/open-cluster.ts'
import { clientConfig } from '../../src/client/client-config.ts'
import type { BrokerVersions, Cluster } from '../../src/client/cluster.ts'
import { connectCluster } from '../../src/client/kafka-cluster.ts'
import { ConnectError } from '../../src/client/errors.ts'

export { runFace } from '../../src/cli/apache/face.ts'

const OPTIONS = {
  ...DEFAULT_OPTIONS,
  'bootstrap-server': { arg: 'required', describedAs: 'server(s) to use for bootstrapping', help: 'REQUIRED: the broker to ask first, HOST:PORT.' },
  'command-config': { arg: 'required', describedAs: 'command config property file', help: 'A file of client properties.' },
} as const

const REQUEST_TIMEOUT = '5000'

export const face: Face = async (argv, io) => {
  let cluster: Cluster | undefined
  try {
    const options = parseJopt(OPTIONS, argv)
    maybeHelp(options, argv, 'This tool helps to retrieve broker version information.')
    checkRequired(options, 'bootstrap-server')
    const given = await loadProperties(options.value('command-config'))
    const properties = new Map([['request.timeout.ms', REQUEST_TIMEOUT], ['client.id', 'admin-1'], ...knownProperties(io, given)])
    const servers = options.value('bootstrap-server') ?? ''
    await checkAddresses(io, servers, false)
    properties.set('bootstrap.servers', servers)
    const config = await clientConfig(properties)
    cluster = connectCluster(config, { logger: clientLogger(io, 'admin-1') })
    for (const { nodeId, host, port, rack } of await brokersOf(cluster)) {
      const node = `${host}:${port} (id: ${nodeId} rack: ${rack ?? 'null'} isFenced: false)`
      io.out(`${node} -> ${await versionsText(cluster, nodeId)}\n`)
    }
    return 0
  } catch (error) {
    if (error instanceof FaceExit) throw error
    printTrace(io, error)
    return 1
  } finally {
    await cluster?.close()
  }
}

async function brokersOf(cluster: Cluster): Promise<readonly { nodeId: number; host: string; port: number; rack: string | null }[]> {
  const nodes = cluster.config.bootstrapServers.map(({ host, port }, index) => `${host}:${port} (id: ${-1 - index} rack: null isFenced: false)`)
  const failed = runtimeException(`Request METADATA failed on brokers ${listText(nodes)}`)
  try {
    return (await cluster.metadata([], { fresh: true })).brokers
  } catch (error) {
    if (error instanceof ConnectError && !error.retriable) throw error
    throw failed
  }
}

async function versionsText(cluster: Cluster, node: number): Promise<string> {
  try {
    return textOf(await cluster.versionsOf(node))
  } catch (error) {
    if (error instanceof JavaError) throw error
    return `ERROR: ${toJava(error).message}`
  }
}

/** NodeApiVersions.toString: what the broker has, and what of the client's it lacks, by key. */
function textOf({ apis }: BrokerVersions): string {
  const lacking = [...CLIENT_APIS].flatMap(([key, { isForClients }]) => (isForClients && !apis.has(key) ? [key] : []))
  const keys = [...apis.keys(), ...lacking].sort((a, b) => a - b)
  const lines = keys.map((key) => {
    const known = CLIENT_APIS.get(key)
    const range = apis.get(key)
    const name = `${known?.name ?? 'UNKNOWN'}(${key}): `
    if (range === undefined) return `${name}UNSUPPORTED`
    const { minVersion, maxVersion } = range
    const versions = minVersion === maxVersion ? String(minVersion) : `${minVersion} to ${maxVersion}`
    return `${name}${versions}${known === undefined ? '' : ` ${usable(known.versions, minVersion, maxVersion)}`}`
  })
  return `(\n\t${lines.join(',\n\t')}\n)`
}

function usable([oldest, latest]: readonly [number, number], minVersion: number, maxVersion: number): string {
  if (latest < minVersion) return '[unusable: node too new]'
  return maxVersion < oldest ? '[unusable: node too old]' : `[usable: ${Math.min(latest, maxVersion)}]`
}
