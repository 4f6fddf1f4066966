// Java's Admin as tools use it that can also talk to controllers (--bootstrap-controller): lazy, with failures by Java's names.

import { describeCluster } from '../../client/admin.ts'
import type { Cluster } from '../../client/cluster.ts'
import { Metadata } from '../../protocol/apis/metadata.ts'
import { type FaceIo, traceOf } from './face.ts'
import { called, JavaError } from './java-errors.ts'
import { logLine } from './log4j.ts'
import { openCluster } from './open-cluster.ts'

export interface AdminWish {
  readonly bootstrapServer?: string | undefined
  readonly bootstrapController?: string | undefined
  readonly properties: ReadonlyMap<string, string>
}

export interface Admin {
  /** Whether it talks to controllers. */
  readonly isController: boolean
  /** `call`: the admin call's name in Java, for time-outs. Throws JavaError. */
  call<T>(call: string, work: (cluster: Cluster) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Throws the JavaError of Java's constructor, and that of neither or both addresses. */
export async function openAdmin(io: FaceIo, { bootstrapServer, bootstrapController, properties }: AdminWish): Promise<Admin> {
  const isController = bootstrapController !== undefined
  if (isController && bootstrapServer !== undefined) throw noBootstrap('You cannot specify both --bootstrap-controller and --bootstrap-server.')
  if (!isController && bootstrapServer === undefined) throw noBootstrap('You must specify either --bootstrap-controller or --bootstrap-server.')
  const open = (address: string): Promise<Cluster> => openCluster(io, { bootstrapServer: address, properties, clientId: 'adminclient-1', kind: 'KafkaAdminClient' })
  const first = await open(bootstrapController ?? bootstrapServer ?? '')
  const opened = new Set([first])
  let ready: Promise<Cluster> | undefined
  const connect = async (call: string): Promise<Cluster> => {
    if (!isController) return called(call, checkedBroker(first))
    const active = await called(call, activeController(first)).catch((error: unknown) => {
      const logger = 'org.apache.kafka.clients.admin.internals.AdminMetadataManager'
      logLine(io, 'WARN', '[AdminClient clientId=adminclient-1] Fatal error during metadata update', logger)
      io.err(traceOf(error))
      throw error
    })
    if (active === undefined) return first
    const cluster = await open(active)
    opened.add(cluster)
    return cluster
  }
  return {
    isController,
    call: async (call, work) => called(call, work(await (ready ??= connect(call)))),
    close: async () => {
      await Promise.all([...opened].map((cluster) => cluster.close()))
    },
  }
}

function noBootstrap(message: string): JavaError {
  return new JavaError('org.apache.kafka.server.util.CommandLineUtils$InitializeBootstrapException', message)
}

/** Java's client begins with Metadata, which a controller doesn't know. */
async function checkedBroker(cluster: Cluster): Promise<Cluster> {
  if ((await cluster.versionFor(Metadata, 'any')) !== undefined) return cluster
  throw new JavaError('org.apache.kafka.common.errors.UnsupportedVersionException', 'The node does not support METADATA')
}

/** Where the quorum's leader listens; undefined: it is the one asked. Throws for a node that is no controller. */
async function activeController(cluster: Cluster): Promise<string | undefined> {
  const { controllerId, brokers } = await describeCluster(cluster, { ofControllers: true })
  const active = brokers.find(({ nodeId }) => nodeId === controllerId)
  if (active === undefined) return undefined
  const isKnown = cluster.config.bootstrapServers.some(({ host, port }) => host === active.host && port === active.port)
  return isKnown && cluster.config.bootstrapServers.length === 1 ? undefined : `${active.host}:${active.port}`
}
