// The records of ../support/records.ts through Apache's Java client.
//   Records.java write ADDRESS TOPIC CODEC COUNT     to partition 0
//   Records.java read ADDRESS TOPIC...               prints TOPIC COUNT DIGEST PLAIN-DIGEST for each
//   Records.java dump ADDRESS TOPIC                  prints the canonical lines

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class Records {
  static final HexFormat HEX = HexFormat.of();

  public static void main(String[] args) throws Exception {
    switch (args[0]) {
      case "write" -> write(args[1], args[2], args[3], Integer.parseInt(args[4]));
      case "read" -> {
        for (int at = 2; at < args.length; at++) digest(args[1], args[at]);
      }
      default -> read(args[1], args[2], record -> System.out.print(line(record)[0]));
    }
  }

  static long mix(long i) {
    return (i * 2654435761L + 12345) & 0xFFFFFFFFL;
  }

  static ProducerRecord<byte[], byte[]> record(String topic, int i) {
    long x = mix(i);
    byte[] key = null;
    byte[] value = null;
    if (x % 10 != 0) {
      key = new byte[x % 10 == 1 ? 0 : (int) ((x >> 8) % 24)];
      for (int j = 0; j < key.length; j++) key[j] = (byte) (x + 31 * j + i);
    }
    if (x % 13 != 0) {
      value = new byte[x % 13 == 1 ? 0 : (int) ((x >> 12) % 300)];
      for (int j = 0; j < value.length; j++) value[j] = (byte) (97 + (j * j + x % 1000) % 17);
    }
    List<Header> headers = new ArrayList<>();
    for (int h = 0; h < (x >> 20) % 4; h++) {
      byte[] text = null;
      if ((x + h) % 5 != 0) {
        text = new byte[(int) ((x >> (h + 3)) % 16)];
        for (int j = 0; j < text.length; j++) text[j] = (byte) (97 + (x % 1000 + h + j) % 26);
      }
      headers.add(new RecordHeader("h" + (h + i % 3) + (h == 2 ? "é" : ""), text));
    }
    long timestamp = 1_700_000_000_000L + 13L * i + x % 1000 - (i % 7 == 0 ? 5000 : 0);
    return new ProducerRecord<>(topic, 0, timestamp, key, value, headers);
  }

  static void write(String address, String topic, String codec, int count) throws Exception {
    Map<String, Object> config = Map.of("bootstrap.servers", address, "compression.type", codec, "linger.ms", 5);
    AtomicReference<Exception> failure = new AtomicReference<>();
    try (var producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
      for (int i = 0; i < count; i++) {
        producer.send(record(topic, i), (metadata, error) -> {
          if (error != null) failure.set(error);
        });
      }
      producer.flush();
    }
    if (failure.get() != null) throw failure.get();
  }

  static void digest(String address, String topic) throws Exception {
    MessageDigest all = MessageDigest.getInstance("SHA-256");
    MessageDigest plain = MessageDigest.getInstance("SHA-256");
    int[] count = {0};
    read(address, topic, record -> {
      String[] line = line(record);
      all.update(line[0].getBytes(StandardCharsets.UTF_8));
      plain.update(line[1].getBytes(StandardCharsets.UTF_8));
      count[0]++;
    });
    System.out.println(topic + " " + count[0] + " " + HEX.formatHex(all.digest()) + " " + HEX.formatHex(plain.digest()));
  }

  static void read(String address, String topic, Consumer<ConsumerRecord<byte[], byte[]>> each) {
    Map<String, Object> config = Map.of("bootstrap.servers", address, "auto.offset.reset", "none",
        "enable.auto.commit", false, "max.poll.records", 10000);
    try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      TopicPartition partition = new TopicPartition(topic, 0);
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      long deadline = System.currentTimeMillis() + 60_000;
      while (consumer.position(partition) < end) {
        if (System.currentTimeMillis() > deadline) throw new IllegalStateException(topic + ": at " + consumer.position(partition) + " of " + end);
        for (var record : consumer.poll(Duration.ofSeconds(5))) each.accept(record);
      }
    }
  }

  static String[] line(ConsumerRecord<byte[], byte[]> record) {
    StringBuilder rest = new StringBuilder().append(hex(record.key())).append(' ').append(hex(record.value()));
    for (Header header : record.headers()) rest.append(' ').append(header.key()).append('=').append(hex(header.value()));
    rest.append('\n');
    return new String[] {record.offset() + " " + record.timestamp() + " " + rest, record.offset() + " " + rest};
  }

  static String hex(byte[] field) {
    return field == null ? "-" : HEX.formatHex(field);
  }
}
