// Every API that is served, asked without permission and with just enough of it: which code it answers, that a refusal
// changes nothing, and that it is the same whether what was asked for exists or not. An API without a row fails here.

import { describe, expect, onTestFinished, test } from 'vitest'
import { randomUuid } from '../../../src/base/uuid.ts'
import type { Broker } from '../../../src/broker/broker.ts'
import { AclOperation, AclPatternType, AclPermissionType, AclResourceType, CLUSTER_NAME } from '../../../src/broker/security/acl.ts'
import type { Operation, ResourceKind } from '../../../src/broker/security/acl.ts'
import { STANDARD_AUTHORIZER } from '../../../src/broker/security/authorizer.ts'
import { AddOffsetsToTxn } from '../../../src/protocol/apis/add-offsets-to-txn.ts'
import { AddPartitionsToTxn } from '../../../src/protocol/apis/add-partitions-to-txn.ts'
import { AlterClientQuotas } from '../../../src/protocol/apis/alter-client-quotas.ts'
import { AlterConfigs } from '../../../src/protocol/apis/alter-configs.ts'
import { AlterPartitionReassignments } from '../../../src/protocol/apis/alter-partition-reassignments.ts'
import { AlterUserScramCredentials } from '../../../src/protocol/apis/alter-user-scram-credentials.ts'
import { ApiVersions } from '../../../src/protocol/apis/api-versions.ts'
import { ConsumerGroupDescribe } from '../../../src/protocol/apis/consumer-group-describe.ts'
import { ConsumerGroupHeartbeat } from '../../../src/protocol/apis/consumer-group-heartbeat.ts'
import { CreateAcls } from '../../../src/protocol/apis/create-acls.ts'
import { CreatePartitions } from '../../../src/protocol/apis/create-partitions.ts'
import { CreateTopics } from '../../../src/protocol/apis/create-topics.ts'
import { DeleteAcls } from '../../../src/protocol/apis/delete-acls.ts'
import { DeleteGroups } from '../../../src/protocol/apis/delete-groups.ts'
import { DeleteRecords } from '../../../src/protocol/apis/delete-records.ts'
import { DeleteTopics } from '../../../src/protocol/apis/delete-topics.ts'
import { DescribeAcls } from '../../../src/protocol/apis/describe-acls.ts'
import { DescribeClientQuotas } from '../../../src/protocol/apis/describe-client-quotas.ts'
import { DescribeCluster } from '../../../src/protocol/apis/describe-cluster.ts'
import { DescribeConfigs } from '../../../src/protocol/apis/describe-configs.ts'
import { DescribeGroups } from '../../../src/protocol/apis/describe-groups.ts'
import { AlterReplicaLogDirs } from '../../../src/protocol/apis/alter-replica-log-dirs.ts'
import { DescribeLogDirs } from '../../../src/protocol/apis/describe-log-dirs.ts'
import { DescribeProducers } from '../../../src/protocol/apis/describe-producers.ts'
import { DescribeQuorum } from '../../../src/protocol/apis/describe-quorum.ts'
import { DescribeTopicPartitions } from '../../../src/protocol/apis/describe-topic-partitions.ts'
import { DescribeTransactions } from '../../../src/protocol/apis/describe-transactions.ts'
import { DescribeUserScramCredentials } from '../../../src/protocol/apis/describe-user-scram-credentials.ts'
import { ElectLeaders } from '../../../src/protocol/apis/elect-leaders.ts'
import { EndTxn } from '../../../src/protocol/apis/end-txn.ts'
import { Fetch } from '../../../src/protocol/apis/fetch.ts'
import { FindCoordinator } from '../../../src/protocol/apis/find-coordinator.ts'
import { Heartbeat } from '../../../src/protocol/apis/heartbeat.ts'
import { IncrementalAlterConfigs } from '../../../src/protocol/apis/incremental-alter-configs.ts'
import { InitProducerId } from '../../../src/protocol/apis/init-producer-id.ts'
import { JoinGroup } from '../../../src/protocol/apis/join-group.ts'
import { LeaveGroup } from '../../../src/protocol/apis/leave-group.ts'
import { ListConfigResources } from '../../../src/protocol/apis/list-config-resources.ts'
import { ListGroups } from '../../../src/protocol/apis/list-groups.ts'
import { ListOffsets } from '../../../src/protocol/apis/list-offsets.ts'
import { ListPartitionReassignments } from '../../../src/protocol/apis/list-partition-reassignments.ts'
import { ListTransactions } from '../../../src/protocol/apis/list-transactions.ts'
import { Metadata } from '../../../src/protocol/apis/metadata.ts'
import { OffsetCommit } from '../../../src/protocol/apis/offset-commit.ts'
import { OffsetDelete } from '../../../src/protocol/apis/offset-delete.ts'
import { OffsetFetch } from '../../../src/protocol/apis/offset-fetch.ts'
import { OffsetForLeaderEpoch } from '../../../src/protocol/apis/offset-for-leader-epoch.ts'
import { Produce } from '../../../src/protocol/apis/produce.ts'
import { SaslAuthenticate } from '../../../src/protocol/apis/sasl-authenticate.ts'
import { SaslHandshake } from '../../../src/protocol/apis/sasl-handshake.ts'
import { SyncGroup } from '../../../src/protocol/apis/sync-group.ts'
import { TxnOffsetCommit } from '../../../src/protocol/apis/txn-offset-commit.ts'
import { AddRaftVoter } from '../../../src/protocol/apis/add-raft-voter.ts'
import { RemoveRaftVoter } from '../../../src/protocol/apis/remove-raft-voter.ts'
import { UnregisterBroker } from '../../../src/protocol/apis/unregister-broker.ts'
import { UpdateFeatures } from '../../../src/protocol/apis/update-features.ts'
import { WriteTxnMarkers } from '../../../src/protocol/apis/write-txn-markers.ts'
import { ZERO_UUID } from '../../../src/protocol/reader.ts'
import type { Api, RequestInput, ResponseOf } from '../../../src/protocol/schema.ts'
import { testBroker } from '../../support/broker.ts'
import { batchOf, type RawClient } from '../../support/raw-client.ts'

