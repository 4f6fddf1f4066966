// Options that a release from 0.9 to 4.2 took and 4.3 doesn't, by tool, as the sources of each release declare them; and
// class names that were replaced. Each is played as an `old` step. Not here:
//   kafka-producer-perf-test has lost none since 0.9 (it was a Scala class until 0.8, whose spellings the face knows);
//   kafka-features --bootstrap-server and --command-config were on either side of the action, as they still are;
//   --force of kafka-acls, --disable-rack-aware of kafka-reassign-partitions and their like are still there;
//   kafka.tools.ChecksumMessageFormatter printed what records no longer have.

export const oldSpellings: Readonly<Record<string, readonly string[]>> = {
  'kafka-topics': ['--zookeeper', '--force', '--disable-rack-aware'],
  'kafka-console-producer': [
    '--broker-list', '--key-serializer', '--value-serializer', '--old-producer', '--new-producer', '--queue-size', '--queue-enqueuetimeout-ms',
    'kafka.tools.ConsoleProducer$LineMessageReader',
  ],
  'kafka-console-consumer': [
    '--zookeeper', '--new-consumer', '--whitelist', '--blacklist', '--csv-reporter-enabled', '--metrics-dir', '--delete-consumer-offsets',
    'kafka.tools.DefaultMessageFormatter', 'kafka.tools.LoggingMessageFormatter', 'kafka.tools.NoOpMessageFormatter',
    'kafka.coordinator.GroupMetadataManager$GroupMetadataMessageFormatter',
    'kafka.coordinator.group.GroupMetadataManager$GroupMetadataMessageFormatter',
    'kafka.coordinator.group.GroupMetadataManager$OffsetsMessageFormatter',
    'kafka.coordinator.transaction.TransactionLog$TransactionLogMessageFormatter',
  ],
  'kafka-configs': ['--zookeeper', '--force', '--zk-tls-config-file'],
  'kafka-consumer-groups': ['--zookeeper', '--new-consumer'],
  'kafka-get-offsets': ['--broker-list', '--max-wait-ms', '--offsets'],
  'kafka-acls': ['--authorizer', '--authorizer-properties', '--zk-tls-config-file'],
  'kafka-features': ['--describe', '--upgrade-all', '--downgrade-all', '--from-controller'],
  'kafka-leader-election': ['--zookeeper'],
  'kafka-reassign-partitions': ['--zookeeper'],
  'kafka-consumer-perf-test': [
    '--broker-list', '--zookeeper', '--new-consumer', '--threads', '--num-fetch-threads', '--message-size', '--batch-size', '--compression-codec',
  ],
  'kafka-dump-log': [
    'kafka.serializer.StringDecoder', 'kafka.serializer.DefaultDecoder', 'kafka.serializer.IntegerDecoder', 'kafka.serializer.LongDecoder',
  ],
} // prettier-ignore
