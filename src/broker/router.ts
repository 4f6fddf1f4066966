// From a request's bytes to a handler and from its answer to bytes. The one table of APIs is here: what it lists is what
// ApiVersions advertises and what is served. A handler's mistake costs one request or one connection, never the process.

import { withStack } from '../base/logger.ts'
import { encodeResponseFrame, readRequestHeader, skipHeaderTags, type RequestHeader } from '../protocol/frames.ts'
import { KafkaError } from '../protocol/errors.ts'
import { MAX_REQUEST_ELEMENTS, Reader } from '../protocol/reader.ts'
import type { Api, Fields, RequestOf } from '../protocol/schema.ts'
import { AddRaftVoter } from '../protocol/apis/add-raft-voter.ts'
import { AddOffsetsToTxn } from '../protocol/apis/add-offsets-to-txn.ts'
import { AddPartitionsToTxn } from '../protocol/apis/add-partitions-to-txn.ts'
import { AlterClientQuotas } from '../protocol/apis/alter-client-quotas.ts'
import { AlterConfigs } from '../protocol/apis/alter-configs.ts'
import { AlterPartitionReassignments } from '../protocol/apis/alter-partition-reassignments.ts'
import { AlterUserScramCredentials } from '../protocol/apis/alter-user-scram-credentials.ts'
import { AlterReplicaLogDirs } from '../protocol/apis/alter-replica-log-dirs.ts'
import { ApiVersions } from '../protocol/apis/api-versions.ts'
import { ConsumerGroupDescribe } from '../protocol/apis/consumer-group-describe.ts'
import { ConsumerGroupHeartbeat } from '../protocol/apis/consumer-group-heartbeat.ts'
import { CreateAcls } from '../protocol/apis/create-acls.ts'
import { CreatePartitions } from '../protocol/apis/create-partitions.ts'
import { CreateTopics } from '../protocol/apis/create-topics.ts'
import { DeleteAcls } from '../protocol/apis/delete-acls.ts'
import { DeleteGroups } from '../protocol/apis/delete-groups.ts'
import { DeleteRecords } from '../protocol/apis/delete-records.ts'
import { DeleteTopics } from '../protocol/apis/delete-topics.ts'
import { DescribeAcls } from '../protocol/apis/describe-acls.ts'
import { DescribeClientQuotas } from '../protocol/apis/describe-client-quotas.ts'
import { DescribeCluster } from '../protocol/apis/describe-cluster.ts'
import { DescribeConfigs } from '../protocol/apis/describe-configs.ts'
import { DescribeGroups } from '../protocol/apis/describe-groups.ts'
import { DescribeLogDirs } from '../protocol/apis/describe-log-dirs.ts'
import { DescribeProducers } from '../protocol/apis/describe-producers.ts'
import { DescribeQuorum } from '../protocol/apis/describe-quorum.ts'
import { DescribeTopicPartitions } from '../protocol/apis/describe-topic-partitions.ts'
import { DescribeTransactions } from '../protocol/apis/describe-transactions.ts'
import { ElectLeaders } from '../protocol/apis/elect-leaders.ts'
import { DescribeUserScramCredentials } from '../protocol/apis/describe-user-scram-credentials.ts'
import { EndTxn } from '../protocol/apis/end-txn.ts'
import { Fetch } from '../protocol/apis/fetch.ts'
import { FindCoordinator } from '../protocol/apis/find-coordinator.ts'
import { Heartbeat } from '../protocol/apis/heartbeat.ts'
import { IncrementalAlterConfigs } from '../protocol/apis/incremental-alter-configs.ts'
import { InitProducerId } from '../protocol/apis/init-producer-id.ts'
import { JoinGroup } from '../protocol/apis/join-group.ts'
import { LeaveGroup } from '../protocol/apis/leave-group.ts'
import { ListConfigResources } from '../protocol/apis/list-config-resources.ts'
import { ListGroups } from '../protocol/apis/list-groups.ts'
import { ListOffsets } from '../protocol/apis/list-offsets.ts'
import { ListPartitionReassignments } from '../protocol/apis/list-partition-reassignments.ts'
import { ListTransactions } from '../protocol/apis/list-transactions.ts'
import { Metadata } from '../protocol/apis/metadata.ts'
import { OffsetCommit } from '../protocol/apis/offset-commit.ts'
import { OffsetDelete } from '../protocol/apis/offset-delete.ts'
import { OffsetFetch } from '../protocol/apis/offset-fetch.ts'
import { OffsetForLeaderEpoch } from '../protocol/apis/offset-for-leader-epoch.ts'
import { Produce } from '../protocol/apis/produce.ts'
import { SaslAuthenticate } from '../protocol/apis/sasl-authenticate.ts'
import { SaslHandshake } from '../protocol/apis/sasl-handshake.ts'
import { SyncGroup } from '../protocol/apis/sync-group.ts'
import { TxnOffsetCommit } from '../protocol/apis/txn-offset-commit.ts'
import { RemoveRaftVoter } from '../protocol/apis/remove-raft-voter.ts'
import { UnregisterBroker } from '../protocol/apis/unregister-broker.ts'
import { UpdateFeatures } from '../protocol/apis/update-features.ts'
import { WriteTxnMarkers } from '../protocol/apis/write-txn-markers.ts'
import type { Broker } from './broker.ts'
import { CloseConnection, type Connection, type Reply } from './connection.ts'
import { noReply, type Answer, type Handler, type RequestContext } from './handler.ts'
import { handleAddRaftVoter } from './handlers/add-raft-voter.ts'
import { handleAddOffsetsToTxn } from './handlers/add-offsets-to-txn.ts'
import { handleAddPartitionsToTxn } from './handlers/add-partitions-to-txn.ts'
import { handleAlterClientQuotas } from './handlers/alter-client-quotas.ts'
import { handleAlterConfigs } from './handlers/alter-configs.ts'
import { handleAlterPartitionReassignments } from './handlers/alter-partition-reassignments.ts'
import { handleAlterUserScramCredentials } from './handlers/alter-user-scram-credentials.ts'
import { apiVersionsHandler, unsupportedApiVersions } from './handlers/api-versions.ts'
import { handleConsumerGroupDescribe } from './handlers/consumer-group-describe.ts'
import { handleConsumerGroupHeartbeat } from './handlers/consumer-group-heartbeat.ts'
import { handleCreateAcls } from './handlers/create-acls.ts'
import { handleCreatePartitions } from './handlers/create-partitions.ts'
import { handleCreateTopics } from './handlers/create-topics.ts'
import { handleDeleteAcls } from './handlers/delete-acls.ts'
import { handleDeleteGroups } from './handlers/delete-groups.ts'
import { handleDeleteRecords } from './handlers/delete-records.ts'
import { handleDeleteTopics } from './handlers/delete-topics.ts'
import { handleDescribeAcls } from './handlers/describe-acls.ts'
import { handleDescribeClientQuotas } from './handlers/describe-client-quotas.ts'
import { handleDescribeCluster } from './handlers/describe-cluster.ts'
import { handleDescribeConfigs } from './handlers/describe-configs.ts'
import { handleDescribeGroups } from './handlers/describe-groups.ts'
import { handleAlterReplicaLogDirs } from './handlers/alter-replica-log-dirs.ts'
import { handleDescribeLogDirs } from './handlers/describe-log-dirs.ts'
import { handleDescribeProducers } from './handlers/describe-producers.ts'
import { handleDescribeQuorum } from './handlers/describe-quorum.ts'
import { handleDescribeTopicPartitions } from './handlers/describe-topic-partitions.ts'
import { handleDescribeTransactions } from './handlers/describe-transactions.ts'
import { handleElectLeaders } from './handlers/elect-leaders.ts'
import { handleDescribeUserScramCredentials } from './handlers/describe-user-scram-credentials.ts'
import { handleEndTxn } from './handlers/end-txn.ts'
import { handleFetch } from './handlers/fetch.ts'
import { handleFindCoordinator } from './handlers/find-coordinator.ts'
import { handleHeartbeat } from './handlers/heartbeat.ts'
import { handleIncrementalAlterConfigs } from './handlers/incremental-alter-configs.ts'
import { handleInitProducerId } from './handlers/init-producer-id.ts'
import { handleJoinGroup } from './handlers/join-group.ts'
import { handleLeaveGroup } from './handlers/leave-group.ts'
import { handleListConfigResources } from './handlers/list-config-resources.ts'
import { handleListGroups } from './handlers/list-groups.ts'
import { handleListOffsets } from './handlers/list-offsets.ts'
import { handleListPartitionReassignments } from './handlers/list-partition-reassignments.ts'
import { handleListTransactions } from './handlers/list-transactions.ts'
import { handleMetadata } from './handlers/metadata.ts'
import { handleOffsetCommit } from './handlers/offset-commit.ts'
import { handleOffsetDelete } from './handlers/offset-delete.ts'
import { handleOffsetFetch } from './handlers/offset-fetch.ts'
import { handleOffsetForLeaderEpoch } from './handlers/offset-for-leader-epoch.ts'
import { handleProduce } from './handlers/produce.ts'
import { handleSaslAuthenticate } from './handlers/sasl-authenticate.ts'
import { handleSaslHandshake } from './handlers/sasl-handshake.ts'
import { handleSyncGroup } from './handlers/sync-group.ts'
import { handleTxnOffsetCommit } from './handlers/txn-offset-commit.ts'
import { handleRemoveRaftVoter } from './handlers/remove-raft-voter.ts'
import { handleUnregisterBroker } from './handlers/unregister-broker.ts'
import { handleUpdateFeatures } from './handlers/update-features.ts'
import { handleWriteTxnMarkers } from './handlers/write-txn-markers.ts'
import { refusalOf } from './refusals.ts'
import { hostOf } from './security/authorizer.ts'

