// The smallest HTTP server of Java in front of a vendor's client: POST / takes lines, publishes each as a message of its own,
// and answers 200 once the server has confirmed all of them. It judges nothing, stamps nothing and has no disk. GET /count
// tells how many messages its consumer has read and acknowledged. Prints its port.

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

public class Peer {
  static final AtomicLong consumed = new AtomicLong();

  interface Confirmed {
    /** Once; null = it is stored. */
    void tell(Throwable failure);
  }

  interface Publisher {
    /** Neither blocks for the confirm nor rejects but by `confirmed`. */
    void publish(byte[] body, Confirmed confirmed) throws Exception;
  }

  /** `publisher` null: it only consumes. */
  static void serve(Publisher publisher) throws IOException {
    var server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 1024);
    server.setExecutor(Executors.newFixedThreadPool(16));
    server.createContext("/count", exchange -> answer(exchange, 200, Long.toString(consumed.get())));
    if (publisher != null) server.createContext("/", exchange -> take(exchange, publisher));
    server.start();
    System.out.println(server.getAddress().getPort());
  }

  private static void take(HttpExchange exchange, Publisher publisher) throws IOException {
    var body = exchange.getRequestBody().readAllBytes();
    if (body.length == 0) {
      answer(exchange, 400, "");
      return;
    }
    var left = new AtomicInteger(1);
    var failures = new AtomicInteger();
    Confirmed confirmed = failure -> {
      if (failure != null) failures.incrementAndGet();
      if (left.decrementAndGet() == 0) answer(exchange, failures.get() == 0 ? 200 : 503, "{\"ok\":true}");
    };
    for (int from = 0; from < body.length; ) {
      int to = from;
      while (to < body.length && body[to] != '\n') to++;
      left.incrementAndGet();
      try {
        publisher.publish(from == 0 && to == body.length ? body : Arrays.copyOfRange(body, from, to), confirmed);
      } catch (Exception failure) {
        confirmed.tell(failure);
      }
      from = to + 1;
    }
    confirmed.tell(null);
  }

  private static void answer(HttpExchange exchange, int status, String text) {
    try (exchange) {
      var bytes = text.getBytes();
      exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
      exchange.getResponseBody().write(bytes);
    } catch (IOException gone) {
      // its client has left
    }
  }
}
