// A mover between a list and a memory sink. A test that leaves anything running behind fails.

import { afterEach, expect } from 'bun:test';
import { type MemorySink, memorySink } from '../../src/adapters/memory/sink.ts';
import { type Mover, type MoverOptions, startMover } from '../../src/mover/loop.ts';
import { type ListSource, listSource, versionOne } from './list-source.ts';
import { moverMetrics, quietLogger } from './quiet.ts';
import { soon } from './until.ts';

export interface Moving {
  readonly source: ListSource;
  readonly sink: MemorySink;
  readonly mover: Mover;
}

/** A record as the edge would have stored it. */
export const body = (id: string, more: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({ event_id: id, ...more });

export const bodies = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, at) => body(`${prefix}${at}`));

const started: Moving[] = [];

export function startMoving(options: Partial<MoverOptions> & { source?: ListSource; sink?: MemorySink } = {}): Moving {
  const { source = listSource(), sink = memorySink(), ...rest } = options;
  const mover = startMover({
    source,
    sink,
    deadLetters: sink,
    types: versionOne('click', 'page_view'),
    judge: () => ({ ok: false, reason: 'unknown_type', detail: 'nobody knows it' }),
    blockRowsMax: 100,
    blockBytesMax: 100_000,
    intervalMs: 0,
    graceMs: 100,
    logger: quietLogger,
    metrics: moverMetrics,
    ...rest,
  });
  const moving = { source, sink, mover };
  started.push(moving);
  return moving;
}

/** Stops the mover and proves that nothing of it goes on: no poll, no call to the sink, no lane. */
export async function stopped({ mover, source, sink }: Moving): Promise<void> {
  await soon(mover.stop(), 'the mover to stop');
  await soon(
    mover.done.catch(() => {}),
    'the mover to be done',
  );
  const before = sink.attempts().length;
  await Bun.sleep(0);
  expect({
    polling: source.isPolling(),
    closed: source.isClosed(),
    inFlight: sink.inFlight(),
    late: sink.attempts().length - before,
  }).toEqual({ polling: false, closed: true, inFlight: 0, late: 0 });
}

/** To be called once in each file that starts movers. */
export function expectNoneLeft(): void {
  afterEach(async () => {
    for (const moving of started.splice(0)) await stopped(moving);
  });
}
