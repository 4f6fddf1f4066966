// ConsumerGroupHeartbeat (68): the one request of a member of a consumer group. From version 1 on members make their ids
// themselves, and may subscribe to a regex.

import { randomUuid } from '../../base/uuid.ts'
import type { ConsumerGroupHeartbeat } from '../../protocol/apis/consumer-group-heartbeat.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { RequestOf } from '../../protocol/schema.ts'
import { LEFT, LEFT_STATIC } from '../groups/consumer/consumer-member.ts'
import { areConsumerGroupsServed } from '../groups/consumer/surroundings.ts'
import { itemError } from '../handler.ts'
import type { Handler, RequestContext } from '../handler.ts'

type Request = RequestOf<typeof ConsumerGroupHeartbeat>

const OWN_ID_SINCE = 1
// They are sorted and counted in every heartbeat that brings them.
const MAX_NAMES = 10_000

export const handleConsumerGroupHeartbeat: Handler<typeof ConsumerGroupHeartbeat> = async (request, context) => {
  const { broker, clientId, clientAddress, isAllowed } = context
  const { groupId } = request
  try {
    check(request, context)
    const { memberId, epoch, heartbeatIntervalMs, assignment } = await broker.groups.consumerHeartbeat(groupId, {
      memberId: request.memberId || randomUuid(),
      epoch: request.memberEpoch,
      instanceId: request.instanceId,
      rackId: request.rackId,
      clientId: clientId ?? '',
      clientHost: `/${clientAddress}`,
      rebalanceTimeoutMs: request.rebalanceTimeoutMs,
      names: request.subscribedTopicNames,
      regex: request.subscribedTopicRegex,
      assignor: request.serverAssignor,
      owned: request.topicPartitions,
      mayDescribe: (topic) => isAllowed('DESCRIBE', 'TOPIC', topic),
    })
    const told = assignment === null ? null : { topicPartitions: assignment }
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, memberId, memberEpoch: epoch, heartbeatIntervalMs, assignment: told }
  } catch (error) {
    const { code, message, error: name } = itemError(error, broker, `ConsumerGroupHeartbeat of ${groupId}`)
    const errorMessage = name === 'TOPIC_AUTHORIZATION_FAILED' ? null : message
    return { throttleTimeMs: 0, errorCode: code, errorMessage, memberEpoch: 0, heartbeatIntervalMs: 0 }
  }
}

/** Throws KafkaError. */
function check(request: Request, context: RequestContext): void {
  const { broker, isAllowed } = context
  const { groupId, subscribedTopicNames, serverAssignor } = request
  if (!areConsumerGroupsServed(broker.config, broker.metadata.image)) throw new KafkaError('UNSUPPORTED_VERSION')
  if (!isAllowed('READ', 'GROUP', groupId)) throw new KafkaError('GROUP_AUTHORIZATION_FAILED')
  if (subscribedTopicNames?.some((name) => !isAllowed('DESCRIBE', 'TOPIC', name)) === true) {
    throw new KafkaError('TOPIC_AUTHORIZATION_FAILED')
  }
  checkShape(request, context.apiVersion)
  const { assignors } = broker.config.groupConsumer
  if (serverAssignor !== null && !assignors.includes(serverAssignor)) {
    const what = `ServerAssignor ${serverAssignor} is not supported. Supported assignors: ${assignors.join(', ')}.`
    throw new KafkaError('UNSUPPORTED_ASSIGNOR', what)
  }
}

function checkShape(request: Request, apiVersion: number): void {
  const { memberId, memberEpoch, groupId, instanceId, rackId, topicPartitions } = request
  const invalid = (what: string) => new KafkaError('INVALID_REQUEST', what)
  const names = request.subscribedTopicNames ?? []
  if (names.length > MAX_NAMES) throw invalid(`More than ${MAX_NAMES} SubscribedTopicNames.`)
  const isEmpty = (value: string | null) => value?.trim() === ''
  if ((apiVersion >= OWN_ID_SINCE || memberEpoch > 0 || memberEpoch === LEFT) && isEmpty(memberId)) throw invalid("MemberId can't be empty.")
  if (isEmpty(groupId)) throw invalid("GroupId can't be empty.")
  if (isEmpty(instanceId)) throw invalid("InstanceId can't be empty.")
  if (isEmpty(rackId)) throw invalid("RackId can't be empty.")
  if (memberEpoch < LEFT_STATIC) throw invalid('MemberEpoch is invalid.')
  if (memberEpoch === LEFT_STATIC && instanceId === null) throw invalid("InstanceId can't be null.")
  if (memberEpoch !== 0) return
  if (request.rebalanceTimeoutMs === -1) throw invalid('RebalanceTimeoutMs must be provided in first request.')
  if (topicPartitions === null || topicPartitions.length > 0) throw invalid('TopicPartitions must be empty when (re-)joining.')
  if (request.subscribedTopicNames === null && request.subscribedTopicRegex === null) {
    throw invalid('Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.')
  }
}
