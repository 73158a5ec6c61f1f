import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.opensearch.Version;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.plugins.Plugin;
import org.opensearch.transport.Netty4Plugin;

/** One node of OpenSearch in one process, with no plugin but the one that speaks HTTP. Arguments: its folder, its port. */
public class SearchNode {
  static final class One extends Node {
    One(Environment env, List<Class<? extends Plugin>> plugins) {
      super(env, plugins, false);
    }
  }

  public static void main(String[] args) throws Exception {
    Settings settings = Settings.builder()
        .put("path.home", args[0])
        .put("http.port", args[1])
        .put("transport.type", "netty4")
        .put("http.type", "netty4")
        .put("discovery.type", "single-node")
        .put("cluster.routing.allocation.disk.threshold_enabled", false)
        .put("node.name", "one")
        .build();
    Environment env = InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "one");
    Node node = new One(env, List.of(Netty4Plugin.class));
    node.start();
    System.out.println("started");
    Thread.currentThread().join();
  }
}
