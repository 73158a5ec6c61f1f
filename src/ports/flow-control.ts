// What operators wish of flows: where it is kept, and how those who move them hear of it.
//
// flow   what is moved from one place to the next: `tables` (log → ClickHouse), `archive` (log → cold files), both also of
//        one event type alone (`tables:click`), `content` (outbox → log), `drain` (disk buffer → broker)
// wish   what an operator wants of one; it outlives every process, and counts for all of them

export const flowNames = ['tables', 'archive', 'content', 'drain'] as const;
export type FlowName = (typeof flowNames)[number];

/** Those that can be told of one event type alone. */
export const flowsByType: readonly FlowName[] = ['tables', 'archive'];

export const flowStates = ['running', 'paused', 'draining'] as const;
/** draining: goes on until nothing is left, then it is paused. */
export type FlowState = (typeof flowStates)[number];

export interface Wish {
  /** `tables`, or `tables:click`. */
  readonly flow: string;
  readonly state: FlowState;
  /** Who said so, in their words. */
  readonly by: string;
  /** When, as ISO 8601 in UTC. It names the wish: no two of a flow have the same. */
  readonly at: string;
  readonly why: string;
}

/** Nothing was left of a flow that was to be drained by the wish of that time. */
export interface Drained {
  readonly flow: string;
  readonly drained: string;
}

/** What counts of a flow: `paused` with `isDrained` is one that was to be drained, and of which nothing is left. */
export interface FlowNow extends Wish {
  readonly isDrained: boolean;
}

/** By flow; one that is not in it runs, and nobody ever said otherwise. */
export type Wishes = ReadonlyMap<string, FlowNow>;

export interface FlowControl {
  /** As they are known now; another object once they have changed. Null: they are not known yet, and nothing is to be moved. */
  wishes(): Wishes | null;
  /** In words what an operator has to repair, so that wishes count here; null = nothing. */
  problem(): string | null;
  /** Why they are not known, or may be old, in words: where they are kept is away; null = they are what they are. */
  away(): string | null;
  /**
   * Resolves once it lasts. Every process that follows hears of it within seconds, this one too. Rejects with a
   * PipelineError where it cannot be kept; then it may count all the same.
   */
  wish(wish: Wish): Promise<void>;
  /** The same of what a process has found out. It counts only while that very wish does: a later one is not undone by it. */
  drained(drained: Drained): Promise<void>;
  /** Calls back after each change, and when they become known. */
  watch(listener: () => void): void;
  /** Idempotent. */
  close(): Promise<void>;
}

/** What a mover asks between two steps; it costs a look at a field. */
export interface Gate {
  /** Nothing of the flow may be moved now. */
  readonly isShut: boolean;
  /** Topics that may not be read now: all that it reads while it is shut. */
  topics(): ReadonlySet<string>;
  /** What is gathered of this topic is not to wait for more. */
  isDraining(topic: string): boolean;
  /** Calls back when any of it may have changed, until what it returns is called. */
  watch(listener: () => void): () => void;
}

const nothing: ReadonlySet<string> = new Set();

/** Of a mover that nobody steers. */
export const openGate: Gate = { isShut: false, topics: () => nothing, isDraining: () => false, watch: () => () => {} };

/** Events by topic; a topic that is not in it has none. Null: it is not known now. */
export type Left = ReadonlyMap<string, number> | null;

export interface GateOptions {
  readonly flow: FlowName;
  /** All that it reads, as it is just now. A flow without topics has one of its own name. */
  readonly topics?: () => readonly string[];
  /** What is left of it, as far as this process knows of it. */
  readonly left: () => Promise<Left>;
  /** In all processes, also of topics that others read; asked once this one has nothing left. Absent where no other has any. */
  readonly leftAnywhere?: () => Promise<Left>;
}

export interface SteeredGate extends Gate {
  /**
   * `oldest`, and of topics that are not read since when something waits in them at least; `reached`: when the last record was
   * taken that was read there, where that is known. Epoch milliseconds.
   */
  withWaiting(oldest: ReadonlyMap<string, number>, reached?: ReadonlyMap<string, number>): ReadonlyMap<string, number>;
}

/** A flow that a process moves, or one event type of it. */
export interface FlowHere extends FlowNow {
  /** Of one event type alone; null = all that the flow has, or the type is not known here. */
  readonly topic: string | null;
}

/** The flows of a process. */
export interface Flows {
  /** Once for each flow that it moves. */
  gate(options: GateOptions): SteeredGate;
  /** Those that it moves, and their event types of which somebody spoke apart. */
  here(): readonly FlowHere[];
}
