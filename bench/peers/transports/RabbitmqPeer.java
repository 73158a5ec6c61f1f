// RabbitMQ's own client, AMQP 0-9-1: one channel with publisher confirms; a channel that consumes each queue, acknowledging
// many at a time. Arguments: produce | consume, amqp://…, queues with commas, stream | quorum.

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.MessageProperties;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;

public class RabbitmqPeer {
  private static final int ackEvery = 500;

  public static void main(String[] args) throws Exception {
    var queues = args[2].split(",");
    var factory = new ConnectionFactory();
    factory.setUri(args[1]);
    var connection = factory.newConnection();
    if (args[0].equals("produce")) {
      produce(connection.createChannel(), queues);
      return;
    }
    Peer.serve(null);
    for (var queue : queues) consume(connection.createChannel(), queue, args[3].equals("stream"));
  }

  private static void produce(Channel channel, String[] queues) throws Exception {
    var open = new ConcurrentSkipListMap<Long, Peer.Confirmed>();
    channel.confirmSelect();
    channel.addConfirmListener(
        (tag, isMultiple) -> settle(open, tag, isMultiple, null),
        (tag, isMultiple) -> settle(open, tag, isMultiple, new IOException("nack")));
    var turn = new AtomicInteger();
    Peer.serve((body, confirmed) -> {
      var queue = queues[Math.floorMod(turn.getAndIncrement(), queues.length)];
      synchronized (channel) {
        open.put(channel.getNextPublishSeqNo(), confirmed);
        channel.basicPublish("", queue, true, MessageProperties.PERSISTENT_BASIC, body);
      }
    });
  }

  private static void settle(
      ConcurrentSkipListMap<Long, Peer.Confirmed> open, long tag, boolean isMultiple, Throwable failure) {
    if (!isMultiple) {
      open.remove(tag).tell(failure);
      return;
    }
    var confirmed = open.headMap(tag, true);
    for (var each : new ArrayList<>(confirmed.values())) each.tell(failure);
    confirmed.clear();
  }

  private static void consume(Channel channel, String queue, boolean isStream) throws IOException {
    channel.basicQos(10_000);
    Map<String, Object> from = isStream ? Map.of("x-stream-offset", "first") : Map.of();
    channel.basicConsume(queue, false, "", false, false, from, new DefaultConsumer(channel) {
      private int count = 0;

      @Override
      public void handleDelivery(String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body)
          throws IOException {
        Peer.consumed.incrementAndGet();
        if (++count % ackEvery == 0) getChannel().basicAck(envelope.getDeliveryTag(), true);
      }
    });
  }
}
