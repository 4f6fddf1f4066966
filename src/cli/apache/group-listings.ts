// KafkaAdminClient.listGroups: the groups in the order of its hash map, and its failures.

import { type GroupListing, listGroups } from '../../client/admin.ts'
import type { Cluster } from '../../client/cluster.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { JavaError, toJava } from './java-errors.ts'
import { inHashOrder, stringHash } from './java-hash.ts'

/** Throws the JavaError that Future.get has as its cause. */
export async function groupListings(cluster: Cluster, options: Parameters<typeof listGroups>[1] = {}): Promise<GroupListing[]> {
  try {
    return inHashOrder(await listGroups(cluster, options), ({ groupId }) => stringHash(groupId))
  } catch (error) {
    const java = toJava(error)
    if (error instanceof KafkaError || !/\.TimeoutException$/.test(java.className)) throw java
    throw new JavaError('org.apache.kafka.common.KafkaException', 'Failed to find brokers to send ListGroups', { cause: error })
  }
}