export interface Route {
  readonly api: Api
  readonly handle: Handler<Api>
  /** What is served. */
  readonly versions: readonly [min: number, max: number]
  /** What ApiVersions says: the same, but for Produce. */
  readonly advertised: readonly [min: number, max: number]
}

// librdkafka takes a broker whose Produce doesn't begin at 0 for one without compression (KAFKA-18659), so 0 to 2 are
// advertised and not served, as Apache does.
const PRODUCE_ADVERTISED: readonly [number, number] = [0, 13]

// prettier-ignore
const ROUTES: readonly Route[] = [
  route(Produce, handleProduce, [3, 13], PRODUCE_ADVERTISED),
  route(Fetch, handleFetch, [4, 18]),
  route(ListOffsets, handleListOffsets, [1, 11]),
  route(Metadata, handleMetadata, [0, 13]),
  route(OffsetCommit, handleOffsetCommit, [2, 10]),
  route(OffsetFetch, handleOffsetFetch, [1, 10]),
  route(FindCoordinator, handleFindCoordinator, [0, 6]),
  route(JoinGroup, handleJoinGroup, [0, 9]),
  route(Heartbeat, handleHeartbeat, [0, 4]),
  route(LeaveGroup, handleLeaveGroup, [0, 5]),
  route(SyncGroup, handleSyncGroup, [0, 5]),
  route(DescribeGroups, handleDescribeGroups, [0, 6]),
  route(ListGroups, handleListGroups, [0, 5]),
  route(SaslHandshake, handleSaslHandshake, [0, 1]),
  route(ApiVersions, apiVersionsHandler(() => ROUTES), [0, 4]),
  route(CreateTopics, handleCreateTopics, [2, 7]),
  route(DeleteTopics, handleDeleteTopics, [1, 6]),
  route(DeleteRecords, handleDeleteRecords, [0, 2]),
  route(InitProducerId, handleInitProducerId, [0, 5]),
  route(OffsetForLeaderEpoch, handleOffsetForLeaderEpoch, [2, 4]),
  route(AddPartitionsToTxn, handleAddPartitionsToTxn, [0, 5]),
  route(AddOffsetsToTxn, handleAddOffsetsToTxn, [0, 4]),
  route(EndTxn, handleEndTxn, [0, 5]),
  route(WriteTxnMarkers, handleWriteTxnMarkers, [1, 2]),
  route(TxnOffsetCommit, handleTxnOffsetCommit, [0, 5]),
  route(DescribeAcls, handleDescribeAcls, [1, 3]),
  route(CreateAcls, handleCreateAcls, [1, 3]),
  route(DeleteAcls, handleDeleteAcls, [1, 3]),
  route(DescribeConfigs, handleDescribeConfigs, [1, 4]),
  route(AlterConfigs, handleAlterConfigs, [0, 2]),
  route(AlterReplicaLogDirs, handleAlterReplicaLogDirs, [1, 2]),
  route(DescribeLogDirs, handleDescribeLogDirs, [1, 5]),
  route(SaslAuthenticate, handleSaslAuthenticate, [0, 2]),
  route(CreatePartitions, handleCreatePartitions, [0, 3]),
  route(DeleteGroups, handleDeleteGroups, [0, 2]),
  route(ElectLeaders, handleElectLeaders, [0, 2]),
  route(IncrementalAlterConfigs, handleIncrementalAlterConfigs, [0, 1]),
  route(AlterPartitionReassignments, handleAlterPartitionReassignments, [0, 1]),
  route(ListPartitionReassignments, handleListPartitionReassignments, [0, 0]),
  route(OffsetDelete, handleOffsetDelete, [0, 0]),
  route(DescribeClientQuotas, handleDescribeClientQuotas, [0, 1]),
  route(AlterClientQuotas, handleAlterClientQuotas, [0, 1]),
  route(DescribeQuorum, handleDescribeQuorum, [0, 2]),
  route(UpdateFeatures, handleUpdateFeatures, [0, 2]),
  route(DescribeUserScramCredentials, handleDescribeUserScramCredentials, [0, 0]),
  route(AlterUserScramCredentials, handleAlterUserScramCredentials, [0, 0]),
  route(DescribeCluster, handleDescribeCluster, [0, 2]),
  route(DescribeProducers, handleDescribeProducers, [0, 0]),
  route(UnregisterBroker, handleUnregisterBroker, [0, 0]),
  route(AddRaftVoter, handleAddRaftVoter, [0, 1]),
  route(RemoveRaftVoter, handleRemoveRaftVoter, [0, 0]),
  route(DescribeTransactions, handleDescribeTransactions, [0, 0]),
  route(ListTransactions, handleListTransactions, [0, 2]),
  route(ConsumerGroupHeartbeat, handleConsumerGroupHeartbeat, [0, 1]),
  route(ConsumerGroupDescribe, handleConsumerGroupDescribe, [0, 1]),
  route(ListConfigResources, handleListConfigResources, [0, 1]),
  route(DescribeTopicPartitions, handleDescribeTopicPartitions, [0, 0]),
]

