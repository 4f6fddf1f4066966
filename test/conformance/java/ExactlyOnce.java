// Consumes, processes and produces exactly once, through whatever happens to the broker: ExactlyOnce ADDRESS IN OUT COUNT.
// Ends when COUNT records of IN were taken over; a line for each commit. Every third transaction is aborted first.

import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.serialization.*;

public class ExactlyOnce {
  public static void main(String[] args) {
    String address = args[0], in = args[1], out = args[2];
    long count = Long.parseLong(args[3]);
    long done = 0;
    int attempt = 0;
    while (done < count) {
      try (var consumer = consumer(address); var producer = producer(address)) {
        producer.initTransactions();
        consumer.subscribe(List.of(in));
        while (done < count) {
          var records = consumer.poll(Duration.ofMillis(200));
          done = position(consumer, in);
          if (records.isEmpty()) continue;
          producer.beginTransaction();
          Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
          for (var record : records) {
            producer.send(new ProducerRecord<>(out, record.partition(), record.key(), record.value() + "!"));
            offsets.put(new TopicPartition(record.topic(), record.partition()), new OffsetAndMetadata(record.offset() + 1));
          }
          producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
          if (++attempt % 3 == 0) {
            producer.abortTransaction();
            System.out.println("aborted " + records.count());
            throw new KafkaException("from the last commit on again");
          }
          producer.commitTransaction();
          System.out.println("committed " + records.count());
          done = position(consumer, in);
        }
      } catch (KafkaException error) {
        System.err.println("again after " + error);
      }
    }
    System.out.println("done " + done);
  }

  /** Records committed so far. */
  static long position(KafkaConsumer<String, String> consumer, String topic) {
    Set<TopicPartition> all = new HashSet<>();
    for (var info : consumer.partitionsFor(topic)) all.add(new TopicPartition(topic, info.partition()));
    long sum = 0;
    for (var one : consumer.committed(all).values()) if (one != null) sum += one.offset();
    return sum;
  }

  static KafkaConsumer<String, String> consumer(String address) {
    Map<String, Object> config = new HashMap<>();
    config.put("bootstrap.servers", address);
    config.put("group.id", "exactly-once");
    config.put("group.protocol", "classic");
    config.put("isolation.level", "read_committed");
    config.put("enable.auto.commit", "false");
    config.put("auto.offset.reset", "earliest");
    config.put("max.poll.records", "50");
    config.put("session.timeout.ms", "6000");
    return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
  }

  static KafkaProducer<String, String> producer(String address) {
    Map<String, Object> config = new HashMap<>();
    config.put("bootstrap.servers", address);
    config.put("transactional.id", "exactly-once");
    config.put("linger.ms", "1");
    return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
  }
}
