// A topology of four stages, each with a topic between: Totals PROPERTIES, to be run by two instances at once.
//   totals-input "user amount", without keys
//     → by user (repartition topic) → count and sum of each (changelog topic) → totals-users
//     → joined with the table totals-regions (user → region)
//     → by region (repartition topic) → count and sum of each, the old total of a user taken off (changelog topic) → totals-output
// No caches: every record of the input is a line of totals-users.

import java.io.FileInputStream;
import java.util.Properties;
import org.apache.kafka.common.serialization.*;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.state.KeyValueStore;

public class Totals {
  static final Serde<String> TEXT = Serdes.String();
  static final String NOTHING = "0 0";

  public static void main(String[] args) throws Exception {
    var config = new Properties();
    config.put("auto.offset.reset", "earliest");
    config.put("statestore.cache.max.bytes", "0");
    try (var file = new FileInputStream(args[0])) {
      config.load(file);
    }
    var streams = new KafkaStreams(topology(), config);
    streams.setStateListener((now, before) -> {
      if (now == KafkaStreams.State.ERROR) Runtime.getRuntime().halt(1);
    });
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
  }

  static Topology topology() {
    var builder = new StreamsBuilder();
    KTable<String, String> regions = builder.table("totals-regions", Consumed.with(TEXT, TEXT));
    KTable<String, String> users = builder.stream("totals-input", Consumed.with(TEXT, TEXT))
      .map((key, value) -> KeyValue.pair(value.split(" ")[0], value.split(" ")[1]))
      .groupByKey(Grouped.with("by-user", TEXT, TEXT))
      .aggregate(() -> NOTHING, (user, amount, total) -> sum(total, "1 " + amount, 1), store("users"));
    users.toStream().to("totals-users", Produced.with(TEXT, TEXT));
    users.join(regions, (total, region) -> region + " " + total, store("joined"))
      .groupBy((user, joined) -> {
        var words = joined.split(" ", 2);
        return KeyValue.pair(words[0], words[1]);
      }, Grouped.with("by-region", TEXT, TEXT))
      .aggregate(
        () -> NOTHING,
        (region, total, all) -> sum(all, total, 1),
        (region, total, all) -> sum(all, total, -1),
        store("regions"))
      .toStream().to("totals-output", Produced.with(TEXT, TEXT));
    return builder.build();
  }

  static Materialized<String, String, KeyValueStore<Bytes, byte[]>> store(String name) {
    return Materialized.<String, String, KeyValueStore<Bytes, byte[]>>as(name).withKeySerde(TEXT).withValueSerde(TEXT);
  }

  /** Of two pairs "count sum". */
  static String sum(String all, String one, int sign) {
    String[] a = all.split(" "), b = one.split(" ");
    return (Long.parseLong(a[0]) + sign * Long.parseLong(b[0])) + " " + (Long.parseLong(a[1]) + sign * Long.parseLong(b[1]));
  }
}