const BY_KEY = new Map(ROUTES.map((entry) => [entry.api.key, entry]))

function route<A extends Api>(
  api: A,
  handle: Handler<A>,
  versions: readonly [number, number],
  advertised = versions,
): Route {
  return { api, handle, versions, advertised }
}

/** Serves one frame. CloseConnection and ProtocolError, thrown or rejected, end the connection. */
export function serveRequest(
  broker: Broker,
  frame: Buffer,
  connection: Connection,
  letNextStart: () => void,
): Reply | Promise<Reply> {
  const { metadata } = broker
  const from = new Reader(frame, 0, frame.length, MAX_REQUEST_ELEMENTS)
  const header = readRequestHeader(from)
  const { apiKey, apiVersion, correlationId, clientId } = header
  const found = BY_KEY.get(apiKey)
  if (found === undefined) throw new CloseConnection(`api key ${apiKey} (version ${apiVersion}) is not served`)
  if (apiVersion < found.versions[0] || apiVersion > found.versions[1]) {
    if (found.api === ApiVersions) return encodeResponseFrame(ApiVersions, 0, correlationId, unsupportedApiVersions(found))
    throw new CloseConnection(`${found.api.name} version ${apiVersion} is not served`)
  }
  if (apiVersion >= found.api.flexible) skipHeaderTags(from)
  const request = found.api.request.codec(apiVersion).decode(from)
  const context: RequestContext = {
    broker,
    apiVersion,
    clientId,
    listener: connection.listener,
    principal: connection.principal,
    clientAddress: connection.remoteAddress,
    connection,
    ...permissions(broker, connection),
    letNextStart,
  }
  const reply = (answer: Answer<Api>): Reply => {
    const encode = (of: Exclude<Answer<Api>, typeof noReply>) =>
      encodeResponseFrame<Fields, Fields>(found.api, apiVersion, correlationId, of)
    const pieces = answer === noReply ? undefined : encode(answer)
    if (metadata.image.quotas.size === 0) return pieces
    const throttleTimeMs = throttle(context, found.api, frame, pieces)
    return throttleTimeMs === 0 || answer === noReply ? pieces : encode({ ...answer, throttleTimeMs })
  }
  const failed = (error: unknown): Reply => failureReply(broker, found.api, header, request, error)
  try {
    const answer = found.handle(request, context)
    return answer instanceof Promise ? answer.then(reply).catch(failed) : reply(answer)
  } catch (error) {
    return failed(error)
  }
}

