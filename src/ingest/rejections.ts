// What this instance rejects for good, counted by type, reason, field and sender, and written once a minute, and at the
// stop, through the same log as the events: a row of the table `rejections` for each combination.
//
// - A flood costs the path a look-up and an increment: what the first of a combination looked like is put down, no other.
// - Combinations of a minute are bounded; what is beyond them is counted in one row, `(other)`.
// - Nobody waits for it. What the log does not take now is offered again under the same ids; what waits is bounded, and
//   what is beyond that is lost and counted. A killed instance takes what it has not written with it.

import { rejectionsType } from '../../schemas/rejections.ts';
import { errorTable, PipelineError } from '../errors.ts';
import type { Envelope, Log } from '../ports/log.ts';
import { isoOf } from '../process/clock.ts';
import { sleep } from '../process/sleep.ts';
import { stampStart, stampText } from '../record/stamp.ts';
import { type Refused, type Shapes, unknownWord } from './shape.ts';
import { writtenLater } from './written-later.ts';

export interface RejectionsOptions {
  readonly log: Pick<Log, 'publish'>;
  readonly topic: string;
  readonly shapes: Shapes;
  /** How long is counted before it is written. */
  readonly everyMs: number;
  /** Of so many rejections nothing will be known. */
  readonly onLost: (rejected: number) => void;
  readonly now?: () => number;
  /** Combinations in one stretch of time. */
  readonly rowsMax?: number;
  /** Rows that wait for the log. */
  readonly waitingMax?: number;
}

export interface Rejections {
  /** An event, as it was sent, by whom, and why it is rejected. */
  note(event: unknown, refused: Refused, source: string): void;
  /** Why no event could be read from a body. What is not the sender's fault, or passes, is no rejection. */
  noteBody(error: unknown, source: string): void;
  /** Writes what is left. After the last note, before the log is closed. */
  close(): Promise<void>;
}

interface Row {
  readonly what: 'event' | 'body' | typeof otherWord;
  readonly type: string;
  readonly reason: string;
  readonly path: string;
  readonly source: string;
  readonly example: string;
  rejected: number;
}

/** In the place of whatever told rows apart. */
export const otherWord = '(other)';

/** A timer may be over a moment early. */
const earlyMsMax = 50;

export function startRejections(options: RejectionsOptions): Rejections {
  const { log, shapes, everyMs, onLost, now = Date.now, rowsMax = 1_000, waitingMax = 10_000 } = options;
  const instance = crypto.randomUUID();
  const later = writtenLater(log, waitingMax);
  const stopping = new AbortController();
  const startOf = (ms: number): number => ms - (ms % everyMs);
  let rows = new Map<string, Row>();
  let sinceMs = startOf(now());
  const done = run();

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await sleep(everyMs - ((now() + earlyMsMax) % everyMs) + earlyMsMax, stopping.signal);
      turn();
      void later.write(); // the next stretch begins now, however long this takes
    }
  }

  function turn(): void {
    for (const row of rows.values()) if (!later.add(envelopeOf(row))) onLost(row.rejected);
    if (rows.size > 0) rows = new Map();
    sinceMs = startOf(now() + earlyMsMax);
  }

  function envelopeOf(row: Row): Envelope {
    const id = Bun.randomUUIDv7();
    const receivedAtMs = now();
    const head = `${stampStart}${id}${stampText({ type: rejectionsType, version: 1 })}"received_at":"${isoOf(receivedAtMs)}","timestamp":"${isoOf(sinceMs)}"`;
    const body = `${head},"instance":"${instance}",${JSON.stringify(row).slice(1)}`;
    return { id, type: rejectionsType, version: 1, topic: options.topic, key: null, body, receivedAtMs };
  }

  function add(key: string, row: Row): void {
    rows.set(key, { ...row, source: row.source.toWellFormed() });
  }

  /** False: it is the first of its combination, and there is room for it. */
  function counted(key: string): boolean {
    const known = rows.get(key) ?? (rows.size < rowsMax ? undefined : otherRow());
    if (known === undefined) return false;
    known.rejected++;
    return true;
  }

  function otherRow(): Row {
    const known = rows.get(otherWord);
    if (known !== undefined) return known;
    const [what, type, reason, path] = [otherWord, otherWord, otherWord, otherWord] as const;
    const row: Row = { what, type, reason, path, source: '', rejected: 0, example: '' };
    rows.set(otherWord, row);
    return row;
  }

  return {
    note(event, refused, source) {
      const { reason, type } = refused;
      const path = shapes.pathOf(refused);
      const key = `${reason} ${type} ${path} ${source}`;
      if (counted(key)) return;
      const example = shapes.exampleOf(event, type);
      add(key, { what: 'event', type: type ?? unknownWord, reason, path, source, rejected: 1, example });
    },
    noteBody(error, source) {
      if (!(error instanceof PipelineError) || !isForGood(error)) return;
      const reason = error.code;
      const key = `body ${reason} ${source}`;
      if (counted(key)) return;
      add(key, { what: 'body', type: unknownWord, reason, path: '', source, rejected: 1, example: '' });
    },
    async close() {
      if (stopping.signal.aborted) return;
      stopping.abort();
      await done;
      await later.write();
    },
  };
}

const isForGood = ({ code }: PipelineError): boolean =>
  errorTable[code].retry === 'never' && errorTable[code].status < 500;
