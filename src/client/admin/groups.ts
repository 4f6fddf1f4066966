// Groups of all kinds: what there is, who is in them, where they are, and moving and deleting them. Each group is asked for
// at its coordinator. Consumer groups of KIP-848 and classic ones are described alike, as Java's Admin does.

import { ConsumerGroupDescribe } from '../../protocol/apis/consumer-group-describe.ts'
import { DeleteGroups } from '../../protocol/apis/delete-groups.ts'
import { DescribeGroups } from '../../protocol/apis/describe-groups.ts'
import { ListGroups } from '../../protocol/apis/list-groups.ts'
import { OffsetDelete } from '../../protocol/apis/offset-delete.ts'
import { type ErrorName, errorName, KafkaError } from '../../protocol/errors.ts'
import { ConsumerProtocolAssignment, decodeConsumerProtocol } from '../../protocol/records/consumer-protocol.ts'
import type { ResponseOf } from '../../protocol/schema.ts'
import type { Cluster, Wait } from '../cluster.ts'
import { type CommittedOffset, commitOffsets, fetchOffsets, type OffsetToCommit } from '../groups/offsets.ts'
import { askCoordinator, askCoordinators, COORDINATOR_MOVED, GROUP } from './coordinators.ts'
import { groupBy } from './group-by.ts'
import type { PartitionResult, TopicPartition } from './partitions.ts'
import { failed, resultOf, type Result } from './result.ts'

export interface GroupListing {
  readonly groupId: string
  /** `consumer`; '' of a group that only commits; others are not consumers' groups. */
  readonly protocolType: string
  /** '' from brokers before 2.6. */
  readonly state: string
  /** Classic, Consumer, Share, Streams; '' from brokers before 3.8. */
  readonly type: string
  readonly coordinator: number
}

const TYPES: readonly string[] = ['Classic', 'Consumer', 'Share', 'Streams']

/**
 * The groups of all brokers, sorted by id. Empty filters let everything through. KafkaError UNSUPPORTED_VERSION when a broker
 * is too old for a filter; what a broker refuses is thrown.
 */
export async function listGroups(
  cluster: Cluster,
  { states = [], types = [], ...wait }: Wait & { readonly states?: readonly string[]; readonly types?: readonly string[] } = {},
): Promise<GroupListing[]> {
  const { brokers } = await cluster.metadata([], { fresh: true, ...wait })
  const answers = await Promise.all(
    brokers.map(async ({ nodeId }) => {
      const version = (await cluster.versionFor(ListGroups, nodeId, wait)) ?? 0
      if ((states.length > 0 && version < 4) || (types.length > 0 && version < 5)) {
        throw new KafkaError('UNSUPPORTED_VERSION', `Broker ${nodeId} is too old to select groups by ${version < 4 ? 'state' : 'type'}`)
      }
      const request = { statesFilter: states, typesFilter: types }
      const response = await cluster.call(ListGroups, request, { ...wait, node: nodeId, maxVersion: version, retryIf: isLoading })
      if (response.errorCode !== 0) throw KafkaError.from(response.errorCode)
      return response.groups.map(({ groupId, protocolType, groupState, groupType }) => {
        const type = TYPES.find((name) => name.toLowerCase() === groupType.toLowerCase()) ?? groupType // brokers say `classic`
        return { groupId, protocolType, state: groupState, type, coordinator: nodeId }
      })
    }),
  )
  return answers.flat().sort((a, b) => (a.groupId < b.groupId ? -1 : 1))
}

function isLoading({ errorCode }: { readonly errorCode: number }): boolean {
  return errorName(errorCode) === 'COORDINATOR_LOAD_IN_PROGRESS'
}