const EVERYTHING: Pick<RequestContext, 'isAllowed' | 'isAllowedForSome'> = {
  isAllowed: () => true,
  isAllowedForSome: () => true,
}

/** What may be done by who speaks on the connection now. */
function permissions({ authorizer }: Broker, connection: Connection): typeof EVERYTHING {
  if (authorizer === undefined) return EVERYTHING
  const client = { principal: connection.principal, host: hostOf(connection.remoteAddress) }
  return {
    isAllowed: (operation, kind, name) => authorizer.isAllowed(client, operation, kind, name),
    isAllowedForSome: (operation, kind) => authorizer.isAllowedForSome(client, operation, kind),
  }
}

/** Counts what a quota of bytes is about: requests to produce, answers to a fetch. How long the client is to wait, in ms. */
function throttle(context: RequestContext, api: Api, frame: Buffer, reply: Reply): number {
  const { broker, connection, clientId } = context
  if (api !== Produce && api !== Fetch) return 0
  const rate = api === Produce ? 'producer_byte_rate' : 'consumer_byte_rate'
  const bytes = api === Produce ? frame.length : (reply ?? []).reduce((sum, piece) => sum + piece.length, 0)
  const ms = broker.throttle.count(rate, connection.principal.replace(/^User:/, ''), clientId ?? '', bytes)
  if (ms > 0) connection.throttle(ms)
  return ms
}

