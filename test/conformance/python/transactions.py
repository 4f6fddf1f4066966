# Keyed records in and out of transactions, some of which are aborted, and tombstones: transactions.py ADDRESS TOPIC ROUNDS

import random
import sys
from confluent_kafka import Producer

address, topic, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
producers = []
for number, codec in enumerate(["none", "gzip", "snappy", "lz4", "zstd"]):
    producer = Producer({"bootstrap.servers": address, "transactional.id": f"{topic}-{number}", "compression.type": codec})
    producer.init_transactions(30)
    producers.append(producer)

for round in range(rounds):
    for number, producer in enumerate(producers):
        producer.begin_transaction()
        for key in range(40):
            name = f"key {number} {(round + key) % 60}"
            value = None if (round + key) % 7 == 0 else f"round {round} {random.randbytes(150).hex()}"
            producer.produce(topic, value, name, partition=0)
        if (round + number) % 3 == 0:
            producer.flush(30)
            producer.abort_transaction(30)
        else:
            producer.commit_transaction(30)
# One is left open.
producers[0].begin_transaction()
producers[0].produce(topic, "open", "open", partition=0)
producers[0].flush(30)