export interface GroupDescription {
  readonly groupId: string
  readonly type: 'Classic' | 'Consumer'
  /** `consumer`; '' of a group that only commits. */
  readonly protocolType: string
  readonly state: string
  /** The assignor in use; '' for none. */
  readonly assignor: string
  readonly coordinator: { readonly nodeId: number; readonly host: string; readonly port: number }
  /** null: a classic group has none. */
  readonly epoch: number | null
  readonly assignmentEpoch: number | null
  readonly members: readonly GroupMember[]
}

export interface GroupMember {
  readonly memberId: string
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  /** As the broker says it: `/127.0.0.1`. */
  readonly host: string
  readonly assignment: readonly TopicPartition[]
  /** null: a classic group has none. */
  readonly targetAssignment: readonly TopicPartition[] | null
  readonly epoch: number | null
  /** Whether it speaks the protocol of KIP-848; null: the broker doesn't say. */
  readonly isUpgraded: boolean | null
}

/**
 * By group, in the order asked. A group that doesn't exist is GROUP_ID_NOT_FOUND, whatever the broker's version; one that
 * isn't of consumers is INCONSISTENT_GROUP_PROTOCOL.
 */
export function describeGroups(
  cluster: Cluster,
  groupIds: readonly string[],
  wait: Wait = {},
): Promise<Map<string, Result<GroupDescription>>> {
  return askCoordinators(cluster, GROUP, groupIds, wait, async (node, asked, left) => {
    const { brokers } = await cluster.metadata([], left)
    const { host, port } = brokers.find(({ nodeId }) => nodeId === node) ?? { host: '', port: -1 }
    const coordinator = { nodeId: node, host, port }
    const described = new Map<string, Result<GroupDescription>>()
    if ((await cluster.versionFor(ConsumerGroupDescribe, node, left)) !== undefined) {
      const request = { groupIds: asked, includeAuthorizedOperations: false }
      const { groups } = await cluster.call(ConsumerGroupDescribe, request, { ...left, node })
      for (const group of groups) {
        if (!NOT_OF_KIP_848.has(errorName(group.errorCode))) described.set(group.groupId, consumerGroup(group, coordinator))
      }
    }
    const classic = asked.filter((id) => !described.has(id))
    if (classic.length > 0) {
      const request = { groups: classic, includeAuthorizedOperations: false }
      const { groups } = await cluster.call(DescribeGroups, request, { ...left, node })
      for (const group of groups) described.set(group.groupId, classicGroup(group, coordinator))
    }
    return [...described]
  })
}

const NOT_OF_KIP_848: ReadonlySet<ErrorName> = new Set(['GROUP_ID_NOT_FOUND', 'UNSUPPORTED_VERSION'])

function consumerGroup(
  group: ResponseOf<typeof ConsumerGroupDescribe>['groups'][number],
  coordinator: GroupDescription['coordinator'],
): Result<GroupDescription> {
  return resultOf(group.errorCode, group.errorMessage, {
    groupId: group.groupId,
    type: 'Consumer',
    protocolType: 'consumer',
    state: group.groupState,
    assignor: group.assignorName,
    coordinator,
    epoch: group.groupEpoch,
    assignmentEpoch: group.assignmentEpoch,
    members: group.members.map((member) => ({
      memberId: member.memberId,
      instanceId: member.instanceId,
      rackId: member.rackId,
      clientId: member.clientId,
      host: member.clientHost,
      assignment: placesOf(member.assignment.topicPartitions.map(({ topicName: topic, partitions }) => ({ topic, partitions }))),
      targetAssignment: placesOf(member.targetAssignment.topicPartitions.map(({ topicName: topic, partitions }) => ({ topic, partitions }))),
      epoch: member.memberEpoch,
      isUpgraded: member.memberType < 0 ? null : member.memberType === 1,
    })),
  })
}

