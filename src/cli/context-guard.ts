// What a context promises, kept where every command passes: a read-only one lets through only requests that change nothing,
// one with a cluster's id lets nothing change in another cluster.

import type { Cluster } from '../client/cluster.ts'
import type { Api } from '../protocol/schema.ts'
import type { Context } from './contexts.ts'
import { CliError, ExitCode } from './errors.ts'

/** By name. What is not among them changes something, or may. */
const READS: ReadonlySet<string> = new Set([
  'ApiVersions', 'ConsumerGroupDescribe', 'DescribeAcls', 'DescribeClientQuotas', 'DescribeCluster', 'DescribeConfigs', 'DescribeGroups',
  'DescribeLogDirs', 'DescribeProducers', 'DescribeQuorum', 'DescribeTopicPartitions', 'DescribeTransactions', 'DescribeUserScramCredentials',
  'Fetch', 'FindCoordinator', 'ListConfigResources', 'ListGroups', 'ListOffsets', 'ListPartitionReassignments', 'ListTransactions',
  'Metadata', 'OffsetFetch', 'OffsetForLeaderEpoch', 'SaslAuthenticate', 'SaslHandshake',
]) // prettier-ignore

/** The cluster as the context allows it to be used. */
export function guarded(cluster: Cluster, context: Context): Cluster {
  let checked: Promise<void> | undefined
  const checkCluster = async (): Promise<void> => {
    const { clusterId } = await cluster.metadata([])
    if (context.clusterId === undefined || clusterId === context.clusterId) return
    throw refusal('OTHER_CLUSTER', `context ${context.name} is for cluster ${context.clusterId}, and this is ${clusterId ?? 'a cluster without an id'}`)
  }
  const check = async (api: Api): Promise<void> => {
    if (READS.has(api.name)) return
    if (context.isReadOnly) throw refusal('READ_ONLY', `context ${context.name} is read-only, and this needs ${api.name}`)
    await (checked ??= checkCluster())
  }
  return {
    config: cluster.config,
    call: async (api, request, options) => {
      await check(api)
      return cluster.call(api, request, options)
    },
    send: async (api, request, options) => {
      await check(api)
      return cluster.send(api, request, options)
    },
    sendOneWay: async (api, request, options) => {
      await check(api)
      return cluster.sendOneWay(api, request, options)
    },
    versionsOf: (node, wait) => cluster.versionsOf(node, wait),
    versionFor: (api, node, wait) => cluster.versionFor(api, node, wait),
    metadata: (topics, options) => {
      const mayCreate = options?.allowAutoTopicCreation === true && !context.isReadOnly
      return cluster.metadata(topics, { ...options, allowAutoTopicCreation: mayCreate })
    },
    leader: (topic, partition, wait) => cluster.leader(topic, partition, wait),
    invalidate: (topic) => cluster.invalidate(topic),
    close: () => cluster.close(),
  }
}

/** For what takes input, before it takes it. Throws what the guarded cluster would throw later. */
export function refuseReadOnly(context: Context | undefined, what: string): void {
  if (context?.isReadOnly) throw refusal('READ_ONLY', `context ${context.name} is read-only: ${what} is refused`, 'nothing was written')
}

function refusal(code: string, message: string, hint = 'nothing was changed'): CliError {
  return new CliError({ code, message, hint, exitCode: ExitCode.usage })
}
