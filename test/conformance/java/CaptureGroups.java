// Apache's broker and its clients in one program, for the vectors of groups, transactions, ACLs, quotas and SCRAM.
// Run by hand. Clients go through capture-vectors.mjs, which the broker advertises as itself; the directory is
// formatted, and the authorizer set. What the coordinators wrote is printed as JSON lines, of which the longest of
// each kind is in test/protocol/vectors/coordinator-records.json.
//
//   java -cp 'libs/*' CaptureGroups.java server.properties 127.0.0.1:PROXY > records.jsonl

import static java.util.concurrent.TimeUnit.SECONDS;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.acl.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.protocol.*;
import org.apache.kafka.common.quota.*;
import org.apache.kafka.common.resource.*;
import org.apache.kafka.common.serialization.*;
import org.apache.kafka.coordinator.group.GroupCoordinatorRecordSerde;
import org.apache.kafka.coordinator.group.generated.*;
import org.apache.kafka.coordinator.transaction.generated.TransactionLogKey;
import org.apache.kafka.coordinator.transaction.generated.TransactionLogKeyJsonConverter;
import org.apache.kafka.coordinator.transaction.generated.TransactionLogValue;
import org.apache.kafka.coordinator.transaction.generated.TransactionLogValueJsonConverter;

public class CaptureGroups {
  static String proxy;

  static Map<String, Object> config(Object... pairs) {
    Map<String, Object> all = new HashMap<>();
    all.put("bootstrap.servers", proxy);
    for (int i = 0; i < pairs.length; i += 2) all.put((String) pairs[i], pairs[i + 1]);
    return all;
  }

  static KafkaConsumer<byte[], byte[]> consumer(String group, String protocol, Object... pairs) {
    Map<String, Object> all = config(pairs);
    all.put("group.id", group);
    all.put("group.protocol", protocol);
    all.put("auto.offset.reset", "earliest");
    all.put("enable.auto.commit", "false");
    if (protocol.equals("classic")) all.put("heartbeat.interval.ms", "300");
    return new KafkaConsumer<>(all, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  static void poll(long ms, KafkaConsumer<?, ?>... consumers) {
    long end = System.currentTimeMillis() + ms;
    while (System.currentTimeMillis() < end) for (var one : consumers) one.poll(Duration.ofMillis(100));
  }

  static TopicPartition at(String topic, int partition) {
    return new TopicPartition(topic, partition);
  }

  interface Call { Object get() throws Exception; }

  static void attempt(String what, Call call) {
    try {
      System.err.println(what + ": " + call.get());
    } catch (Exception e) {
      System.err.println(what + " failed: " + e);
    }
  }

  public static void main(String[] args) throws Exception {
    proxy = args[1];
    Thread broker = new Thread(() -> kafka.Kafka.main(new String[] {args[0]}));
    broker.setDaemon(true);
    broker.start();
    try (Admin admin = Admin.create(config())) {
      for (;;) {
        try {
          admin.describeCluster().nodes().get(5, SECONDS);
          break;
        } catch (Exception e) {
          Thread.sleep(300);
        }
      }
      admin.createTopics(List.of(
          new NewTopic("orders", 3, (short) 1), new NewTopic("payments", 2, (short) 1))).all().get();
      groups(admin);
      transactions(admin);
      administration(admin);
      records();
      noLongerWritten();
    }
    System.exit(0);
  }

  static void groups(Admin admin) throws Exception {
    try (var producer = new KafkaProducer<>(config(), new StringSerializer(), new StringSerializer())) {
      for (int i = 0; i < 9; i++) {
        producer.send(new ProducerRecord<>("orders", i % 3, "k" + i, "v" + i)).get();
      }
    }
    try (var first = consumer("shop", "classic", "group.instance.id", "till-1", "client.rack", "r1");
        var second = consumer("shop", "classic")) {
      first.subscribe(List.of("orders", "payments"));
      second.subscribe(List.of("orders"));
      poll(2500, first, second);
      first.commitSync(Map.of(at("orders", 0), new OffsetAndMetadata(2, Optional.of(0), "noon")));
      second.commitSync();
      poll(700, first, second);
      attempt("describe classic", () -> admin.describeClassicGroups(List.of("shop")).all().get());
      attempt("describe", () ->
          admin.describeConsumerGroups(List.of("shop", "none")).describedGroups().get("shop").get());
      attempt("offset delete", () ->
          admin.deleteConsumerGroupOffsets("shop", Set.of(at("orders", 1))).all().get());
    }
    attempt("remove", () -> admin.removeMembersFromConsumerGroup("shop",
        new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove("till-1")))).all().get());
    try (var first = consumer("web", "consumer", "group.instance.id", "desk-1", "client.rack", "r1");
        var second = consumer("web", "consumer");
        var classic = consumer("web", "classic");
        var other = consumer("pages", "consumer")) {
      first.subscribe(List.of("orders", "payments"));
      second.subscribe(new SubscriptionPattern("ord.*"));
      other.subscribe(List.of("orders"));
      classic.subscribe(List.of("orders"));
      poll(7000, first, second, other);
      poll(8000, first, second, classic);
      first.commitSync(Map.of(at("orders", 0), new OffsetAndMetadata(3, "night")));
      other.commitSync();
      attempt("describe", () -> admin.describeConsumerGroups(List.of("web")).all().get());
      attempt("list", () -> admin.listGroups(ListGroupsOptions.forConsumerGroups()).all().get());
      attempt("list", () -> admin.listGroups(
          new ListGroupsOptions().inGroupStates(Set.of(GroupState.STABLE))
              .withTypes(Set.of(GroupType.CONSUMER))).all().get());
      attempt("offsets", () ->
          admin.listConsumerGroupOffsets(
              Map.of("web", new ListConsumerGroupOffsetsSpec(), "shop", new ListConsumerGroupOffsetsSpec()))
                  .all().get());
    }
    attempt("offset delete", () ->
        admin.deleteConsumerGroupOffsets("shop", Set.of(at("orders", 0), at("orders", 9))).all().get());
    attempt("alter offsets", () ->
        admin.alterConsumerGroupOffsets(
            "tools", Map.of(at("orders", 0), new OffsetAndMetadata(Long.MAX_VALUE - 1, "far"))).all().get());
    attempt("delete groups", () ->
        admin.deleteConsumerGroups(List.of("tools", "nobody")).deletedGroups().get("tools").get());
  }

