// A broker of events: Kafka and whatever else there will be. One adapter, one line in roles/transport.ts.

import type { FlowControl } from './flow-control.ts';
import type { BrokerName, Log } from './log.ts';
import type { Source } from './source.ts';

/**
 * Where a reader begins that has committed nothing: at the first record of that time (epoch milliseconds) or later, or at
 * these offsets, by `topic/partition`; a partition that is not named at its end.
 */
export type StartingPoint = { readonly atMs: number } | { readonly offsets: ReadonlyMap<string, number> };

export interface Transport {
  /** What an answer calls it (`"stored":"kafka"`). */
  readonly name: BrokerName;
  /** As people call it. */
  readonly title: string;
  openLog(): Log;
  /** How little the drain sends at a time while live events come, of a broker that takes less a second than most. */
  readonly drainPace?: { readonly perSecondMin: number; readonly underWayMax: number };
  /**
   * Creates those of the topics that are missing, as far as that is allowed, and says which. Rejects with `log_halted`
   * and what to do where an operator has to create them, with `log_unavailable` when the broker cannot be asked.
   */
  ensureTopics(topics: readonly string[]): Promise<readonly string[]>;
  /** Throws `config_invalid` where a setting names, for reading, a topic that is none of these. */
  assertKnown(topics: readonly string[]): void;
  /**
   * What a mover reads: `topics` as they are now. `known`: all that this process has to do with, as they are just now.
   */
  openSource(topics: readonly string[], known: () => readonly string[]): Source;
  /**
   * The same for a reader of this name, beside the mover: it begins at the earliest, goes on where it was, and neither
   * waits for the other.
   */
  openReader(reader: string, topics: readonly string[]): Source;
  /** What operators wish of flows, kept in the log for all its processes. Absent where it cannot keep such a thing. */
  openFlowControl?(): FlowControl;
  /**
   * Events behind what all processes together have committed, by topic, of the mover or of the reader of this name. Rejects
   * when the broker cannot be asked. Absent where it does not say.
   */
  behind?(reader: string | null, topics: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /**
   * For how long, in ms, each of the topics keeps a record, whether it was read or not; without those that keep it for ever
   * or do not say. Rejects when the broker cannot be asked. Absent where nothing is deleted that a reader waits for.
   */
  keeps?(topics: readonly string[]): Promise<ReadonlyMap<string, number>>;
}
