// The faces there are, by the names of Apache's tools.

export const FACE_NAMES = [
  'kafka-topics', 'kafka-console-consumer', 'kafka-console-producer',
  'kafka-consumer-groups', 'kafka-get-offsets', 'kafka-groups',
  'kafka-broker-api-versions', 'kafka-cluster', 'kafka-features', 'kafka-metadata-quorum', 'kafka-transactions',
  'kafka-dump-log', 'kafka-storage', 'kafka-server-start', 'kafka-server-stop',
  'kafka-configs', 'kafka-acls', 'kafka-delete-records', 'kafka-log-dirs',
  'kafka-leader-election', 'kafka-reassign-partitions', 'kafka-producer-perf-test', 'kafka-consumer-perf-test',
] as const // prettier-ignore

export type FaceName = (typeof FACE_NAMES)[number]

/** Names of older scripts, and of habit. */
export const OTHER_NAMES: Readonly<Record<string, FaceName>> = {
  'kafka-topic': 'kafka-topics',
  'kafka-consumer-group': 'kafka-consumer-groups',
}
