// Pulsar's own client, over its binary protocol. Arguments: produce | consume, pulsar://host:port, topics with commas; with a
// fourth, `single`, its producer puts no two messages into one entry, as ours cannot either.

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pulsar.client.api.BatchReceivePolicy;
import org.apache.pulsar.client.api.Producer;
import org.apache.pulsar.client.api.PulsarClient;
import org.apache.pulsar.client.api.SubscriptionInitialPosition;
import org.apache.pulsar.client.api.SubscriptionType;

public class PulsarPeer {
  public static void main(String[] args) throws Exception {
    var topics = args[2].split(",");
    var client = PulsarClient.builder().serviceUrl(args[1]).build();
    if (args[0].equals("produce")) {
      produce(client, topics, args.length < 4 || !args[3].equals("single"));
      return;
    }
    Peer.serve(null);
    consume(client, topics);
  }

  @SuppressWarnings({"unchecked", "rawtypes"})
  private static void produce(PulsarClient client, String[] topics, boolean isBatching) throws Exception {
    Producer<byte[]>[] producers = new Producer[topics.length];
    for (int at = 0; at < topics.length; at++)
      producers[at] = client.newProducer().topic(topics[at]).enableBatching(isBatching).blockIfQueueFull(true).create();
    var turn = new AtomicInteger();
    Peer.serve((body, confirmed) -> producers[Math.floorMod(turn.getAndIncrement(), producers.length)]
        .sendAsync(body).whenComplete((id, failure) -> confirmed.tell(failure)));
  }

  private static void consume(PulsarClient client, String[] topics) throws Exception {
    var consumer = client.newConsumer().topics(List.of(topics)).subscriptionName("peer")
        .subscriptionType(SubscriptionType.Failover).subscriptionInitialPosition(SubscriptionInitialPosition.Earliest)
        .receiverQueueSize(5_000)
        .batchReceivePolicy(BatchReceivePolicy.builder().maxNumMessages(5_000).timeout(10, TimeUnit.MILLISECONDS).build())
        .subscribe();
    for (;;) {
      var messages = consumer.batchReceive();
      if (messages.size() == 0) continue;
      consumer.acknowledge(messages);
      Peer.consumed.addAndGet(messages.size());
    }
  }
}