function classicGroup(
  group: ResponseOf<typeof DescribeGroups>['groups'][number],
  coordinator: GroupDescription['coordinator'],
): Result<GroupDescription> {
  const { groupId, errorCode, errorMessage, groupState: state, protocolType, protocolData: assignor } = group
  if (errorCode !== 0) return failed(KafkaError.from(errorCode, errorMessage))
  if (state === 'Dead') return failed(new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} not found.`))
  if (protocolType !== 'consumer' && protocolType !== '') {
    return failed(new KafkaError('INCONSISTENT_GROUP_PROTOCOL', `Group ${groupId} is not a consumer group (${protocolType}).`))
  }
  const members = group.members.map((member) => ({
    memberId: member.memberId,
    instanceId: member.groupInstanceId,
    rackId: null,
    clientId: member.clientId,
    host: member.clientHost,
    assignment:
      member.memberAssignment.length === 0
        ? []
        : placesOf(decodeConsumerProtocol(ConsumerProtocolAssignment, member.memberAssignment).assignedPartitions),
    targetAssignment: null,
    epoch: null,
    isUpgraded: null,
  }))
  return { ok: true, value: { groupId, type: 'Classic', protocolType, state, assignor, coordinator, epoch: null, assignmentEpoch: null, members } }
}

/** In order of topic and partition. */
function placesOf(topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[]): TopicPartition[] {
  const places = topics.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
  return places.sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1))
}

/** Everything the group has committed. A group that doesn't exist has nothing. */
export function listGroupOffsets(cluster: Cluster, groupId: string, wait: Wait = {}): Promise<readonly CommittedOffset[]> {
  return askCoordinator(cluster, GROUP, groupId, wait, async (node, left) => {
    const { errorCode, offsets } = await fetchOffsets(cluster, node, groupId, null, left)
    return resultOf(errorCode, null, offsets.filter(({ offset }) => offset >= 0)) // prettier-ignore
  })
}

/** Commits from outside; only an empty group takes it. In the order the broker answers. */
export function alterGroupOffsets(
  cluster: Cluster,
  groupId: string,
  offsets: readonly OffsetToCommit[],
  wait: Wait = {},
): Promise<PartitionResult<null>[]> {
  return askCoordinator(cluster, GROUP, groupId, wait, async (node, left) => {
    const answers = await commitOffsets(cluster, node, groupId, offsets, left)
    // The coordinator answers for all of them when it is the wrong one.
    const moved = answers.find(({ errorCode }) => COORDINATOR_MOVED.has(errorName(errorCode)))
    if (moved !== undefined) return failed(KafkaError.from(moved.errorCode))
    return { ok: true, value: answers.map(({ topic, partition, errorCode }) => ({ topic, partition, result: resultOf(errorCode, null, null) })) }
  })
}

/** By group, in the order asked. */
export function deleteGroups(cluster: Cluster, groupIds: readonly string[], wait: Wait = {}): Promise<Map<string, Result<null>>> {
  return askCoordinators(cluster, GROUP, groupIds, wait, async (node, asked, left) => {
    const { results } = await cluster.call(DeleteGroups, { groupsNames: asked }, { ...left, node })
    return results.map(({ groupId, errorCode }) => [groupId, resultOf(errorCode, null, null)] as const)
  })
}

/** In the order the broker answers. What the group as a whole is refused is thrown. */
export function deleteGroupOffsets(
  cluster: Cluster,
  groupId: string,
  places: readonly TopicPartition[],
  wait: Wait = {},
): Promise<PartitionResult<null>[]> {
  return askCoordinator(cluster, GROUP, groupId, wait, async (node, left) => {
    const topics = [...groupBy(places, ({ topic }) => topic)].map(([name, list]) => ({
      name,
      partitions: list.map(({ partition }) => ({ partitionIndex: partition })),
    }))
    const response = await cluster.call(OffsetDelete, { groupId, topics }, { ...left, node })
    return resultOf(
      response.errorCode,
      null,
      response.topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex, errorCode }) => ({ topic: name, partition: partitionIndex, result: resultOf(errorCode, null, null) })),
      ),
    )
  })
}