type Permission = readonly [operation: Operation, kind: ResourceKind, name: string]

/** What a request is about: as it exists, or names that nobody has. */
interface Names {
  readonly topic: string
  readonly topicId: string
  readonly group: string
}

interface Row {
  readonly api: Api
  readonly title: string
  readonly ask: (client: RawClient, names: Names) => Promise<unknown>
  /** Permissions, and what is answered with just these, in turn. */
  readonly steps: readonly (readonly [permissions: readonly Permission[], answer: unknown])[]
  readonly tellsNothing: boolean
}

const [OK, TOPIC, GROUP, CLUSTER, TRANSACTION] = [0, 29, 30, 31, 53]
const [NOT_COORDINATOR, NOT_ENOUGH_REPLICAS] = [16, 19]
const UNKNOWN_MEMBER = 25
const cluster = (operation: Operation): Permission => [operation, 'CLUSTER', CLUSTER_NAME]
const onTopic = (operation: Operation, name = 'secret'): Permission => [operation, 'TOPIC', name]
const onGroup = (operation: Operation): Permission => [operation, 'GROUP', 'team']
const onTransaction = (operation: Operation, name = 'tx'): Permission => [operation, 'TRANSACTIONAL_ID', name]

interface RowOptions {
  readonly title?: string
  /** An answer that differs for what does not exist: by id, or because nothing by name is asked for. */
  readonly tellsNothing?: boolean
}

function row<A extends Api>(
  api: A,
  version: number,
  request: (names: Names) => object, // only the fields that this version has
  answer: (reply: ResponseOf<A>, names: Names) => unknown,
  steps: Row['steps'],
  { title = '', tellsNothing = true }: RowOptions = {},
): Row {
  const ask = async (client: RawClient, names: Names) => answer(await client.call(api, version, request(names) as RequestInput<A>), names)
  return { api, title: `${api.name} ${version} ${title}`.trim(), ask, steps, tellsNothing }
}

const everything = { resourceTypeFilter: 1, resourceNameFilter: null, patternTypeFilter: 1, principalFilter: null, hostFilter: null, operation: 1, permissionType: 1 }
const acl = { resourceType: 2, resourceName: 'x', resourcePatternType: 3, principal: 'User:x', host: '*', operation: 3, permissionType: 3 }
const fetchPartition = { partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }
const newTopic = (name: string) => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] })
const codes = (rows: readonly { readonly errorCode: number }[]) => rows.map(({ errorCode }) => errorCode)
const configChange = (resourceType: number, resourceName: string, name: string, value: string) => {
  return { resources: [{ resourceType, resourceName, configs: [{ name, configOperation: 0, value }] }], validateOnly: false }
}

