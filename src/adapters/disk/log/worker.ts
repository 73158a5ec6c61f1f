// The thread that owns the database connection: bun:sqlite is synchronous, and an fsync on the request thread would
// stall every request. Messages are taken one at a time, in order; each is answered once. Between answers it rests
// (checkpoint) and sweeps in small steps.
//
// Messages are flat objects of strings and numbers: those cross threads without structured cloning, at half the cost.
// What is not a PipelineError is a bug or a lost file; it ends the worker, and with it the process.

import { PipelineError } from '../../../errors.ts';
import type { Cursors, StoredRun } from '../read/read.ts';
import type { Level } from './file.ts';
import { LostFile } from './file-watch.ts';
import type { Bounds } from './room.ts';
import type { Run } from './row.ts';
import { openStore, type Store } from './store.ts';

export type Request =
  | ({ readonly op: 'open' } & Bounds)
  /** `head`: RunHead[] as JSON; `text`: for each run its NDJSON, then its keys. */
  | { readonly op: 'append'; readonly head: string; readonly text: string }
  | { readonly op: 'register'; readonly reader: string }
  /** `cursors` and `paused` as JSON. Nothing is looked up while the version is still `unless`. */
  | {
      readonly op: 'read';
      readonly cursors: string;
      readonly paused: string;
      readonly bytesMax: number;
      readonly after: string;
      readonly unless: string;
      readonly withKeys: boolean;
    }
  | { readonly op: 'commit'; readonly reader: string; readonly topic: string; readonly last: number }
  /** `readers`: string[] as JSON. */
  | { readonly op: 'keepReaders'; readonly readers: string }
  /** `records`: SetAside[] as JSON. */
  | { readonly op: 'setAside'; readonly records: string }
  /** `ids`: string[] as JSON; `before` −1: from the newest on. */
  | { readonly op: 'find'; readonly ids: string; readonly before: number }
  /** `after` 0: from the oldest on. */
  | { readonly op: 'behind'; readonly reader: string; readonly after: number }
  | { readonly op: 'stats' }
  | { readonly op: 'left' }
  | { readonly op: 'close' };

/** Lengths count UTF-16 units of `text`. */
export type RunHead = readonly [
  topic: string,
  type: string,
  count: number,
  receivedAtMs: number,
  bodiesLength: number,
  keysLength: number,
];

export interface Answers {
  readonly open: { readonly left: number; readonly identity: string };
  readonly append: { readonly first: number; readonly last: number; readonly left: number };
  readonly register: { readonly cursors: Cursors };
  readonly read: {
    readonly batches: readonly StoredRun[];
    readonly cursors: Cursors;
    readonly more: boolean;
    readonly version: string;
  };
  readonly commit: { readonly left: number };
  /** `forgotten`: ForgottenReader[] as JSON. */
  readonly keepReaders: { readonly forgotten: string };
  readonly setAside: Record<never, never>;
  /** `found`: BufferedEvent[] as JSON; `next` −1: that was all. */
  readonly find: { readonly found: string; readonly next: number };
  /** `events`: by topic, as JSON; `next` −1: that was all. */
  readonly behind: { readonly events: string; readonly next: number };
  readonly stats: {
    readonly events: number;
    readonly bytes: number;
    readonly oldestAtMs: number | null;
    readonly quarantined: number;
  };
  readonly left: { readonly left: number };
  readonly close: Record<never, never>;
}

export type Op = Request['op'];
export type NumberedRequest = Request & { readonly id: number };
export type Reply =
  /** The thread is about to end, and answers no caller any more. */
  | { readonly id: 0; readonly failing: string }
  | { readonly id: number; readonly code: 'buffer_full' | 'buffer_failed' | 'config_invalid'; readonly message: string }
  | {
      readonly id: 0;
      readonly complaint: string;
      readonly fields: Readonly<Record<string, unknown>>;
      readonly level: Level;
    }
  | ({ readonly id: number } & Answers[Op]);

declare const self: Worker;

/** Half of the time at most goes to sweeping: other processes find the write lock free. */
const betweenSweepsMs = 3;
const afterFailedSweepMs = 1_000;

const encoder = new TextEncoder();
let store: Store | null = null;
let sweeping = false;

self.onmessage = ({ data }: MessageEvent<NumberedRequest>) =>
  savingAll(() => {
    answer(data);
    if (data.op === 'close' || store === null) return;
    store.rest();
    if (data.op === 'commit' || data.op === 'open' || data.op === 'keepReaders') void sweepOn();
  });

