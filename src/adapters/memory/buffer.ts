// The disk buffer without a disk: the same contract in a few arrays, for tests and as the model the real one is held
// against. Nothing survives the process.

import { PipelineError } from '../../errors.ts';
import type { DiskBuffer, ForgottenReader } from '../../ports/buffer.ts';
import type { Envelope } from '../../ports/log.ts';
import type { Ack, PollOptions, PositionedBatch, PositionedSource } from '../../ports/source.ts';
import { bodyStart } from '../../record/stamp.ts';

export interface MemoryBufferOptions {
  /** Of the bodies. */
  readonly bytesMax?: number;
}

type Positions = Map<string, number>;

/** What an ack of its sources is: everything of the topic up to `last` is finished. */
interface Passed {
  readonly topic: string;
  readonly last: number;
}

const ackOf = (passed: Passed): Ack => passed as unknown as Ack;
const passedOf = (ack: Ack): Passed => ack as unknown as Passed;

const encoder = new TextEncoder();

export function memoryBuffer({ bytesMax = Number.POSITIVE_INFINITY }: MemoryBufferOptions = {}): DiskBuffer {
  /** In order of position. */
  let runs: PositionedBatch[] = [];
  let bytes = 0;
  let last = Date.now() * 1000;
  let closed = false;
  const aside = new Set<string>();
  const readers = new Map<string, Positions>();
  const waiting = new Set<() => void>();

  const wakeAll = (): void => {
    for (const wake of waiting) wake();
  };

  const dropPassed = (): void => {
    const all = [...readers.values()];
    const isPassed = (run: PositionedBatch): boolean => all.every(passed => run.last <= (passed.get(run.topic) ?? 0));
    runs = runs.filter(run => !isPassed(run));
    bytes = runs.reduce((sum, run) => sum + run.ndjson.length, 0);
  };

  const nextOf = (cursors: Positions, { paused, bytesMax: max }: PollOptions): PositionedBatch[] => {
    const taken: PositionedBatch[] = [];
    let size = 0;
    for (const run of runs) {
      if (size >= max) break;
      if (paused.has(run.topic) || run.last <= (cursors.get(run.topic) ?? 0)) continue;
      cursors.set(run.topic, run.last);
      taken.push(run);
      size += run.ndjson.length;
    }
    return taken;
  };

  function behindOf(passed: Positions): ReadonlyMap<string, number> {
    const behind = runs.filter(run => run.last > (passed.get(run.topic) ?? 0));
    const byTopic = Map.groupBy(behind, ({ topic }) => topic);
    return new Map([...byTopic].map(([topic, of]) => [topic, of.reduce((sum, { count }) => sum + count, 0)]));
  }

  /** Registers it, unless it is. */
  function passedBy(reader: string): Positions {
    const passed = readers.get(reader) ?? new Map<string, number>();
    readers.set(reader, passed);
    return passed;
  }

  function sourceOf(reader: string, withKeys: boolean): PositionedSource {
    const cursors: Positions = new Map(passedBy(reader));
    let ended = false;
    return {
      async poll(options, signal) {
        for (;;) {
          if (signal.aborted || ended || closed) return [];
          const batches = nextOf(cursors, options);
          if (batches.length > 0) return withKeys ? batches : batches.map(({ keys: _, ...batch }) => batch);
          await new Promise<void>(resolve => {
            const wake = (): void => {
              waiting.delete(wake);
              signal.removeEventListener('abort', wake);
              resolve();
            };
            waiting.add(wake);
            signal.addEventListener('abort', wake);
          });
        }
      },
      async commit(ack) {
        const { topic, last } = passedOf(ack);
        const passed = passedBy(reader);
        passed.set(topic, Math.max(last, passed.get(topic) ?? 0));
        dropPassed();
      },
      lag: async () => behindOf(readers.get(reader) ?? new Map()),
      async close() {
        ended = true;
        wakeAll();
      },
    };
  }

  return {
    id: crypto.randomUUID(),

    async append(envelopes) {
      if (closed) throw new PipelineError('shutting_down', 'The buffer is closed');
      if (envelopes.some(({ body }) => body.includes('\n')))
        throw new PipelineError('internal', 'The body of an envelope is more than one line');
      if (envelopes.length === 0) return { first: 0, last: -1 };
      const added = toRuns(envelopes, last + 1);
      const size = added.reduce((sum, run) => sum + run.ndjson.length, 0);
      if (bytes + size > bytesMax) throw new PipelineError('buffer_full');
      const first = last + 1;
      last += envelopes.length;
      bytes += size;
      runs.push(...added);
      wakeAll();
      return { first, last };
    },

    source(reader, { withKeys = false } = {}) {
      return sourceOf(reader, withKeys);
    },

    async keepReaders(names) {
      const forgotten: ForgottenReader[] = [];
      for (const [reader, passed] of [...readers]) {
        if (names.includes(reader)) continue;
        const behind = [...behindOf(passed).values()].reduce((sum, count) => sum + count, 0);
        forgotten.push({ reader, behind });
        readers.delete(reader);
      }
      for (const name of names) passedBy(name);
      dropPassed();
      return forgotten;
    },

    async setAside(records) {
      for (const { topic, position, index } of records) aside.add(`${topic}/${position}/${index}`);
    },

    async find(ids) {
      const lines = runs.flatMap(({ topic, type, first, oldestAtMs, ndjson }) =>
        new TextDecoder()
          .decode(ndjson)
          .split('\n')
          .map((body, at) => ({ topic, type: type!, position: first + at, atMs: oldestAtMs, body, setAside: null })),
      );
      const events = ids.flatMap(id =>
        lines.filter(({ body }) => body.startsWith(bodyStart(id))).map(line => ({ id, ...line })),
      );
      return { events, isWhole: true };
    },

    async stats() {
      const events = runs.reduce((sum, run) => sum + run.count, 0);
      return { events, bytes, oldestAtMs: runs[0]?.oldestAtMs ?? null, quarantined: aside.size };
    },

    problem: () => null,

    hasRoom: size => !closed && bytes + size <= bytesMax,

    async close() {
      closed = true;
      wakeAll();
    },
  };
}

/** One run for each topic, type and version. */
function toRuns(envelopes: readonly Envelope[], from: number): PositionedBatch[] {
  let first = from;
  const groups = Map.groupBy(envelopes, ({ topic, type, version }) => JSON.stringify([topic, type, version]));
  return [...groups.values()].map(group => {
    const { topic } = group[0]!;
    const end = first + group.length - 1;
    const run: PositionedBatch = {
      ack: ackOf({ topic, last: end }),
      topic,
      type: group[0]!.type,
      partition: 0,
      first,
      last: end,
      count: group.length,
      oldestAtMs: Math.min(...group.map(({ receivedAtMs }) => receivedAtMs)),
      ndjson: encoder.encode(group.map(({ body }) => `${body}\n`).join('')),
      keys: JSON.stringify(group.map(({ key }) => key)),
      ...(group[0]!.version > 0 && { version: group[0]!.version }),
    };
    first += group.length;
    return run;
  });
}