  static void transactions(Admin admin) throws Exception {
    var strings = new StringSerializer();
    try (var producer = new KafkaProducer<>(config("transactional.id", "till"), strings, strings);
        var reader = consumer("books", "classic")) {
      reader.subscribe(List.of("orders"));
      poll(1500, reader);
      producer.initTransactions();
      producer.beginTransaction();
      producer.send(new ProducerRecord<>("orders", 0, "k", "v"));
      producer.send(new ProducerRecord<>("payments", 1, "k", "v"));
      producer.sendOffsetsToTransaction(
          Map.of(at("orders", 0), new OffsetAndMetadata(5, Optional.of(0), "txn")), reader.groupMetadata());
      producer.flush();
      attempt("list", () -> admin.listTransactions(
          new ListTransactionsOptions().filterStates(List.of(TransactionState.ONGOING))
              .filterOnTransactionalIdPattern("t.*").filterOnDuration(0)).all().get());
      attempt("describe", () -> admin.describeTransactions(List.of("till")).all().get());
      attempt("producers", () -> admin.describeProducers(List.of(at("orders", 0))).all().get());
      producer.commitTransaction();
      producer.beginTransaction();
      producer.send(new ProducerRecord<>("orders", 1, "k", "v")).get();
      producer.abortTransaction();
      producer.beginTransaction();
      producer.send(new ProducerRecord<>("orders", 2, "k", "v")).get();
      var partition = at("orders", 2);
      var states = admin.describeProducers(List.of(partition)).all().get().get(partition).activeProducers();
      for (var state : states) {
        attempt("abort", () ->
            admin.abortTransaction(
                new AbortTransactionSpec(
                    partition, state.producerId(), (short) state.producerEpoch(),
                        state.coordinatorEpoch().orElse(0))).all().get());
      }
      attempt("commit", () -> { producer.commitTransaction(); return ""; });
    }
    attempt("list", () -> admin.listTransactions().all().get());
  }

