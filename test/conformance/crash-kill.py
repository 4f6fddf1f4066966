"""The foreign client of crash-kill.test.ts.

produce ADDRESS TOPIC FIRST ACKS: an idempotent producer sends FIRST, FIRST+1, … until its stdin ends, then flushes. Each
acknowledged record is a line `PARTITION OFFSET VALUE` in the file ACKS; the last line on stdout is how many were sent.
read ADDRESS TOPIC: every record as a line `PARTITION OFFSET VALUE`, partition by partition, in the order they are read.
"""

import select
import sys

from confluent_kafka import Consumer, Producer, TopicPartition

IN_FLIGHT = 2000


def produce(address, topic, first, acks):
    failed = []
    with open(acks, "w") as out:
        def delivered(error, message):
            if error is not None:
                failed.append(str(error))
            else:
                out.write(f"{message.partition()} {message.offset()} {message.value().decode()}\n")

        producer = Producer({
            "bootstrap.servers": address, "enable.idempotence": True, "linger.ms": 2, "batch.num.messages": 50,
            "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 100, "message.timeout.ms": 60000,
        })
        value = first
        while not select.select([sys.stdin], [], [], 0)[0]:
            for _ in range(20):
                producer.produce(topic, str(value).encode(), key=str(value % 16).encode(), callback=delivered)
                value += 1
            producer.poll(0)
            while len(producer) > IN_FLIGHT:
                producer.poll(0.01)
        left = producer.flush(60)
    for error in failed[:3]:
        print(error, file=sys.stderr)
    print(value - first)
    return 0 if left == 0 and not failed else 1


def read(address, topic):
    consumer = Consumer({"bootstrap.servers": address, "group.id": "unused", "enable.auto.commit": False})
    for partition in sorted(consumer.list_topics(topic, 10).topics[topic].partitions):
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), 10)
        consumer.assign([TopicPartition(topic, partition, low)])
        position = low
        while position < high:
            message = consumer.poll(10)
            if message is None or message.error():
                print(f"{topic}-{partition} at {position}: {message and message.error()}", file=sys.stderr)
                return 1
            print(partition, message.offset(), message.value().decode())
            position = message.offset() + 1
    consumer.close()
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "produce":
        sys.exit(produce(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5]))
    sys.exit(read(*sys.argv[2:]))
