// What the etl's chaos wants of a broker, in words that every one has: how edges and movers reach it, what can go wrong with
// it, another team's way of writing to it, and all it holds, read by something that is not ugc.

import type { FlowControl } from '../../src/ports/flow-control.ts';
import type { Make } from './faults.ts';

export type Value = string | Buffer | null;

export interface EtlBroker {
  /** As answers call it. */
  readonly name: string;
  /** Of edges and movers; through a network that can be bad. */
  readonly flags: readonly string[];
  /** Of movers alone. */
  readonly moving: readonly string[];
  /** A mover that does nothing for so long has lost its partitions. */
  readonly sessionMs: number;
  readonly faults: readonly Make[];
  /** The `reading`-th reading of this one topic from its first record on, as flags. */
  again(topic: string, reading: number): readonly string[];
  /** Records that the movers, and that reading, have not passed; one that has not begun has all before it. */
  behind(topics: readonly string[], again: { readonly topic: string; readonly reading: number }): Promise<number>;
  /** Every record there is, once; `place` as dead letters have it. A value that is none is empty where there are no others. */
  eachRecord(topics: readonly string[], take: (place: string, value: Buffer | null) => void): Promise<void>;
  /** In another team's words; resolves once they are stored, rejects when that is not known. */
  write(topic: string, values: readonly Value[]): Promise<void>;
  /** What operators wish of flows, past the network that can be bad. Absent where it counts for one data folder alone. */
  readonly flows?: () => FlowControl;
  /** It runs, and nothing is in its way. */
  heal(): Promise<void>;
  close(): Promise<void>;
}
