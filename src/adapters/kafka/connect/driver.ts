// What we use of kafkajs below its public interface, with the types it does not publish: its cluster (seed brokers,
// metadata, a connection per broker, TLS, SASL) and a broker's connection, to which we hand the bytes of a request
// ourselves. kafkajs is pinned and patched (.ci/patches), so what is described here is what is installed.
// - nothing here retries: every call fails at once or within the timeouts given
// - NODE_ENV changes kafkajs' retry defaults, so they are always given

interface SocketRequest {
  readonly entry: {
    readonly apiKey: number;
    readonly apiName: string;
    readonly apiVersion: number;
    readonly correlationId: number;
    readonly resolve: (answer: { readonly payload: Buffer }) => void;
    readonly reject: (error: unknown) => void;
  };
  readonly expectResponse: true;
  readonly requestTimeout: null;
  readonly sendRequest: () => void;
}

export interface Connection {
  readonly clientId: string;
  readonly socket: {
    write(bytes: Uint8Array): boolean;
    destroy(): void;
    removeAllListeners(): void;
    on(event: 'error', listener: () => void): void;
  } | null;
  readonly requestQueue: { push(request: SocketRequest): void; destroy(): void };
  /** 'disconnecting' counts as connected in isConnected, but what is sent then never gets an answer nor an error. */
  connectionStatus: 'connected' | 'disconnecting' | 'disconnected';
  authenticatedAt: unknown;
  /** Shared by all callers that ask while a socket is being made. */
  connecting?: Promise<unknown> | null;
  isConnected(): boolean;
  /** With SASL, and if it has not. Shared by concurrent callers. */
  authenticate(): Promise<void>;
  nextCorrelationId(): number;
  rejectRequests(error: unknown): void;
}

export interface Broker {
  readonly brokerAddress: string;
  /** By API key, once connected. */
  readonly versions?: Readonly<Record<number, { readonly maxVersion: number }>> | null;
  readonly connectionPool: { readonly pool: readonly Connection[]; getConnection(index: number): Promise<Connection> };
  /** Asks for them. */
  apiVersions(): Promise<NonNullable<Broker['versions']>>;
}

/**
 * A broker as the coordinator of a group, or as the leader that knows its partitions' offsets. Each call rejects with
 * the broker's code.
 */
export interface CoordinatorBroker extends Broker {
  connect(): Promise<void>;
  findGroupCoordinator(group: { readonly groupId: string }): Promise<{
    readonly coordinator: { readonly nodeId: number; readonly host: string; readonly port: number };
  }>;
  joinGroup(request: {
    readonly groupId: string;
    readonly sessionTimeout: number;
    readonly rebalanceTimeout: number;
    readonly memberId: string;
    readonly groupProtocols: readonly { readonly name: string; readonly metadata: Buffer }[];
  }): Promise<{
    readonly generationId: number;
    readonly leaderId: string;
    readonly memberId: string;
    readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[];
  }>;
  syncGroup(request: {
    readonly groupId: string;
    readonly generationId: number;
    readonly memberId: string;
    readonly groupAssignment: readonly { readonly memberId: string; readonly memberAssignment: Buffer }[];
  }): Promise<{ readonly memberAssignment: Buffer }>;
  heartbeat(request: {
    readonly groupId: string;
    readonly groupGenerationId: number;
    readonly memberId: string;
  }): Promise<unknown>;
  leaveGroup(request: { readonly groupId: string; readonly memberId: string }): Promise<unknown>;
  offsetFetch(request: {
    readonly groupId: string;
    readonly topics: readonly {
      readonly topic: string;
      readonly partitions: readonly { readonly partition: number }[];
    }[];
  }): Promise<OffsetAnswers>;
  describeGroups(request: { readonly groupIds: readonly string[] }): Promise<{
    readonly groups: readonly {
      readonly groupId: string;
      /** `Empty` and `Dead`: nobody is in it. */
      readonly state: string;
      readonly members: readonly unknown[];
    }[];
  }>;
  createTopics(request: {
    readonly topics: readonly {
      readonly topic: string;
      readonly numPartitions: number;
      readonly replicationFactor: number;
      readonly configEntries?: readonly { readonly name: string; readonly value: string }[];
    }[];
  }): Promise<unknown>;
  /** `type` 2: of topics. */
  describeConfigs(request: {
    readonly resources: readonly { readonly type: 2; readonly name: string; readonly configNames: readonly string[] }[];
  }): Promise<{
    readonly resources: readonly {
      readonly resourceName: string;
      readonly errorCode: number;
      readonly configEntries: readonly { readonly configName: string; readonly configValue: string | null }[];
    }[];
  }>;
  /** The timestamp -2 asks for the earliest offset, -1 for the one after the latest. */
  listOffsets(request: {
    readonly replicaId: -1;
    readonly isolationLevel: 1;
    readonly topics: readonly {
      readonly topic: string;
      readonly partitions: readonly { readonly partition: number; readonly timestamp: number }[];
    }[];
  }): Promise<OffsetAnswers>;
}

export interface OffsetAnswers {
  readonly responses: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly offset: string;
      /** Of what was committed: what the committer said with it. */
      readonly metadata?: string | null;
    }[];
  }[];
}

