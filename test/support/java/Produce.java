// A Java producer, for what only its libraries write: Snappy and LZ4. Arguments: brokers, topic, compression.type; each
// line of stdin is a record of partition 0.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

public class Produce {
  public static void main(String[] args) throws Exception {
    Map<String, Object> settings = Map.of(
        "bootstrap.servers", args[0], "compression.type", args[2], "linger.ms", "200", "batch.size", "500000");
    try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
      var lines = new BufferedReader(new InputStreamReader(System.in));
      for (String line = lines.readLine(); line != null; line = lines.readLine())
        producer.send(new ProducerRecord<>(args[1], 0, null, line));
      producer.flush();
    }
  }
}
