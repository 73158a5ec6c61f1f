// A real server beside us on the same cores, and how ugc and a plain peer reach it.

import type { BrokerName, Log } from '../../src/ports/log.ts';

export interface Broker {
  /** As people call it. */
  readonly title: string;
  /** What an answer calls it (`"stored":"kafka"`). */
  readonly stored: BrokerName;
  /** Of a ugc that writes to it and reads from it: topics by this pattern, a reader of this name. */
  env(topic: string, group: string): Readonly<Record<string, string>>;
  /** CPU time of the server so far, core-µs. */
  us(): number;
  /** kill -9. */
  kill(): Promise<void>;
  /** A killed one again, on its data. */
  restart(): Promise<void>;
  stopForGood(): Promise<void>;
}

export interface PeerCommand {
  /** The class, and the folder of the jars it needs. */
  readonly main: string;
  readonly jars: string;
  /** Behind `produce` or `consume`. */
  args(topics: readonly string[]): readonly string[];
  /** In words, for a row. */
  readonly title: string;
}

/** One that is written to and read from without a ugc, too. */
export interface BenchBroker extends Broker {
  ensureTopics(topics: readonly string[]): Promise<unknown>;
  openLog(): Log;
  /** Events that it takes and gives in a few seconds, for a drain. */
  readonly backlog: number;
  /** The vendor's client; the first is the one that is compared with. */
  readonly peers: readonly PeerCommand[];
}

/** Partitions of each topic, where there is such a thing: ours, the peer's, and those that are filled. */
export const partitions = 6;