// prettier-ignore
const ROWS: readonly Row[] = [
  row(Produce, 9, ({ topic }) => produceTo({ name: topic }), producedCodes, [[[], [TOPIC]], [[onTopic('DESCRIBE')], [TOPIC]], [[onTopic('WRITE')], [OK]]]),
  row(Produce, 13, ({ topicId }) => produceTo({ topicId }), producedCodes, [[[], [TOPIC]], [[onTopic('WRITE')], [OK]]], { tellsNothing: false }),
  row(Fetch, 12, ({ topic }) => fetchFrom({ topic }), fetchedCodes, [[[], [[TOPIC, 0]]], [[onTopic('DESCRIBE')], [[TOPIC, 0]]], [[onTopic('READ')], [[OK, 69]]]]),
  row(Fetch, 13, ({ topicId }) => fetchFrom({ topicId }), fetchedCodes, [[[], [[TOPIC, 0]]], [[onTopic('READ')], [[OK, 69]]]], { tellsNothing: false }),
  row(ListOffsets, 5, ({ topic }) => ({ replicaId: -1, isolationLevel: 0, topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -1 }] }] }),
    (reply) => reply.topics[0].partitions.map(({ errorCode, offset }) => [errorCode, offset]), [[[], [[TOPIC, -1]]], [[onTopic('DESCRIBE')], [[OK, 1]]]]),
  row(Metadata, 12, ({ topic }) => ({ topics: [{ name: topic, topicId: ZERO_UUID }], allowAutoTopicCreation: false }),
    ({ topics }) => topics.map(({ errorCode, topicId, partitions }) => [errorCode, topicId === ZERO_UUID, partitions.length]), [[[], [[TOPIC, true, 0]]], [[onTopic('READ')], [[OK, false, 1]]]]),
  row(Metadata, 12, ({ topicId }) => ({ topics: [{ name: null, topicId }], allowAutoTopicCreation: false }),
    ({ topics }) => topics.map(({ errorCode, name }) => [errorCode, name]), [[[], [[TOPIC, null]]], [[onTopic('DESCRIBE')], [[OK, 'secret']]]], { title: 'by id', tellsNothing: false }),
  row(Metadata, 12, () => ({ topics: null, allowAutoTopicCreation: true }), ({ topics }) => topics.map(({ name }) => name), [[[], []], [[onTopic('DESCRIBE')], ['secret']]], { title: 'of all' }),
  row(Metadata, 12, () => ({ topics: [{ name: 'new', topicId: ZERO_UUID }], allowAutoTopicCreation: true }), ({ topics }) => codes(topics), [
    [[onTopic('CREATE', 'new')], [TOPIC]], [[onTopic('DESCRIBE', 'new')], [TOPIC]], [[onTopic('DESCRIBE', 'new'), onTopic('CREATE', 'new')], [OK]]], { title: 'that creates' }),
  row(Metadata, 12, () => ({ topics: [{ name: 'new', topicId: ZERO_UUID }], allowAutoTopicCreation: true }), ({ topics }) => codes(topics), [
    [[onTopic('READ', 'new'), cluster('ALTER')], [TOPIC]], [[onTopic('READ', 'new'), cluster('CREATE')], [OK]]], { title: 'that creates, by the cluster' }),
  row(Metadata, 9, ({ topic }) => ({ topics: [{ name: topic }], allowAutoTopicCreation: false, includeTopicAuthorizedOperations: true, includeClusterAuthorizedOperations: true }),
    ({ topics, clusterAuthorizedOperations }) => [topics[0].topicAuthorizedOperations, clusterAuthorizedOperations], [
      [[], [-2147483648, 0]], [[onTopic('WRITE'), cluster('CREATE')], [bits('WRITE', 'DESCRIBE'), 0]], [[onTopic('READ'), cluster('ALTER')], [bits('READ', 'DESCRIBE'), bits('ALTER', 'DESCRIBE')]]], { title: 'with operations' }),
  row(OffsetCommit, 9, ({ topic, group }) => commitOf({ name: topic }, group), committedCodes, [[[onTopic('READ')], [GROUP]], [[onGroup('READ'), onTopic('DESCRIBE')], [TOPIC]], [[onGroup('READ'), onTopic('READ')], [OK]]]),
  row(OffsetCommit, 10, ({ topicId, group }) => commitOf({ topicId }, group), committedCodes, [[[], [GROUP]], [[onGroup('READ')], [TOPIC]], [[onGroup('READ'), onTopic('READ')], [OK]]], { tellsNothing: false }),
  row(OffsetFetch, 8, ({ topic, group }) => ({ groups: [{ groupId: group, topics: [{ name: topic, partitionIndexes: [0] }] }] }), fetchedOffsets, [
    [[onTopic('DESCRIBE')], [GROUP, []]], [[onGroup('DESCRIBE')], [OK, [[TOPIC, -1n]]]], [[onGroup('READ'), onTopic('DESCRIBE')], [OK, [[OK, 7n]]]]]),
  row(OffsetFetch, 10, ({ topicId, group }) => ({ groups: [{ groupId: group, topics: [{ topicId, partitionIndexes: [0] }] }] }), fetchedOffsets, [
    [[], [GROUP, []]], [[onGroup('DESCRIBE')], [OK, [[TOPIC, -1n]]]], [[onGroup('DESCRIBE'), onTopic('DESCRIBE')], [OK, [[OK, 7n]]]]], { tellsNothing: false }),
  row(OffsetFetch, 8, ({ group }) => ({ groups: [{ groupId: group, topics: null }] }), fetchedOffsets, [
    [[], [GROUP, []]], [[onGroup('DESCRIBE')], [OK, []]], [[onGroup('DESCRIBE'), onTopic('DESCRIBE')], [OK, [[OK, 7n]]]]], { title: 'of all' }),
  row(FindCoordinator, 4, ({ group }) => ({ keyType: 0, coordinatorKeys: [group] }), ({ coordinators }) => coordinators.map(({ errorCode, nodeId }) => [errorCode, nodeId]), [[[], [[GROUP, -1]]], [[onGroup('READ')], [[OK, 1]]]]),
  row(FindCoordinator, 3, ({ group }) => ({ keyType: 1, key: group }), ({ errorCode }) => errorCode, [[[], 53], [[['DESCRIBE', 'TRANSACTIONAL_ID', 'team']], OK]], { title: 'of a transaction' }),
  row(FindCoordinator, 6, ({ group }) => ({ keyType: 2, coordinatorKeys: [`${group}:AAAAAAAAAAAAAAAAAAAABQ:0`] }), ({ coordinators }) => codes(coordinators), [[[], [CLUSTER]], [[cluster('CLUSTER_ACTION')], [OK]]], { title: 'of a share group' }),
  row(JoinGroup, 5, ({ group }) => ({ groupId: group, sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000, memberId: '', protocolType: 'consumer', protocols: [{ name: 'range', metadata: Buffer.alloc(0) }] }),
    ({ errorCode, generationId, memberId }) => [errorCode, generationId, memberId !== ''], [[[], [GROUP, -1, false]], [[onGroup('READ')], [79, -1, true]]]),
  row(SyncGroup, 5, ({ group }) => ({ groupId: group, generationId: 1, memberId: 'm', assignments: [] }), ({ errorCode }) => errorCode, [[[], GROUP], [[onGroup('READ')], UNKNOWN_MEMBER]]),
  row(Heartbeat, 4, ({ group }) => ({ groupId: group, generationId: 1, memberId: 'm' }), ({ errorCode }) => errorCode, [[[], GROUP], [[onGroup('READ')], UNKNOWN_MEMBER]]),
  row(LeaveGroup, 2, ({ group }) => ({ groupId: group, memberId: 'm' }), ({ errorCode }) => errorCode, [[[], GROUP], [[onGroup('READ')], UNKNOWN_MEMBER]]),
  row(LeaveGroup, 5, ({ group }) => ({ groupId: group, members: [{ memberId: 'm' }] }), ({ errorCode, members }) => [errorCode, codes(members)], [[[], [GROUP, []]], [[onGroup('READ')], [OK, [UNKNOWN_MEMBER]]]]),
  row(DescribeGroups, 5, ({ group }) => ({ groups: [group], includeAuthorizedOperations: true }), ({ groups }) => groups.map(({ errorCode, groupState, authorizedOperations }) => [errorCode, groupState, authorizedOperations]), [
    [[], [[GROUP, '', -2147483648]]], [[onGroup('DELETE')], [[OK, 'Empty', bits('DELETE', 'DESCRIBE')]]]]),
  row(ConsumerGroupHeartbeat, 1, ({ topic, group }) => subscribe(topic, group), ({ errorCode, memberEpoch }) => [errorCode, memberEpoch > 0], [
    [[onTopic('DESCRIBE')], [GROUP, false]], [[onGroup('READ')], [TOPIC, false]], [[onGroup('READ'), onTopic('DESCRIBE')], [OK, true]]]),
  row(ConsumerGroupDescribe, 1, ({ group }) => ({ groupIds: [group], includeAuthorizedOperations: true }), ({ groups }) => codes(groups), [[[onTopic('DESCRIBE')], [GROUP]], [[onGroup('DESCRIBE')], [69]]]),
  row(ListGroups, 4, () => ({ statesFilter: [] }), ({ errorCode, groups }) => [errorCode, groups.map(({ groupId }) => groupId)], [[[], [OK, []]], [[onGroup('DESCRIBE')], [OK, ['team']]], [[cluster('DESCRIBE')], [OK, ['team']]]]),
  row(DeleteGroups, 2, ({ group }) => ({ groupsNames: [group] }), ({ results }) => codes(results), [[[], [GROUP]], [[onGroup('READ')], [GROUP]], [[onGroup('DELETE')], [OK]]]),
  row(OffsetDelete, 0, ({ topic, group }) => ({ groupId: group, topics: [{ name: topic, partitions: [{ partitionIndex: 0 }] }] }), ({ errorCode, topics }) => [errorCode, topics.flatMap(({ partitions }) => codes(partitions))], [
    [[onTopic('READ')], [GROUP, []]], [[onGroup('DELETE')], [OK, [TOPIC]]], [[onGroup('DELETE'), onTopic('READ')], [OK, [OK]]]]),
  row(CreateTopics, 7, () => ({ topics: [newTopic('new')] }), ({ topics }) => topics.map(({ errorCode, topicConfigErrorCode, numPartitions, configs }) => [errorCode, topicConfigErrorCode, numPartitions, configs?.length === 0]), [
    [[], [[TOPIC, OK, -1, true]]], [[onTopic('CREATE', 'new')], [[OK, TOPIC, -1, true]]]]),
  row(CreateTopics, 7, ({ topic }) => ({ topics: [newTopic(topic)] }), ({ topics }) => codes(topics), [[[], [TOPIC]], [[cluster('CREATE'), onTopic('DESCRIBE_CONFIGS', 'new')], [36]]], { title: 'of one that is there' }),
  row(CreateTopics, 7, () => ({ topics: [newTopic('new')] }), ({ topics }) => topics.map(({ errorCode, topicConfigErrorCode, numPartitions }) => [errorCode, topicConfigErrorCode, numPartitions]), [
    [[cluster('ALTER')], [[TOPIC, OK, -1]]], [[cluster('CREATE'), onTopic('DESCRIBE_CONFIGS', 'new')], [[OK, OK, 1]]]], { title: 'by the cluster' }),
  row(DeleteTopics, 5, ({ topic }) => ({ topicNames: [topic] }), ({ responses }) => codes(responses), [[[], [TOPIC]], [[onTopic('DESCRIBE')], [TOPIC]], [[onTopic('DELETE')], [OK]]]),
  row(DeleteTopics, 6, ({ topicId }) => ({ topics: [{ name: null, topicId }] }), ({ responses }) => responses.map(({ errorCode, name }) => [errorCode, name]), [
    [[], [[TOPIC, null]]], [[onTopic('DESCRIBE')], [[TOPIC, 'secret']]], [[onTopic('DELETE')], [[OK, 'secret']]]], { title: 'by id', tellsNothing: false }),
  row(DeleteTopics, 5, ({ topic }) => ({ topicNames: [topic] }), ({ responses }) => codes(responses), [[[cluster('ALTER')], [TOPIC]], [[cluster('DELETE')], [OK]]], { title: 'by the cluster' }),
  row(DeleteRecords, 2, ({ topic }) => ({ topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset: 1 }] }], timeoutMs: 1000 }), ({ topics }) => topics[0].partitions.map(({ errorCode, lowWatermark }) => [errorCode, lowWatermark]), [
    [[], [[TOPIC, -1]]], [[onTopic('WRITE')], [[TOPIC, -1]]], [[onTopic('DELETE')], [[OK, 1]]]]),
  row(CreatePartitions, 3, ({ topic }) => ({ topics: [{ name: topic, count: 2, assignments: null }], timeoutMs: 1000, validateOnly: false }), ({ results }) => codes(results), [[[], [TOPIC]], [[onTopic('CREATE')], [TOPIC]], [[onTopic('ALTER')], [OK]]]),
  row(DescribeTopicPartitions, 0, ({ topic }) => ({ topics: [{ name: topic }], cursor: null }), ({ topics }) => topics.map(({ errorCode, topicId, topicAuthorizedOperations }) => [errorCode, topicId === ZERO_UUID, topicAuthorizedOperations]), [
    [[], [[TOPIC, true, -2147483648]]], [[onTopic('ALTER_CONFIGS')], [[TOPIC, true, -2147483648]]], [[onTopic('DESCRIBE')], [[OK, false, bits('DESCRIBE')]]]]),
  row(DescribeTopicPartitions, 0, () => ({ topics: [], cursor: null }), ({ topics }) => topics.map(({ name }) => name), [[[], []], [[onTopic('DESCRIBE')], ['secret']]], { title: 'of all' }),
  row(OffsetForLeaderEpoch, 4, ({ topic }) => ({ replicaId: -1, topics: [{ topic, partitions: [{ partition: 0, leaderEpoch: 0 }] }] }), ({ topics }) => topics[0].partitions.map(({ errorCode, endOffset }) => [errorCode, endOffset]), [
    [[], [[TOPIC, -1]]], [[onTopic('DESCRIBE')], [[OK, 1]]], [[cluster('CLUSTER_ACTION')], [[OK, 1]]]]),
  row(InitProducerId, 4, () => ({ transactionalId: null, transactionTimeoutMs: 1000 }), ({ errorCode, producerId }) => [errorCode, producerId >= 0n], [
    [[onTopic('READ')], [CLUSTER, false]], [[onTopic('WRITE')], [OK, true]]]),
  row(InitProducerId, 4, () => ({ transactionalId: null, transactionTimeoutMs: 1000 }), ({ errorCode }) => errorCode, [[[cluster('ALTER')], CLUSTER], [[cluster('IDEMPOTENT_WRITE')], OK]], { title: 'by the cluster' }),
  row(Produce, 9, ({ topic }) => ({ ...produceTo({ name: topic }, { producerId: 7n, producerEpoch: 0, baseSequence: 0, isTransactional: true }), transactionalId: 'tx' }), producedCodes, [
    [[onTopic('WRITE')], [TRANSACTION]], [[onTransaction('DESCRIBE'), onTopic('WRITE')], [TRANSACTION]], [[onTransaction('WRITE')], [TOPIC]], [[onTransaction('WRITE'), onTopic('WRITE')], [NOT_ENOUGH_REPLICAS]]], { title: 'in a transaction' }),
  row(InitProducerId, 4, () => ({ transactionalId: 'tx', transactionTimeoutMs: 1000 }), ({ errorCode }) => errorCode, [[[cluster('IDEMPOTENT_WRITE'), onTransaction('DESCRIBE')], TRANSACTION], [[onTransaction('WRITE')], OK]], { title: 'for transactions' }),
  row(AddPartitionsToTxn, 3, ({ topic }) => ({ ...ofProducer('v3AndBelow'), v3AndBelowTopics: [{ name: topic, partitions: [0] }] }), ({ resultsByTopicV3AndBelow: [{ resultsByPartition }] }) => resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode), [
    [[onTopic('WRITE')], [TRANSACTION]], [[onTransaction('WRITE'), onTopic('READ')], [TOPIC]], [[onTransaction('WRITE'), onTopic('WRITE')], [NOT_COORDINATOR]]]),
  row(AddPartitionsToTxn, 4, () => ({ transactions: [] }), ({ errorCode }) => errorCode, [[[cluster('ALTER')], CLUSTER], [[cluster('CLUSTER_ACTION')], OK]], { title: 'between brokers' }),
  row(AddOffsetsToTxn, 4, ({ group }) => ({ ...ofProducer(), groupId: group }), ({ errorCode }) => errorCode, [[[onGroup('READ')], TRANSACTION], [[onTransaction('WRITE'), onGroup('DESCRIBE')], GROUP], [[onTransaction('WRITE'), onGroup('READ')], NOT_COORDINATOR]]),
  row(EndTxn, 5, () => ({ ...ofProducer(), committed: true }), ({ errorCode }) => errorCode, [[[onTransaction('DESCRIBE')], TRANSACTION], [[onTransaction('WRITE')], NOT_COORDINATOR]]),
  row(TxnOffsetCommit, 5, ({ topic, group }) => ({ ...ofProducer(), ...commitOf({ name: topic }, group) }), ({ topics }) => codes(topics[0].partitions), [
    [[onGroup('READ'), onTopic('READ')], [TRANSACTION]], [[onTransaction('WRITE'), onTopic('READ')], [GROUP]], [[onTransaction('WRITE'), onGroup('READ')], [TOPIC]], [[onTransaction('WRITE'), onGroup('READ'), onTopic('READ')], [NOT_COORDINATOR]]]),
  row(WriteTxnMarkers, 2, ({ topic }) => ({ markers: [{ producerId: 7n, producerEpoch: 0, transactionResult: false, coordinatorEpoch: 0, topics: [{ name: topic, partitionIndexes: [0] }] }] }), ({ markers }) => markers.flatMap(({ topics }) => codes(topics[0].partitions)), [
    [[cluster('DESCRIBE')], [CLUSTER]], [[cluster('ALTER')], [OK]]]),
  row(DescribeTransactions, 0, () => ({ transactionalIds: ['tx'] }), ({ transactionStates }) => codes(transactionStates), [[[onTransaction('DESCRIBE', 'other')], [TRANSACTION]], [[onTransaction('DESCRIBE')], [NOT_COORDINATOR]]]),
  row(ListTransactions, 2, () => ({ stateFilters: [], producerIdFilters: [] }), ({ errorCode, transactionStates }) => [errorCode, transactionStates], [[[], [OK, []]], [[onTransaction('DESCRIBE')], [OK, []]]]),
  row(DescribeProducers, 0, ({ topic }) => ({ topics: [{ name: topic, partitionIndexes: [0] }] }), ({ topics }) => codes(topics[0].partitions), [[[onTopic('DESCRIBE')], [TOPIC]], [[onTopic('READ')], [OK]]]),
  row(DescribeConfigs, 4, ({ topic }) => ({ resources: [{ resourceType: 2, resourceName: topic, configurationKeys: ['retention.ms'] }] }), describedConfigs, [[[onTopic('DESCRIBE')], [[TOPIC, 0]]], [[onTopic('DESCRIBE_CONFIGS')], [[OK, 1]]], [[onTopic('ALTER_CONFIGS')], [[OK, 1]]]]),
  row(DescribeConfigs, 4, () => ({ resources: [{ resourceType: 4, resourceName: '1', configurationKeys: ['node.id'] }, { resourceType: 8, resourceName: '1', configurationKeys: ['root'] }] }), describedConfigs, [
    [[cluster('DESCRIBE')], [[CLUSTER, 0], [CLUSTER, 0]]], [[cluster('DESCRIBE_CONFIGS')], [[OK, 1], [OK, 1]]]], { title: 'of the broker' }),
  row(AlterConfigs, 2, ({ topic }) => configChange(2, topic, 'retention.ms', '1000'), ({ responses }) => codes(responses), [[[onTopic('ALTER')], [TOPIC]], [[onTopic('ALTER_CONFIGS')], [OK]]]),
  row(IncrementalAlterConfigs, 1, ({ topic }) => configChange(2, topic, 'retention.ms', '1000'), ({ responses }) => codes(responses), [[[onTopic('ALTER')], [TOPIC]], [[onTopic('ALTER_CONFIGS')], [OK]]]),
  row(IncrementalAlterConfigs, 1, () => configChange(4, '', 'log.cleaner.threads', '2'), ({ responses }) => codes(responses), [[[cluster('ALTER')], [CLUSTER]], [[cluster('ALTER_CONFIGS')], [OK]]], { title: 'of the broker' }),
  row(IncrementalAlterConfigs, 1, () => configChange(8, '1', 'root', 'DEBUG'), ({ responses }) => codes(responses), [[[cluster('ALTER_CONFIGS')], [CLUSTER]], [[cluster('CLUSTER_ACTION')], [OK]]], { title: 'of the log' }),
  row(AlterReplicaLogDirs, 2, () => ({ dirs: [{ path: '/elsewhere', topics: [{ name: 't', partitions: [0] }] }] }), ({ results }) => results.flatMap(({ partitions }) => codes(partitions)), [[[], [CLUSTER]], [[cluster('DESCRIBE')], [CLUSTER]], [[cluster('ALTER')], [57]]]),
  row(DescribeLogDirs, 5, () => ({ topics: null }), ({ errorCode, results }) => [errorCode, results.length], [[[cluster('ALTER')], [OK, 1]], [[], [CLUSTER, 0]], [[cluster('DESCRIBE')], [OK, 1]]]),
  row(DescribeLogDirs, 1, () => ({ topics: null }), ({ results }) => results.length, [[[], 0], [[cluster('DESCRIBE')], 1]]),
  row(ListPartitionReassignments, 0, () => ({ topics: null }), ({ errorCode }) => errorCode, [[[onTopic('DESCRIBE')], CLUSTER], [[cluster('DESCRIBE')], OK]]),
  row(AlterPartitionReassignments, 0, ({ topic }) => ({ topics: [{ name: topic, partitions: [{ partitionIndex: 0, replicas: [1] }] }] }), ({ errorCode }) => errorCode, [[[onTopic('ALTER'), cluster('DESCRIBE')], CLUSTER], [[cluster('ALTER')], OK]]),
  row(ElectLeaders, 2, ({ topic }) => ({ electionType: 0, topicPartitions: [{ topic, partitions: [0] }] }), ({ errorCode }) => errorCode, [[[onTopic('ALTER'), cluster('DESCRIBE')], CLUSTER], [[cluster('ALTER')], OK]]),
  row(DescribeClientQuotas, 1, () => ({ components: [], strict: false }), ({ errorCode }) => errorCode, [[[cluster('DESCRIBE')], CLUSTER], [[cluster('DESCRIBE_CONFIGS')], OK]]),
  row(AlterClientQuotas, 1, () => ({ entries: [{ entity: [{ entityType: 'user', entityName: 'u' }], ops: [{ key: 'producer_byte_rate', value: 1, remove: false }] }], validateOnly: false }), ({ entries }) => codes(entries), [
    [[cluster('ALTER')], [CLUSTER]], [[cluster('ALTER_CONFIGS')], [OK]]]),
  row(DescribeUserScramCredentials, 0, () => ({ users: null }), ({ errorCode }) => errorCode, [[[cluster('DESCRIBE_CONFIGS')], CLUSTER], [[cluster('DESCRIBE')], OK]]),
  row(AlterUserScramCredentials, 0, () => ({ deletions: [{ name: 'x', mechanism: 1 }], upsertions: [] }), ({ results }) => codes(results), [[[cluster('DESCRIBE')], [CLUSTER]], [[cluster('ALTER')], [91]]]),
  row(DescribeQuorum, 2, () => ({ topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }] }), ({ errorCode, nodes }) => [errorCode, nodes.length], [[[], [CLUSTER, 0]], [[cluster('DESCRIBE')], [OK, 1]]]),
  row(UpdateFeatures, 1, () => ({ featureUpdates: [{ feature: 'no.such', maxVersionLevel: 1, upgradeType: 1 }] }), ({ errorCode }) => errorCode === CLUSTER, [[[cluster('ALTER_CONFIGS')], true], [[cluster('ALTER')], false]]),
  row(UnregisterBroker, 0, () => ({ brokerId: 7 }), ({ errorCode }) => errorCode, [[[cluster('DESCRIBE')], CLUSTER], [[cluster('ALTER')], 102]]),
  row(AddRaftVoter, 1, () => ({ clusterId: null, timeoutMs: 1000, voterId: 7, voterDirectoryId: ZERO_UUID, listeners: [] }), ({ errorCode }) => errorCode, [[[cluster('DESCRIBE')], CLUSTER], [[cluster('ALTER')], 35]]),
  row(RemoveRaftVoter, 0, () => ({ clusterId: null, voterId: 7, voterDirectoryId: ZERO_UUID }), ({ errorCode }) => errorCode, [[[cluster('DESCRIBE')], CLUSTER], [[cluster('ALTER')], 35]]),
  row(ListConfigResources, 1, () => ({ resourceTypes: [] }), ({ errorCode, configResources }) => [errorCode, configResources.length > 0], [[[cluster('DESCRIBE')], [CLUSTER, false]], [[cluster('DESCRIBE_CONFIGS')], [OK, true]]]),
  row(DescribeCluster, 2, () => ({ includeClusterAuthorizedOperations: true, endpointType: 1 }), ({ errorCode, clusterAuthorizedOperations }) => [errorCode, clusterAuthorizedOperations], [
    [[cluster('CREATE')], [OK, 0]], [[cluster('DESCRIBE')], [OK, bits('DESCRIBE')]], [[cluster('ALTER')], [OK, bits('ALTER', 'DESCRIBE')]]]),
  row(DescribeAcls, 3, () => everything, ({ errorCode, resources }) => [errorCode, resources.length], [[[onTopic('ALTER')], [CLUSTER, 0]], [[cluster('DESCRIBE')], [OK, 1]]]),
  row(CreateAcls, 3, () => ({ creations: [acl] }), ({ results }) => codes(results), [[[cluster('DESCRIBE')], [CLUSTER]], [[cluster('ALTER')], [OK]]]),
  row(DeleteAcls, 3, () => ({ filters: [everything] }), ({ filterResults }) => filterResults.map(({ errorCode, matchingAcls }) => [errorCode, matchingAcls.length]), [[[cluster('DESCRIBE')], [[CLUSTER, 0]]], [[cluster('ALTER')], [[OK, 1]]]]),
]