/** An error as the answer's top-level code or that of its rows, where this version of the API has one; else the connection ends. */
function failureReply(broker: Broker, api: Api, header: RequestHeader, request: RequestOf<Api>, error: unknown): Reply {
  if (error instanceof CloseConnection) throw error
  if (!(error instanceof KafkaError)) broker.logger.error(`${api.name} version ${header.apiVersion} failed: ${withStack(error)}`)
  // The text of an unexpected error is for our log alone.
  const told = error instanceof KafkaError ? error : new KafkaError('UNKNOWN_SERVER_ERROR')
  const encode = (answer: Record<string, unknown>) =>
    encodeResponseFrame<Fields, Fields>(api, header.apiVersion, header.correlationId, answer)
  const refused = refusalOf(api, request, told)
  if (refused !== undefined) return encode(refused)
  const fields = new Map(Object.entries(api.response.fields))
  const { since = 0, until = Infinity } = fields.get('errorCode')?.settings ?? { since: Infinity }
  if (header.apiVersion < since || header.apiVersion > until) {
    throw new CloseConnection(`${api.name} failed: ${error instanceof Error ? error.message : String(error)}`)
  }
  const answer: Record<string, unknown> = { errorCode: told.code }
  if (fields.has('errorMessage')) answer.errorMessage = told.message
  return encode(answer)
}
