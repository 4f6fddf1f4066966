// Reads a file of record batches with Apache's own classes, checks each and prints it as a line of JSON:
// java -cp 'libs/*' ReadBatches.java FILE

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;

public class ReadBatches {
  static final HexFormat HEX = HexFormat.of();

  public static void main(String[] args) throws Exception {
    var records = MemoryRecords.readableRecords(ByteBuffer.wrap(Files.readAllBytes(Path.of(args[0]))));
    for (var batch : records.batches()) {
      batch.ensureValid();
      StringBuilder lines = new StringBuilder();
      for (Record record : batch) {
        record.ensureValid();
        lines.append(lines.length() == 0 ? "" : ",").append(line(record));
      }
      System.out.println("{\"codec\":\"" + batch.compressionType().name + "\",\"baseOffset\":" + batch.baseOffset()
          + ",\"lastOffset\":" + batch.lastOffset() + ",\"size\":" + batch.sizeInBytes() + ",\"leaderEpoch\":"
          + batch.partitionLeaderEpoch() + ",\"producerId\":\"" + batch.producerId() + "\",\"producerEpoch\":" + batch.producerEpoch()
          + ",\"baseSequence\":" + batch.baseSequence() + ",\"lastSequence\":" + batch.lastSequence()
          + ",\"isTransactional\":" + batch.isTransactional() + ",\"isControl\":" + batch.isControlBatch()
          + ",\"isLogAppendTime\":" + (batch.timestampType() == TimestampType.LOG_APPEND_TIME)
          + ",\"maxTimestamp\":" + batch.maxTimestamp() + ",\"crc\":" + batch.checksum() + ",\"records\":[" + lines + "]}");
    }
  }

  static String line(Record record) {
    StringBuilder headers = new StringBuilder();
    for (Header header : record.headers()) {
      headers.append(" ").append(header.key()).append("=").append(header.value() == null ? "-" : HEX.formatHex(header.value()));
    }
    return "\"" + record.offset() + " " + record.timestamp() + " " + hex(record.key()) + " " + hex(record.value()) + headers + "\"";
  }

  static String hex(ByteBuffer field) {
    if (field == null) return "-";
    byte[] bytes = new byte[field.remaining()];
    field.duplicate().get(bytes);
    return HEX.formatHex(bytes);
  }
}
