# Logs in with librdkafka's own settings, writes a record and reads it.
#   login.py TOPIC NAME=VALUE...

import sys
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

topic = sys.argv[1]
refused = []


def on_error(error):
    if error.code() in (KafkaError._AUTHENTICATION, KafkaError._SSL) or not error.retriable():
        refused.append(error)


settings = dict(one.split("=", 1) for one in sys.argv[2:])
settings.update({"error_cb": on_error, "message.timeout.ms": 8000})
producer = Producer(settings)
failed = []
producer.produce(topic, b"from confluent-kafka", partition=0, on_delivery=lambda error, _: error and failed.append(error))
producer.flush(10)
if failed:
    sys.exit(f"refused: {refused[:1]} {failed[0]}")
del settings["message.timeout.ms"]
consumer = Consumer({**settings, "group.id": "login", "enable.auto.commit": False})
consumer.assign([TopicPartition(topic, 0, 0)])
message = consumer.poll(15)
if message is None or message.error():
    sys.exit(f"nothing read: {message and message.error()}")
print("read True")
consumer.close()
