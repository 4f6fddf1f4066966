// ConsumerGroupDescribe (69): state, epochs and members of consumer groups; what each member has, and what it is to have.
// From version 1 on with the protocol that a member speaks.

import type { ConsumerGroupDescribe } from '../../protocol/apis/consumer-group-describe.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import { authorizedOperations } from '../authorized-operations.ts'
import type { ConsumerGroup } from '../groups/consumer/consumer-group.ts'
import type { ConsumerMember } from '../groups/consumer/consumer-member.ts'
import { areConsumerGroupsServed } from '../groups/consumer/surroundings.ts'
import { itemError } from '../handler.ts'
import type { Handler } from '../handler.ts'
import type { MetadataImage } from '../metadata/image.ts'

type Description = ResponseInput<typeof ConsumerGroupDescribe>['groups'][number]
type Member = Description['members'][number]

const MEMBER_TYPE = { classic: 0, consumer: 1 } as const

export const handleConsumerGroupDescribe: Handler<typeof ConsumerGroupDescribe> = async (request, context) => {
  const { broker, isAllowed } = context
  const { image } = broker.metadata
  const describe = async (groupId: string): Promise<Description> => {
    try {
      if (!areConsumerGroupsServed(broker.config, image)) throw new KafkaError('UNSUPPORTED_VERSION')
      if (!isAllowed('DESCRIBE', 'GROUP', groupId)) throw new KafkaError('GROUP_AUTHORIZATION_FAILED')
      if (groupId === '') throw new KafkaError('INVALID_GROUP_ID')
      const found = await broker.groups.describeConsumers(groupId, (group, assignor) => descriptionOf(group, assignor, image))
      const topics = found.members.flatMap(({ assignment, targetAssignment }) => [assignment, targetAssignment]).flatMap((each) => each.topicPartitions)
      if (topics.some(({ topicName }) => !isAllowed('DESCRIBE', 'TOPIC', topicName))) {
        const what = 'The group has described topic(s) that the client is not authorized to describe.'
        throw new KafkaError('TOPIC_AUTHORIZATION_FAILED', what)
      }
      return request.includeAuthorizedOperations ? { ...found, authorizedOperations: authorizedOperations(context, 'GROUP', groupId) } : found
    } catch (error) {
      return refused(groupId, itemError(error, broker, `ConsumerGroupDescribe of ${groupId}`))
    }
  }
  return { throttleTimeMs: 0, groups: await Promise.all([...new Set(request.groupIds)].map(describe)) }
}

function descriptionOf(group: ConsumerGroup, defaultAssignor: string, image: MetadataImage): Description {
  return {
    errorCode: ErrorCode.NONE,
    groupId: group.id,
    groupState: group.state,
    groupEpoch: group.epoch,
    assignmentEpoch: group.assignmentEpoch,
    assignorName: group.assignor ?? defaultAssignor,
    members: Array.from(group.members.values(), (member) => memberOf(member, group, image)),
  }
}

function memberOf(member: ConsumerMember, group: ConsumerGroup, image: MetadataImage): Member {
  // What it is to give up it still has.
  const assigned = new Map<string, number[]>()
  for (const owned of [member.assigned, member.revoking]) {
    for (const [topic, partitions] of owned) assigned.set(topic, [...(assigned.get(topic) ?? []), ...partitions.keys()])
  }
  return {
    memberId: member.id,
    instanceId: member.instanceId,
    rackId: member.rackId,
    memberEpoch: member.epoch,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: member.names,
    subscribedTopicRegex: member.regex,
    assignment: assignmentOf(assigned, image),
    targetAssignment: assignmentOf(group.target(member.id), image),
    memberType: member.classic === null ? MEMBER_TYPE.consumer : MEMBER_TYPE.classic,
  }
}

/** Topics that are gone are left out. */
function assignmentOf(topics: ReadonlyMap<string, Iterable<number>>, image: MetadataImage): Member['assignment'] {
  const topicPartitions = [...topics].flatMap(([topicId, partitions]) => {
    const topicName = image.topicById(topicId)?.name
    return topicName === undefined ? [] : [{ topicId, topicName, partitions: [...partitions] }]
  })
  return { topicPartitions }
}

function refused(groupId: string, error: KafkaError): Description {
  const nothing = { groupState: '', groupEpoch: 0, assignmentEpoch: 0, assignorName: '', members: [] }
  return { errorCode: error.code, errorMessage: error.isStandardText ? null : error.message, groupId, ...nothing }
}
