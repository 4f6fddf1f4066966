// The records of __cluster_metadata: all that Apache Kafka 4.3 knows, by Apache's name, each with its type
// (Apache calls it an api key) and versions. metadata.ts reads and writes them. Every version is flexible.

import { array, bool, bytes, exactInt64, float64, int8, int16, int32, int64 } from '../schema.ts'
import { string, uint16, uuid } from '../schema.ts'
import type { Fields } from '../schema.ts'

export interface RecordSchema<K extends number, F extends Fields> {
  readonly type: K
  readonly versions: readonly [min: number, max: number]
  readonly fields: F
}

function record<const K extends number, const F extends Fields>(
  type: K,
  versions: readonly [number, number],
  fields: F,
): RecordSchema<K, F> {
  return { type, versions, fields }
}

export const METADATA_RECORDS = {
  RegisterBrokerRecord: record(0, [0, 4], {
    brokerId: int32,
    isMigratingZkBroker: bool.since(2).or(false),
    incarnationId: uuid,
    brokerEpoch: int64,
    endPoints: array({ name: string, host: string, port: uint16, securityProtocol: int16 }),
    features: array({ name: string, minSupportedVersion: int16, maxSupportedVersion: int16 }),
    rack: string.nullable(),
    fenced: bool.or(true),
    inControlledShutdown: bool.since(1).or(false),
    logDirs: array(uuid).tagged(0, 3),
    cordonedLogDirs: array(uuid).nullable().or(null).tagged(1, 4),
  }),
  UnregisterBrokerRecord: record(1, [0, 0], { brokerId: int32, brokerEpoch: int64 }),
  TopicRecord: record(2, [0, 0], { name: string, topicId: uuid }),
  PartitionRecord: record(3, [0, 2], {
    partitionId: int32.or(-1),
    topicId: uuid,
    replicas: array(int32),
    isr: array(int32),
    removingReplicas: array(int32),
    addingReplicas: array(int32),
    leader: int32.or(-1),
    leaderRecoveryState: int8.or(0).tagged(0, 0),
    leaderEpoch: int32.or(-1),
    partitionEpoch: int32.or(-1),
    directories: array(uuid).since(1),
    eligibleLeaderReplicas: array(int32).nullable().or(null).tagged(1, 2),
    lastKnownElr: array(int32).nullable().or(null).tagged(2, 2),
  }),
  ConfigRecord: record(4, [0, 0], {
    resourceType: int8,
    resourceName: string,
    name: string,
    value: string.nullable(),
  }),
  PartitionChangeRecord: record(5, [0, 2], {
    partitionId: int32.or(-1),
    topicId: uuid,
    isr: array(int32).nullable().or(null).tagged(0, 0),
    leader: int32.or(-2).tagged(1, 0),
    replicas: array(int32).nullable().or(null).tagged(2, 0),
    removingReplicas: array(int32).nullable().or(null).tagged(3, 0),
    addingReplicas: array(int32).nullable().or(null).tagged(4, 0),
    leaderRecoveryState: int8.or(-1).tagged(5, 0),
    directories: array(uuid).nullable().or(null).tagged(8, 1),
    eligibleLeaderReplicas: array(int32).nullable().or(null).tagged(6, 2),
    lastKnownElr: array(int32).nullable().or(null).tagged(7, 2),
  }),
  FenceBrokerRecord: record(7, [0, 0], { id: int32, epoch: int64 }),
  UnfenceBrokerRecord: record(8, [0, 0], { id: int32, epoch: int64 }),
  RemoveTopicRecord: record(9, [0, 0], { topicId: uuid }),
  DelegationTokenRecord: record(10, [0, 0], {
    owner: string,
    requester: string,
    renewers: array(string),
    issueTimestamp: int64,
    maxTimestamp: int64,
    expirationTimestamp: int64,
    tokenId: string,
  }),
  UserScramCredentialRecord: record(11, [0, 0], {
    name: string,
    mechanism: int8,
    salt: bytes,
    storedKey: bytes,
    serverKey: bytes,
    iterations: int32,
  }),
  FeatureLevelRecord: record(12, [0, 0], { name: string, featureLevel: int16 }),
  ClientQuotaRecord: record(14, [0, 0], {
    entity: array({ entityType: string, entityName: string.nullable() }),
    key: string,
    value: float64,
    remove: bool,
  }),
  ProducerIdsRecord: record(15, [0, 0], {
    brokerId: int32,
    brokerEpoch: int64.or(-1),
    nextProducerId: exactInt64,
  }),
  BrokerRegistrationChangeRecord: record(17, [0, 3], {
    brokerId: int32,
    brokerEpoch: int64,
    fenced: int8.tagged(0, 0),
    inControlledShutdown: int8.tagged(1, 1),
    logDirs: array(uuid).tagged(2, 2),
    cordonedLogDirs: array(uuid).nullable().or(null).tagged(3, 3),
  }),
  AccessControlEntryRecord: record(18, [0, 0], {
    id: uuid,
    resourceType: int8,
    resourceName: string,
    patternType: int8,
    principal: string,
    host: string,
    operation: int8,
    permissionType: int8,
  }),
  RemoveAccessControlEntryRecord: record(19, [0, 0], { id: uuid }),
  NoOpRecord: record(20, [0, 0], {}),
  ZkMigrationStateRecord: record(21, [0, 0], { zkMigrationState: int8 }),
  RemoveUserScramCredentialRecord: record(22, [0, 0], { name: string, mechanism: int8 }),
  BeginTransactionRecord: record(23, [0, 0], { name: string.nullable().or(null).tagged(0, 0) }),
  EndTransactionRecord: record(24, [0, 0], {}),
  AbortTransactionRecord: record(25, [0, 0], { reason: string.nullable().or(null).tagged(0, 0) }),
  RemoveDelegationTokenRecord: record(26, [0, 0], { tokenId: string }),
  RegisterControllerRecord: record(27, [0, 0], {
    controllerId: int32,
    incarnationId: uuid,
    zkMigrationReady: bool,
    endPoints: array({ name: string, host: string, port: uint16, securityProtocol: int16 }),
    features: array({ name: string, minSupportedVersion: int16, maxSupportedVersion: int16 }),
  }),
  ClearElrRecord: record(28, [0, 0], { topicName: string }),
}