/** What everybody may ask: who am I talking to, and who am I. */
const NEEDS_NOTHING: readonly Api[] = [ApiVersions, SaslHandshake, SaslAuthenticate]

function produceTo(topic: { readonly name?: string; readonly topicId?: string }, options: Parameters<typeof batchOf>[1] = {}): object {
  return { transactionalId: null, acks: -1, timeoutMs: 1000, topicData: [{ ...topic, partitionData: [{ index: 0, records: batchOf(['x'], options) }] }] }
}

/** A producer that nobody knows. */
function ofProducer(prefix: '' | 'v3AndBelow' = ''): object {
  if (prefix === '') return { transactionalId: 'tx', producerId: 7n, producerEpoch: 0 }
  return { transactions: [], v3AndBelowTransactionalId: 'tx', v3AndBelowProducerId: 7n, v3AndBelowProducerEpoch: 0 }
}

function subscribe(topic: string, groupId: string): object {
  return { groupId, memberId: 'm', memberEpoch: 0, rebalanceTimeoutMs: 1000, subscribedTopicNames: [topic], topicPartitions: [] }
}

function producedCodes({ responses }: ResponseOf<typeof Produce>): unknown {
  return responses.flatMap(({ partitionResponses }) => codes(partitionResponses))
}

function fetchFrom(topic: { readonly topic?: string; readonly topicId?: string }): object {
  return { maxWaitMs: 0, minBytes: 1, topics: [{ ...topic, partitions: [fetchPartition] }] }
}