export interface TopicMetadata {
  readonly topic: string;
  /** As Kafka's tools print it; null = the broker knows none. */
  readonly topicId: string | null;
  /** 0 = fine. */
  readonly code: number;
  readonly partitionMetadata: readonly PartitionMetadata[];
}

export interface PartitionMetadata {
  readonly partitionId: number;
  /** Node, or -1. */
  readonly leader: number;
  /** Grows with each election; -1 = not told. */
  readonly leaderEpoch?: number;
  /** How many there are to be, and how many have all of it. */
  readonly replicas?: number;
  readonly inSync?: number;
}

export interface Metadata {
  readonly brokers: readonly {
    readonly nodeId: number;
    readonly host: string;
    readonly port: number;
    readonly rack: string | null;
  }[];
  readonly clusterId: string | null;
  /** The node that creates topics. */
  readonly controllerId: number;
  readonly topicMetadata: readonly TopicMetadata[];
}

export interface Cluster {
  readonly brokerPool: {
    readonly brokers: Readonly<Record<string, Broker>>;
    readonly seedBroker: Broker | undefined;
    readonly metadata: Metadata | null;
    refreshMetadata(topics: readonly string[]): Promise<void>;
    /** Connected and authenticated. */
    findBroker(node: { readonly nodeId: number }): Promise<CoordinatorBroker>;
    findConnectedBroker(): Promise<CoordinatorBroker>;
    readonly rootLogger: unknown;
    readonly versions: unknown;
    readonly connectionPoolBuilder: {
      /** Without an address the next of those the cluster was opened with. */
      build: (address?: { readonly host: string; readonly port: number }) => Promise<Broker['connectionPool']>;
    };
    createBroker: (options: {
      readonly connectionPool: Broker['connectionPool'];
      readonly logger: unknown;
      readonly versions: unknown;
      readonly nodeId: number;
    }) => CoordinatorBroker;
  };
}

/** What kafkajs throws for a code of the protocol. */
export const { createErrorFromCode } = require('kafkajs/src/protocol/error') as {
  createErrorFromCode(code: number): Error;
};

/**
 * A request whose bytes are ours: `fill` gets the correlation id and returns them, size in front. Resolves with the
 * answer's body.
 */
export function sendBytes(
  connection: Connection,
  api: { readonly apiKey: number; readonly apiVersion: number; readonly apiName: string },
  fill: (correlationId: number) => Uint8Array,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // Before the bytes are made: what fails here was certainly not sent.
    if (connection.connectionStatus !== 'connected' || !connection.socket) throw new Error('not connected');
    const { socket } = connection;
    const correlationId = connection.nextCorrelationId();
    const bytes = fill(correlationId);
    connection.requestQueue.push({
      entry: { ...api, correlationId, resolve: ({ payload }) => resolve(payload), reject },
      expectResponse: true,
      requestTimeout: null,
      sendRequest: () => void socket.write(bytes),
    });
  });
}

/**
 * The broker that keeps a group, over a connection of its own: joining a group holds up whatever else is asked on the
 * same one, and so does waiting for records.
 */
export async function openCoordinator({ brokerPool }: Cluster, groupId: string): Promise<CoordinatorBroker> {
  const asked = await brokerPool.findConnectedBroker();
  const { coordinator } = await asked.findGroupCoordinator({ groupId });
  const { nodeId, host, port } = coordinator;
  const connectionPool = await brokerPool.connectionPoolBuilder.build({ host, port });
  const { rootLogger, versions } = brokerPool;
  const broker = brokerPool.createBroker({ connectionPool, logger: rootLogger, versions, nodeId });
  await broker.connect();
  return broker;
}

/** Ends a broker's connections now. */
export function dropBroker(broker: Broker, error: unknown): void {
  for (const connection of broker.connectionPool.pool) dropConnection(connection, error);
}

/** Ends every connection there is. */
export function dropCluster({ brokerPool }: Cluster, error: unknown): void {
  for (const broker of new Set([...Object.values(brokerPool.brokers), brokerPool.seedBroker]))
    if (broker !== undefined) dropBroker(broker, error);
}

/** Ends a connection now, its requests failing with `error`. */
export function dropConnection(connection: Connection, error: unknown): void {
  const { socket } = connection;
  // Not connection.disconnect, which ends the socket some turns later, and by then there may be a new one.
  connection.connectionStatus = 'disconnected';
  connection.authenticatedAt = null;
  connection.connecting = null; // a caller that asks from now on gets a new one
  connection.rejectRequests(error);
  connection.requestQueue.destroy();
  if (!socket) return;
  socket.removeAllListeners();
  socket.on('error', () => {});
  socket.destroy();
}

/**
 * Ends the connections of a broker that has let a request time out. They may be dead for the minutes TCP takes to notice,
 * and would hold the bytes of every further request.
 */
export function dropHung({ brokerPool }: Cluster, thrown: unknown): void {
  for (let error = thrown as { name?: string; broker?: string; cause?: unknown } | undefined; error; ) {
    if (error.name === 'KafkaJSRequestTimeoutError')
      for (const broker of [...Object.values(brokerPool.brokers), brokerPool.seedBroker])
        for (const connection of broker?.connectionPool.pool ?? [])
          if (broker!.brokerAddress === error.broker && connection.isConnected()) dropConnection(connection, thrown);
    error = error.cause as typeof error;
  }
}