/** No caller waits for an answer while what was in a lost file is saved; then the thread ends. */
function savingAll<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof LostFile) {
      postMessage({ id: 0, failing: error.message });
      store?.rescue(error);
    }
    throw error;
  }
}

function answer(asked: NumberedRequest): void {
  const { id } = asked;
  try {
    if (asked.op === 'read') {
      const { batches, ...rest } = read(asked, store!);
      const packed = pack(batches);
      postMessage({ id, batches: packed.batches, ...rest }, packed.transfer);
    } else {
      postMessage({ id, ...perform(asked) });
    }
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    postMessage({ id, code: error.code, message: error.message });
  }
}

function perform(asked: Exclude<NumberedRequest, { op: 'read' }>): Answers[Op] {
  if (asked.op === 'open') {
    store = openStore(asked, (complaint, fields, level = 'error') => postMessage({ id: 0, complaint, fields, level }));
    return { left: store.left(), identity: store.id };
  }
  const to = store!;
  switch (asked.op) {
    case 'append': {
      const range = to.append(readRuns(asked.head, asked.text));
      return { ...range, left: leftIn(to) };
    }
    case 'register':
      return { cursors: to.register(asked.reader) };
    case 'commit':
      to.commit(asked.reader, asked.topic, asked.last);
      return { left: leftIn(to) };
    case 'keepReaders':
      return { forgotten: JSON.stringify(to.keepReaders(JSON.parse(asked.readers))) };
    case 'setAside':
      to.setAside(JSON.parse(asked.records));
      return {};
    case 'find': {
      const { found, next } = to.find(JSON.parse(asked.ids), asked.before < 0 ? null : asked.before);
      return { found: JSON.stringify(found), next: next ?? -1 };
    }
    case 'behind': {
      const { events, next } = to.behind(asked.reader, asked.after);
      return { events: JSON.stringify(events), next: next ?? -1 };
    }
    case 'stats':
      return to.stats();
    case 'left':
      to.check();
      return { left: to.left() };
    case 'close':
      to.close();
      store = null;
      return {};
  }
}

/** What is stored is stored, whether the room behind it can be told or not. */
function leftIn(to: Store): number {
  try {
    return to.left();
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return 0;
  }
}

function readRuns(head: string, text: string): Run[] {
  const heads: RunHead[] = JSON.parse(head);
  let at = 0;
  return heads.map(([topic, type, count, receivedAtMs, bodiesLength, keysLength]) => {
    const ndjson = encoder.encode(text.slice(at, at + bodiesLength));
    const keys = text.slice(at + bodiesLength, at + bodiesLength + keysLength);
    at += bodiesLength + keysLength;
    return { topic, type, count, receivedAtMs, keys, ndjson };
  });
}

function read(asked: Extract<NumberedRequest, { op: 'read' }>, from: Store): Answers['read'] {
  from.check();
  // Before the read: what is written while we read is seen next time.
  const version = from.version();
  const cursors: Cursors = JSON.parse(asked.cursors);
  if (version === asked.unless) return { batches: [], cursors, more: false, version };
  const { bytesMax, after, withKeys } = asked;
  return { ...from.read({ cursors, paused: new Set(JSON.parse(asked.paused)), bytesMax, after, withKeys }), version };
}

/** All bodies in one buffer that is handed over, not copied. */
function pack(batches: readonly StoredRun[]): { batches: readonly StoredRun[]; transfer: ArrayBuffer[] } {
  const all = new Uint8Array(batches.reduce((sum, { ndjson }) => sum + ndjson.length, 0));
  let at = 0;
  const packed = batches.map(batch => {
    all.set(batch.ndjson, at);
    at += batch.ndjson.length;
    return { ...batch, ndjson: all.subarray(at - batch.ndjson.length, at) };
  });
  return { batches: packed, transfer: [all.buffer] };
}

/** One chain of sweeps at most; it ends when there is nothing left to do. */
async function sweepOn(): Promise<void> {
  if (sweeping) return;
  sweeping = true;
  let pauseMs = betweenSweepsMs;
  for (;;) {
    await Bun.sleep(pauseMs);
    const swept = savingAll(() => store?.sweep() ?? 'done');
    savingAll(() => store?.rest());
    if (swept === 'done') break;
    pauseMs = swept === 'failed' ? afterFailedSweepMs : betweenSweepsMs;
  }
  sweeping = false;
}