function fetchedCodes({ responses }: ResponseOf<typeof Fetch>): unknown {
  return responses.flatMap(({ partitions }) => partitions.map(({ errorCode, records }) => [errorCode, records?.length]))
}

function commitOf(topic: { readonly name?: string; readonly topicId?: string }, groupId: string, committedOffset = 9n): object {
  return { groupId, memberId: '', topics: [{ ...topic, partitions: [{ partitionIndex: 0, committedOffset, committedMetadata: '' }] }] }
}

function committedCodes({ topics }: ResponseOf<typeof OffsetCommit>): unknown {
  return topics.flatMap(({ partitions }) => codes(partitions))
}

function fetchedOffsets({ groups: [{ errorCode, topics }] }: ResponseOf<typeof OffsetFetch>): unknown {
  const rows = topics.flatMap(({ partitions }) => partitions)
  return [errorCode, rows.map((one) => [one.errorCode, one.committedOffset])]
}

function describedConfigs({ results }: ResponseOf<typeof DescribeConfigs>): unknown {
  return results.map(({ errorCode, configs }) => [errorCode, configs.length])
}

function bits(...operations: Operation[]): number {
  return operations.reduce((field, operation) => field | (1 << AclOperation[operation]), 0)
}

/** Takes all ACLs away, and gives the client these. */
async function permit({ metadata }: Broker, permissions: readonly Permission[]): Promise<void> {
  const old = [...metadata.image.acls.entries()].map(([id]) => id)
  await metadata.commit([
    ...old.map((id) => ({ name: 'RemoveAccessControlEntryRecord' as const, value: { id } })),
    ...permissions.map(([operation, kind, resourceName]) => ({
      name: 'AccessControlEntryRecord' as const,
      value: {
        id: randomUuid(),
        resourceType: AclResourceType[kind],
        resourceName,
        patternType: AclPatternType.LITERAL,
        principal: 'User:ANONYMOUS',
        host: '127.0.0.1',
        operation: AclOperation[operation],
        permissionType: AclPermissionType.ALLOW,
      },
    })),
  ])
}

