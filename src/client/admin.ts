// Administration of a cluster: functions over a Cluster, by subject. Results come per item, value or
// KafkaError; what keeps the whole question from being asked is thrown.

export * from './admin/acls.ts'
export * from './admin/cluster-info.ts'
export * from './admin/configs.ts'
export * from './admin/describe-topics.ts'
export * from './admin/features.ts'
export * from './admin/groups.ts'
export * from './admin/partitions.ts'
export * from './admin/quorum.ts'
export * from './admin/quotas.ts'
export * from './admin/replicas.ts'
export type { Result } from './admin/result.ts'
export * from './admin/scram-users.ts'
export {
  createPartitions, createTopics, deleteTopics, deleteTopicsById, listTopics,
  type CreatedTopic, type NewPartitions, type NewTopic, type TopicListing,
} from './admin/topics.ts' // prettier-ignore
export * from './admin/transactions.ts'
