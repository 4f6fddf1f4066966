# A member of a group, through confluent-kafka: prints the value of each record, and commits it.
#   group.py ADDRESS GROUP TOPIC [PROTOCOL]

import signal
import sys
from confluent_kafka import Consumer

address, group, topic = sys.argv[1:4]
protocol = sys.argv[4] if len(sys.argv) > 4 else "classic"
consumer = Consumer({"group.protocol": protocol, "bootstrap.servers": address, "group.id": group, "auto.offset.reset": "earliest",
                     "enable.auto.commit": False, "reconnect.backoff.max.ms": 500})
running = True


def stop(*_):
    global running
    running = False


signal.signal(signal.SIGTERM, stop)
consumer.subscribe([topic])
while running:
    message = consumer.poll(0.2)
    if message is None or message.error():
        continue
    print(message.value().decode(), flush=True)
    consumer.commit(message, asynchronous=True)
consumer.close()