/** A broker with an authorizer; the topic `secret` with a record, and the group `team` with an offset of it. */
async function guarded() {
  const world = await testBroker({ properties: { 'authorizer.class.name': STANDARD_AUTHORIZER }, topics: ['secret'], ephemeral: true })
  const client = await world.connect()
  await permit(world.broker, [['WRITE', 'TOPIC', 'secret'], ['READ', 'TOPIC', 'secret'], ['READ', 'GROUP', 'team']]) // prettier-ignore
  await client.call(Produce, 9, produceTo({ name: 'secret' }) as RequestInput<typeof Produce>)
  await client.call(FindCoordinator, 4, { keyType: 0, key: '', coordinatorKeys: ['team'] })
  const { topics } = await client.call(OffsetCommit, 9, commitOf({ name: 'secret' }, 'team', 7n) as RequestInput<typeof OffsetCommit>)
  expect(topics[0].partitions[0].errorCode).toBe(OK)
  await permit(world.broker, [])
  onTestFinished(() => client.close())
  return { ...world, client, names: { topic: 'secret', topicId: world.topicId('secret'), group: 'team' } }
}

/** All that a refused request must not change. */
async function stateOf({ metadata, partitions, groups }: Broker): Promise<string> {
  const records = [...metadata.image.records()].filter(({ name }) => name !== 'AccessControlEntryRecord')
  const ends = [...partitions.all()].map(({ topic, index, log }) => [topic, index, log.logStartOffset, log.logEndOffset])
  return JSON.stringify([records, ends, await groups.list()], (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
}

test('every API that is served has a row', async () => {
  const { connect } = await testBroker()
  const { apiKeys } = await (await connect()).call(ApiVersions, 4, { clientSoftwareName: 'raw', clientSoftwareVersion: '1' })
  const known = new Set([...ROWS.map(({ api }) => api.key), ...NEEDS_NOTHING.map(({ key }) => key)])
  expect(apiKeys.map(({ apiKey }) => apiKey).filter((key) => !known.has(key))).toEqual([])
})

describe('without permission nothing, with just enough of it all', () => {
  test.each(ROWS)('$title', async ({ ask, steps, tellsNothing }) => {
    const { broker, client, names } = await guarded()
    for (const [permissions, answer] of steps) {
      await permit(broker, permissions)
      const before = await stateOf(broker)
      if (permissions !== steps.at(-1)?.[0]) {
        const absent = { topic: 'absent', topicId: 'AAAAAAAAAAAAAAAAAAAABQ', group: 'nobody' }
        const named = permissions.some(([, , name]) => name === names.topic || name === names.group)
        if (tellsNothing && !named) expect(await ask(client, absent)).toEqual(answer)
        expect(await ask(client, names)).toEqual(answer)
        expect(await stateOf(broker)).toBe(before)
      } else expect(await ask(client, names)).toEqual(answer)
    }
  })

  test('a consumer group that has topics which the client may not see is not described', async () => {
    const { broker, client } = await guarded()
    await permit(broker, [onGroup('READ'), onTopic('DESCRIBE')])
    await client.call(ConsumerGroupHeartbeat, 1, subscribe('secret', 'team') as RequestInput<typeof ConsumerGroupHeartbeat>)
    const describe = async () => {
      const { groups } = await client.call(ConsumerGroupDescribe, 1, { groupIds: ['team'], includeAuthorizedOperations: true })
      return groups.map(({ errorCode, members, authorizedOperations }) => [errorCode, members.length, authorizedOperations])
    }
    expect(await describe()).toEqual([[OK, 1, bits('READ', 'DESCRIBE')]])
    await permit(broker, [onGroup('READ')])
    expect(await describe()).toEqual([[TOPIC, 0, -2147483648]])
  })

  test('without an authorizer nothing is refused to anybody', async () => {
    const { connect, topicId } = await testBroker({ topics: ['secret'] })
    const [client, names] = [await connect(), { topic: 'secret', topicId: topicId('secret'), group: 'team' }]
    for (const { title, ask } of ROWS) {
      const answer = JSON.stringify(await ask(client, names), (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
      expect(`${title} ${/\b(29|30|31|53)\b/.exec(answer)?.[0] ?? 'is free'}`).toBe(`${title} is free`)
    }
  })
})
