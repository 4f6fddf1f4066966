// Clients that live on while the broker behind an address is exchanged: Lives ADDRESS. A line of standard input is a command,
// and its answer is a line.
//   idempotent VALUE      sends to plain; its offset
//   transactional VALUE   sends to transactional, in a transaction that stays open; its offset
//   commit                commits that transaction, and begins another
//   classic, consumer     the member of the group of that protocol (and name) takes what is there of plain and commits it; the values
//   end

import java.io.*;
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.serialization.*;

public class Lives {
  public static void main(String[] args) throws Exception {
    var plain = producer(args[0], Map.of());
    var transactional = producer(args[0], Map.of("transactional.id", "open", "transaction.timeout.ms", 900_000));
    transactional.initTransactions();
    transactional.beginTransaction();
    Map<String, KafkaConsumer<String, String>> consumers = new HashMap<>();
    var lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null && !line.equals("end"); line = lines.readLine()) {
      String[] words = line.split(" ");
      try {
        System.out.println(switch (words[0]) {
          case "idempotent" -> send(plain, "plain", words[1]);
          case "transactional" -> send(transactional, "transactional", words[1]);
          case "commit" -> {
            transactional.commitTransaction();
            transactional.beginTransaction();
            yield "committed";
          }
          default -> consume(consumers.computeIfAbsent(words[0], name -> consumer(args[0], name)));
        });
      } catch (Exception error) {
        System.out.println("failed: " + error);
      }
    }
    Runtime.getRuntime().halt(0);
  }

  static String send(KafkaProducer<String, String> producer, String topic, String value) throws Exception {
    return String.valueOf(producer.send(new ProducerRecord<>(topic, value)).get().offset());
  }

  static String consume(KafkaConsumer<String, String> consumer) {
    List<String> values = new ArrayList<>();
    for (int round = 0; round < 600 && values.isEmpty(); round++)
      for (var record : consumer.poll(Duration.ofMillis(200))) values.add(record.value());
    consumer.commitSync();
    return String.join(" ", values);
  }

  static KafkaProducer<String, String> producer(String address, Map<String, Object> more) {
    Map<String, Object> config = new HashMap<>(more);
    config.put("bootstrap.servers", address);
    return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
  }

  static KafkaConsumer<String, String> consumer(String address, String protocol) {
    Map<String, Object> config = new HashMap<>();
    config.put("bootstrap.servers", address);
    config.put("group.id", protocol);
    config.put("group.protocol", protocol);
    config.put("auto.offset.reset", "earliest");
    config.put("enable.auto.commit", "false");
    config.put("max.poll.interval.ms", "1800000");
    var consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
    consumer.subscribe(List.of("plain"));
    return consumer;
  }
}
