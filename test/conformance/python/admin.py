# confluent-kafka's admin client, one call after another, each answer as a line of JSON: admin.py ADDRESS

import json
import sys
import time
from confluent_kafka import KafkaException, Producer, TopicCollection, TopicPartition
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic,
                                   OffsetSpec, ResourceType)

admin = AdminClient({"bootstrap.servers": sys.argv[1]})


def say(what, answer):
    print(json.dumps([what, answer], sort_keys=True), flush=True)


def results(what, futures, show=lambda value: value):
    for key, future in futures.items():
        try:
            answer = show(future.result(timeout=30))
        except KafkaException as error:
            answer = [error.args[0].name(), error.args[0].str()]
        say(f"{what} {key}", answer)


def wait_for(known):
    """Apache's brokers learn of a change a little after it is answered."""
    deadline = time.monotonic() + 10
    while not known() and time.monotonic() < deadline:
        time.sleep(0.05)


def described(topic):
    partitions = [[p.id, p.leader.id, [r.id for r in p.replicas], [r.id for r in p.isr]] for p in topic.partitions]
    return [topic.name, topic.is_internal, partitions]


def configs(entries):
    return {name: [entry.value, entry.is_read_only, entry.is_default, entry.is_sensitive, entry.source]
            for name, entry in entries.items() if name != "flush.messages"}  # ours flushes each record by default


results("create", admin.create_topics([NewTopic("admin", 2, config={"segment.ms": "100000000"}), NewTopic("bad/name", 1),
                                       NewTopic("wide", 1, 5), NewTopic("none", 0)]))
results("create again", admin.create_topics([NewTopic("admin", 2)]))
results("only asked", admin.create_topics([NewTopic("asked", 1)], validate_only=True))
results("partitions", admin.create_partitions([NewPartitions("admin", 4), NewPartitions("absent", 4)]))
results("fewer partitions", admin.create_partitions([NewPartitions("admin", 1)]))
wait_for(lambda: len(admin.list_topics("admin", timeout=30).topics["admin"].partitions) == 4)
results("describe", admin.describe_topics(TopicCollection(["admin", "absent"])), described)

resource = ConfigResource(ResourceType.TOPIC, "admin")
results("configs", admin.describe_configs([resource, ConfigResource(ResourceType.TOPIC, "absent")]), configs)
change = ConfigEntry("cleanup.policy", "compact", incremental_operation=AlterConfigOpType.APPEND)
results("alter", admin.incremental_alter_configs([ConfigResource(ResourceType.TOPIC, "admin", incremental_configs=[change])]))
change = ConfigEntry("max.message.bytes", "-5", incremental_operation=AlterConfigOpType.SET)
results("alter badly", admin.incremental_alter_configs([ConfigResource(ResourceType.TOPIC, "admin", incremental_configs=[change])]))
wait_for(lambda: list(admin.describe_configs([resource]).values())[0].result()["cleanup.policy"].value == "delete,compact")
results("altered", admin.describe_configs([resource]), configs)

producer = Producer({"bootstrap.servers": sys.argv[1]})
for index, timestamp in enumerate([1000, 5000, 3000, 5000, 2000]):
    producer.produce("admin", b"value", b"key", partition=1, timestamp=timestamp)
producer.flush(30)
for name, spec in {"earliest": OffsetSpec.earliest(), "latest": OffsetSpec.latest(), "max": OffsetSpec.max_timestamp(),
                   "at 2500": OffsetSpec.for_timestamp(2500), "at 9000": OffsetSpec.for_timestamp(9000)}.items():
    results(f"offsets {name}", admin.list_offsets({TopicPartition("admin", 1): spec}), lambda r: [r.offset, r.timestamp])
results("delete records", admin.delete_records([TopicPartition("admin", 1, 2)]), lambda r: r.low_watermark)
results("delete too many", admin.delete_records([TopicPartition("admin", 1, 99)]), lambda r: r.low_watermark)

cluster = admin.describe_cluster().result(timeout=30)
say("cluster", [cluster.controller.id, [node.id for node in cluster.nodes]])
say("topics", sorted(name for name in admin.list_topics(timeout=30).topics if not name.startswith("__")))
results("delete", admin.delete_topics(["admin", "absent"]))