  static void administration(Admin admin) throws Exception {
    var binding = new AclBinding(
        new ResourcePattern(ResourceType.TOPIC, "ord", PatternType.PREFIXED),
            new AccessControlEntry("User:ann", "*", AclOperation.READ, AclPermissionType.ALLOW));
    var second = new AclBinding(
        new ResourcePattern(ResourceType.GROUP, "*", PatternType.LITERAL),
            new AccessControlEntry("User:ann", "10.0.0.1", AclOperation.ALL, AclPermissionType.DENY));
    attempt("acls", () -> admin.createAcls(List.of(binding, second)).all().get());
    Thread.sleep(500);
    attempt("acls", () -> admin.describeAcls(AclBindingFilter.ANY).values().get());
    attempt("acls", () -> admin.deleteAcls(List.of(AclBindingFilter.ANY)).all().get());
    var entity = new ClientQuotaEntity(Collections.singletonMap("user", "ann"));
    var defaults = new ClientQuotaEntity(Collections.singletonMap("client-id", null));
    attempt("quotas", () -> admin.alterClientQuotas(List.of(
        new ClientQuotaAlteration(
            entity, List.of(new ClientQuotaAlteration.Op("producer_byte_rate", 1024.5),
                new ClientQuotaAlteration.Op("consumer_byte_rate", null))),
        new ClientQuotaAlteration(
            defaults, List.of(new ClientQuotaAlteration.Op("request_percentage", 50.0))))).all().get());
    attempt("quotas", () -> admin.describeClientQuotas(ClientQuotaFilter.all()).entities().get());
    attempt("quotas", () ->
        admin.describeClientQuotas(
            ClientQuotaFilter.containsOnly(List.of(ClientQuotaFilterComponent.ofEntity("user", "ann"))))
                .entities().get());
    var salt = "0123456789abcdef".getBytes();
    attempt("scram", () -> admin.alterUserScramCredentials(List.of(
        new UserScramCredentialUpsertion(
            "ann", new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096), "secret".getBytes(), salt),
        new UserScramCredentialDeletion("bob", ScramMechanism.SCRAM_SHA_512))).values().get("ann").get());
    Thread.sleep(500);
    attempt("scram", () ->
        admin.describeUserScramCredentials(List.of("ann", "bob")).description("ann").get());
    attempt("scram", () -> admin.describeUserScramCredentials().all().get());
    attempt("elect", () ->
        admin.electLeaders(ElectionType.PREFERRED, Set.of(at("orders", 0), at("none", 0))).partitions()
            .get());
    attempt("reassign", () -> admin.alterPartitionReassignments(Map.of(
        at("orders", 0), Optional.of(new NewPartitionReassignment(List.of(1))),
        at("payments", 0), Optional.empty())).all().get());
    attempt("quorum", () -> admin.describeMetadataQuorum().quorumInfo().get());
    attempt("features", () ->
        admin.updateFeatures(
            Map.of("share.version", new FeatureUpdate((short) 0, FeatureUpdate.UpgradeType.SAFE_DOWNGRADE)),
                new UpdateFeaturesOptions().validateOnly(true)).all().get());
    attempt("metrics", () ->
        admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.CLIENT_METRICS, "slow"),
        List.of(new AlterConfigOp(new ConfigEntry("interval.ms", "60000"), AlterConfigOp.OpType.SET)))).all()
            .get());
    Thread.sleep(500);
    attempt("resources", () ->
        admin.listConfigResources(
            Set.of(ConfigResource.Type.CLIENT_METRICS, ConfigResource.Type.TOPIC, ConfigResource.Type.GROUP),
                new ListConfigResourcesOptions()).all().get());
    attempt("unregister", () -> admin.unregisterBroker(7).all().get());
  }

  static void records() throws Exception {
    var serde = new GroupCoordinatorRecordSerde();
    try (var reader = new KafkaConsumer<>(
        config(), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> all = new ArrayList<>();
      for (String topic : List.of("__consumer_offsets", "__transaction_state"))
        for (var info : reader.partitionsFor(topic)) all.add(new TopicPartition(topic, info.partition()));
      reader.assign(all);
      reader.seekToBeginning(all);
      for (int quiet = 0; quiet < 10;) {
        var polled = reader.poll(Duration.ofMillis(200));
        quiet = polled.isEmpty() ? quiet + 1 : 0;
        for (var record : polled) {
          var key = ByteBuffer.wrap(record.key());
          var value = record.value() == null ? null : ByteBuffer.wrap(record.value());
          if (record.topic().equals("__consumer_offsets")) {
            var read = serde.deserialize(key, value);
            String keyJson = CoordinatorRecordJsonConverters.writeRecordKeyAsJson(read.key()).toString();
            if (value == null) { print(read.key(), record.key(), keyJson, -1, null, null); continue; }
            ApiMessage message = read.value().message();
            written(read.key(), record.key(), keyJson, message, read.value().version(), v ->
                CoordinatorRecordJsonConverters.writeRecordValueAsJson(message, v).toString());
          } else {
            key.getShort();
            var read = new TransactionLogKey(new ByteBufferAccessor(key), (short) 0);
            String keyJson = TransactionLogKeyJsonConverter.write(read, (short) 0).toString();
            if (value == null) { print(read, record.key(), keyJson, -1, null, null); continue; }
            short version = value.getShort();
            var message = new TransactionLogValue(new ByteBufferAccessor(value), version);
            written(read, record.key(), keyJson, message, version, v ->
                TransactionLogValueJsonConverter.write(message, v).toString());
          }
        }
      }
    }
  }

  /** What 4.3 reads but no longer writes, or not here. */
  static void noLongerWritten() {
    group(new LegacyOffsetCommitKey().setGroup("old").setTopic("orders").setPartition(3),
        new LegacyOffsetCommitValue().setOffset(Long.MAX_VALUE).setMetadata("m")
            .setCommitTimestamp(1700000000000L));
    group(new OffsetCommitKey().setGroup("old").setTopic("orders").setPartition(3),
        new OffsetCommitValue().setOffset(9007199254740993L).setMetadata("m")
            .setCommitTimestamp(1700000000000L).setExpireTimestamp(1700000000001L).setLeaderEpoch(5)
                .setTopicId(new Uuid(1, 2)));
    group(new ConsumerGroupPartitionMetadataKey().setGroupId("old"),
        new ConsumerGroupPartitionMetadataValue()
            .setTopics(List.of(new ConsumerGroupPartitionMetadataValue.TopicMetadata()
                .setTopicId(new Uuid(1, 2)).setTopicName("orders").setNumPartitions(2)
                    .setPartitionMetadata(
                        List.of(new ConsumerGroupPartitionMetadataValue.PartitionMetadata().setPartition(1)
                            .setRacks(List.of("r1", "r2")))))));
    group(new ConsumerGroupCurrentMemberAssignmentKey().setGroupId("g").setMemberId("m"),
        new ConsumerGroupCurrentMemberAssignmentValue().setMemberEpoch(3).setPreviousMemberEpoch(2)
            .setState((byte) 1)
            .setAssignedPartitions(
                List.of(new ConsumerGroupCurrentMemberAssignmentValue.TopicPartitions()
                    .setTopicId(new Uuid(1, 2)).setPartitions(List.of(0, 1))
                        .setAssignmentEpochs(List.of(2, 3))))
            .setPartitionsPendingRevocation(
                List.of(new ConsumerGroupCurrentMemberAssignmentValue.TopicPartitions()
                    .setTopicId(new Uuid(3, 4)).setPartitions(List.of(7)))));
    var key = new TransactionLogKey().setTransactionalId("old");
    var value = new TransactionLogValue().setProducerId(Long.MAX_VALUE).setProducerEpoch((short) 9)
        .setTransactionTimeoutMs(60000).setTransactionStatus((byte) 2)
        .setTransactionPartitions(
            List.of(new TransactionLogValue.PartitionsSchema().setTopic("orders")
                .setPartitionIds(List.of(0, 2)))).setTransactionLastUpdateTimestampMs(1700000000001L)
                    .setTransactionStartTimestampMs(1700000000000L);
    written(key, MessageUtil.toCoordinatorTypePrefixedBytes(key),
        TransactionLogKeyJsonConverter.write(key, (short) 0).toString(), value, (short) -1, v ->
            TransactionLogValueJsonConverter.write(value, v).toString());
    var next = value.duplicate().setNextProducerId(77).setNextProducerEpoch((short) 0)
        .setPreviousProducerId(5).setClientTransactionVersion((short) 2);
    written(key, MessageUtil.toCoordinatorTypePrefixedBytes(key),
        TransactionLogKeyJsonConverter.write(key, (short) 0).toString(), next, (short) -1, v ->
            TransactionLogValueJsonConverter.write(next, v).toString());
  }

  static void group(ApiMessage key, ApiMessage value) {
    var keyJson = CoordinatorRecordJsonConverters.writeRecordKeyAsJson(key).toString();
    written(key, MessageUtil.toCoordinatorTypePrefixedBytes(key), keyJson, value, (short) -1, v ->
        CoordinatorRecordJsonConverters.writeRecordValueAsJson(value, v).toString());
  }

  interface Json { String of(short version); }

  /** The value in its own version, and in every other that can say the same. */
  static void written(ApiMessage key, byte[] keyBytes, String keyJson, ApiMessage message, short written,
      Json json) {
    for (short v = message.lowestSupportedVersion(); v <= message.highestSupportedVersion(); v++) {
      try {
        print(key, keyBytes, keyJson, v, MessageUtil.toVersionPrefixedBytes(v, message), "\"isOwn\":"
            + (v == written) + ",\"says\":" + json.of(v));
      } catch (Exception e) {
        System.err.println("version " + v + ": " + e);
      }
    }
  }

  static void print(ApiMessage key, byte[] keyBytes, String keyJson, int version, byte[] value, String more) {
    String name = key.getClass().getSimpleName().replaceAll("Key$", "");
    System.out.println("{\"name\":\"" + name + "\",\"key\":\"" + HexFormat.of().formatHex(keyBytes)
        + "\",\"keySays\":" + keyJson + ",\"version\":" + version
        + ",\"value\":" + (value == null ? "null" : "\"" + HexFormat.of().formatHex(value) + "\"")
            + (more == null ? "" : "," + more) + "}");
  }
}
