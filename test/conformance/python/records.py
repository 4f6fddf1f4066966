# The records of ../support/records.ts through confluent-kafka.
#   records.py write ADDRESS TOPIC CODEC COUNT     to partition 0
#   records.py read ADDRESS TOPIC...               prints TOPIC COUNT DIGEST PLAIN-DIGEST for each
#   records.py dump ADDRESS TOPIC                  prints the canonical lines

import hashlib
import sys
from confluent_kafka import Consumer, Producer, TopicPartition


def mix(i):
    return (i * 2654435761 + 12345) & 0xFFFFFFFF


def record(i):
    x = mix(i)
    key = value = None
    if x % 10 != 0:
        key = bytes((x + 31 * j + i) & 0xFF for j in range(0 if x % 10 == 1 else (x >> 8) % 24))
    if x % 13 != 0:
        value = bytes(97 + (j * j + x % 1000) % 17 for j in range(0 if x % 13 == 1 else (x >> 12) % 300))
    headers = []
    for h in range((x >> 20) % 4):
        text = None
        if (x + h) % 5 != 0:
            text = bytes(97 + (x % 1000 + h + j) % 26 for j in range((x >> (h + 3)) % 16))
        headers.append((f"h{h + i % 3}{'é' if h == 2 else ''}", text))
    return key, value, headers, 1700000000000 + 13 * i + x % 1000 - (5000 if i % 7 == 0 else 0)


def write(address, topic, codec, count):
    failed = []
    producer = Producer({"bootstrap.servers": address, "compression.codec": codec, "linger.ms": 5,
                         "acks": "all", "queue.buffering.max.messages": 1000000, "enable.idempotence": True})
    report = lambda error, message: error and failed.append(error)
    for i in range(int(count)):
        key, value, headers, timestamp = record(i)
        producer.produce(topic, value, key, partition=0, timestamp=timestamp, headers=headers, on_delivery=report)
        if i % 1000 == 0:
            producer.poll(0)
    left = producer.flush(120)
    if failed or left:
        sys.exit(f"{len(failed)} failed, {left} left: {failed[:1]}")


def messages(address, topic):
    consumer = Consumer({"bootstrap.servers": address, "group.id": "records", "enable.auto.commit": False,
                         "enable.partition.eof": False, "auto.offset.reset": "error", "check.crcs": True})
    low, high = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=30)
    consumer.assign([TopicPartition(topic, 0, low)])
    at = low
    while at < high:
        batch = consumer.consume(10000, timeout=30)
        if not batch:
            sys.exit(f"{topic}: nothing more after {at} of {high}")
        for message in batch:
            if message.error():
                sys.exit(f"{topic}: {message.error()}")
            at = message.offset() + 1
            yield message
    consumer.close()


def hexed(field):
    return "-" if field is None else field.hex()


def line(message):
    rest = [hexed(message.key()), hexed(message.value())]
    rest += [f"{key}={hexed(value)}" for key, value in message.headers() or []]
    return f"{message.offset()} ", f"{message.timestamp()[1]} ", " ".join(rest) + "\n"


def read(address, *topics):
    for topic in topics:
        count, all_, plain = 0, hashlib.sha256(), hashlib.sha256()
        for message in messages(address, topic):
            offset, timestamp, rest = line(message)
            all_.update((offset + timestamp + rest).encode())
            plain.update((offset + rest).encode())
            count += 1
        print(topic, count, all_.hexdigest(), plain.hexdigest(), flush=True)


def dump(address, topic):
    for message in messages(address, topic):
        sys.stdout.write("".join(line(message)))


{"write": write, "read": read, "dump": dump}[sys.argv[1]](*sys.argv[2:])
