// What kafka-reassign-partitions.sh --execute and kafka-leader-election.sh --election-type unclean ask of a cluster: the
// partition is to live on another broker, and that one is to lead it without what was there.

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;

class GiveUp {
  /** brokers, topic, partition, node. */
  public static void main(String[] args) throws Exception {
    TopicPartition partition = new TopicPartition(args[1], Integer.parseInt(args[2]));
    NewPartitionReassignment there = new NewPartitionReassignment(List.of(Integer.parseInt(args[3])));
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[0]))) {
      admin.alterPartitionReassignments(Map.of(partition, Optional.of(there))).all().get();
      admin.electLeaders(ElectionType.UNCLEAN, Set.of(partition)).partitions().get().get(partition).ifPresent(error -> {
        throw new RuntimeException(error);
      });
    }
  }
}
