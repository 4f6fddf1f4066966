// FindCoordinator (10): which broker coordinates a group, a transaction or a share group: this one, at the address of the
// listener asked. Several keys from version 4 on, share groups from 6 on. The topics that groups and
// transactions are kept in are made when they are first asked for, before the answer: Kafka answers
// COORDINATOR_NOT_AVAILABLE once.

import { FindCoordinator } from '../../protocol/apis/find-coordinator.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { advertisedOn } from '../advertised.ts'
import type { Broker } from '../broker.ts'
import type { Handler, RequestContext } from '../handler.ts'
import { CLUSTER_NAME } from '../security/acl.ts'

const GROUP = 0
const TRANSACTION = 1
const SHARE = 2
const FIRST_VERSION_WITH_SHARE = 6
const FIRST_VERSION_WITH_KEYS = 4
// groupId:topicId:partition
const SHARE_KEY = /^.+:[A-Za-z0-9_-]{22}:\d+$/

export const handleFindCoordinator: Handler<typeof FindCoordinator> = async (request, context) => {
  const { apiVersion } = context
  const { keyType } = request
  const { broker } = context
  const keys = apiVersion >= FIRST_VERSION_WITH_KEYS ? request.coordinatorKeys : [request.key]
  const needsTopic = keys.some((key) => refusal(context, keyType, key) === undefined)
  const unavailable = needsTopic ? await ensureTopic(keyType, broker) : undefined
  const answerFor = (key: string) => {
    const { nodeId, host, port } = advertisedOn(broker, context.listener)
    const error = refusal(context, keyType, key) ?? unavailable ?? check(keyType, key, apiVersion)
    if (error === undefined) return { key, nodeId, host, port, errorCode: ErrorCode.NONE, errorMessage: '' }
    return { key, nodeId: -1, host: '', port: -1, errorCode: error.code, errorMessage: error.message }
  }
  if (apiVersion >= FIRST_VERSION_WITH_KEYS) {
    return { throttleTimeMs: 0, coordinators: request.coordinatorKeys.map(answerFor) }
  }
  const answer = answerFor(request.key)
  const { nodeId, host, port, errorCode } = answer
  // Kafka names even success here, and says nothing in the versions with many keys.
  return { throttleTimeMs: 0, nodeId, host, port, errorCode, errorMessage: errorCode === ErrorCode.NONE ? 'NONE' : answer.errorMessage }
}

/** Why the client may not know who coordinates this. */
function refusal(context: RequestContext, keyType: number, key: string): KafkaError | undefined {
  if (keyType === GROUP && !context.isAllowed('DESCRIBE', 'GROUP', key)) return new KafkaError('GROUP_AUTHORIZATION_FAILED')
  if (keyType === TRANSACTION && !context.isAllowed('DESCRIBE', 'TRANSACTIONAL_ID', key)) {
    return new KafkaError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
  }
  const isForBrokers = keyType === SHARE && context.apiVersion >= FIRST_VERSION_WITH_SHARE
  if (isForBrokers && !context.isAllowed('CLUSTER_ACTION', 'CLUSTER', CLUSTER_NAME)) {
    return new KafkaError('CLUSTER_AUTHORIZATION_FAILED')
  }
  return undefined
}

async function ensureTopic(keyType: number, { groups, transactions }: Broker): Promise<KafkaError | undefined> {
  try {
    if (keyType === GROUP) await groups.ensureTopic()
    if (keyType === TRANSACTION) await transactions.ensureTopic()
    return undefined
  } catch (error) {
    return error instanceof KafkaError ? error : new KafkaError('COORDINATOR_NOT_AVAILABLE', undefined, { cause: error })
  }
}

function check(keyType: number, key: string, apiVersion: number): KafkaError | undefined {
  switch (keyType) {
    case GROUP:
    case TRANSACTION:
      return undefined
    case SHARE:
      if (apiVersion >= FIRST_VERSION_WITH_SHARE && SHARE_KEY.test(key)) return undefined
  }
  return new KafkaError('INVALID_REQUEST')
}
