// Kafka's own client. Arguments: produce | consume, brokers, topics with commas.

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class KafkaPeer {
  public static void main(String[] args) throws Exception {
    var topics = args[2].split(",");
    if (args[0].equals("produce")) {
      produce(args[1], topics);
      return;
    }
    Peer.serve(null);
    consume(args[1], topics);
  }

  private static void produce(String brokers, String[] topics) throws Exception {
    Map<String, Object> settings = Map.of("bootstrap.servers", brokers, "acks", "all", "linger.ms", "1");
    var producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    var turn = new AtomicInteger();
    Peer.serve((body, confirmed) -> {
      var topic = topics[Math.floorMod(turn.getAndIncrement(), topics.length)];
      producer.send(new ProducerRecord<>(topic, body), (metadata, failure) -> confirmed.tell(failure));
    });
  }

  private static void consume(String brokers, String[] topics) {
    Map<String, Object> settings = Map.of("bootstrap.servers", brokers, "group.id", "peer-" + System.nanoTime(),
        "auto.offset.reset", "earliest", "enable.auto.commit", "false", "max.poll.records", "5000");
    var consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    consumer.subscribe(List.of(topics));
    for (;;) {
      int count = consumer.poll(Duration.ofMillis(500)).count();
      if (count == 0) continue;
      consumer.commitSync();
      Peer.consumed.addAndGet(count);
    }
  }
}
