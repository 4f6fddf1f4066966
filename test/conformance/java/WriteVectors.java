// Prints what Apache's own classes make of given records and keys, as JSON: the vectors under test/protocol/batches and
// test/kernels/vectors. Run on Kafka's class path: java -cp 'libs/*' WriteVectors.java batches|keys

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.utils.Utils;

public class WriteVectors {
  static final HexFormat HEX = HexFormat.of();

  public static void main(String[] args) {
    System.out.println(args[0].equals("keys") ? keys() : batches());
  }

  static String keys() {
    Random random = new Random(7);
    List<String> rows = new ArrayList<>();
    for (int length = 0; length < 40; length++) {
      for (int round = 0; round < 3; round++) {
        byte[] key = new byte[length];
        random.nextBytes(key);
        int hash = Utils.murmur2(key);
        StringBuilder partitions = new StringBuilder();
        for (int count : new int[] {3, 6, 10, 12, 50}) {
          partitions.append(partitions.length() == 0 ? "" : ",").append(Utils.toPositive(hash) % count);
        }
        rows.add("[\"" + HEX.formatHex(key) + "\"," + hash + "," + partitions + "]");
      }
    }
    return "[\n" + String.join(",\n", rows) + "\n]";
  }

  static String batches() {
    SimpleRecord[] records = records();
    List<String> rows = new ArrayList<>();
    for (CompressionType type : CompressionType.values()) {
      Compression codec = Compression.of(type).build();
      rows.add(row(type.name, 1000, MemoryRecords.withRecords(1000L, codec, 7, records)));
      rows.add(row(type.name, 5, MemoryRecords.withIdempotentRecords((byte) 2, 5L, codec, 4611686018427387904L, (short) 3, 77, 9, records)));
      rows.add(row(type.name, 0, MemoryRecords.withTransactionalRecords(codec, 12L, (short) 0, 2147483640, records)));
    }
    rows.add(row("none", 0, MemoryRecords.withRecords((byte) 2, 0L, Compression.NONE, TimestampType.LOG_APPEND_TIME, records)));
    List<String> described = new ArrayList<>();
    for (SimpleRecord record : records) described.add(describe(record));
    return "{\"records\":[\n" + String.join(",\n", described) + "\n],\"batches\":[\n" + String.join(",\n", rows) + "\n]}";
  }

  static String row(String codec, long baseOffset, MemoryRecords records) {
    var batch = records.batches().iterator().next();
    ByteBuffer buffer = records.buffer();
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    return "{\"codec\":\"" + codec + "\",\"baseOffset\":" + baseOffset + ",\"leaderEpoch\":" + batch.partitionLeaderEpoch()
        + ",\"producerId\":\"" + batch.producerId() + "\",\"producerEpoch\":" + batch.producerEpoch()
        + ",\"baseSequence\":" + batch.baseSequence() + ",\"isTransactional\":" + batch.isTransactional()
        + ",\"isLogAppendTime\":" + (batch.timestampType() == TimestampType.LOG_APPEND_TIME) + ",\"maxTimestamp\":"
        + batch.maxTimestamp() + ",\"crc\":" + batch.checksum() + ",\"bytes\":\"" + HEX.formatHex(bytes) + "\"}";
  }

  static SimpleRecord[] records() {
    List<SimpleRecord> records = new ArrayList<>();
    for (int index = 0; index < 40; index++) {
      byte[] key = index % 5 == 3 ? null : ("key-" + index % 7).getBytes(StandardCharsets.UTF_8);
      byte[] value = index % 11 == 4 ? null : ("value " + index + " ").repeat(index % 13).getBytes(StandardCharsets.UTF_8);
      List<Header> headers = new ArrayList<>();
      for (int count = 0; count < index % 4; count++) {
        headers.add(new RecordHeader("h" + count + "-é", count == 2 ? null : new byte[] {(byte) index, 0, (byte) 255}));
      }
      // Backwards, and further than 32 bits apart.
      long timestamp = 1_700_000_000_000L + (index % 3 == 0 ? -index * 1000L : index * 5_000_000_000L);
      records.add(new SimpleRecord(timestamp, key, value, headers.toArray(new Header[0])));
    }
    return records.toArray(new SimpleRecord[0]);
  }

  static String describe(SimpleRecord record) {
    StringBuilder headers = new StringBuilder();
    for (Header header : record.headers()) {
      headers.append(headers.length() == 0 ? "" : ",").append("[\"").append(header.key()).append("\",")
          .append(header.value() == null ? "null" : "\"" + HEX.formatHex(header.value()) + "\"").append("]");
    }
    return "{\"timestamp\":" + record.timestamp() + ",\"key\":" + hex(record.key()) + ",\"value\":" + hex(record.value())
        + ",\"headers\":[" + headers + "]}";
  }

  static String hex(ByteBuffer field) {
    if (field == null) return "null";
    byte[] bytes = new byte[field.remaining()];
    field.duplicate().get(bytes);
    return "\"" + HEX.formatHex(bytes) + "\"";
  }
}
