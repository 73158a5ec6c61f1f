// The sqlite buffer against the model of it, the one in memory: whatever is appended, polled, committed and restarted in
// whatever order, each topic's records come in the same order, from the same place.

import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteBuffer } from '../../src/adapters/disk/log/buffer.ts';
import { memoryBuffer } from '../../src/adapters/memory/buffer.ts';
import type { DiskBuffer } from '../../src/ports/buffer.ts';
import type { PositionedBatch, PositionedSource } from '../../src/ports/source.ts';
import { bodiesOf, commitAll, envelope, isEmpty, pollAll } from '../support/buffer.ts';
import { type Random, randomOf } from '../support/random.ts';
import { until } from '../support/until.ts';

const types = ['click', 'page_view', 'film_watched', 'search'];
const readers = ['etl', 'archive'] as const;
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ugc-model-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A source, and what it has delivered since it was opened, by topic. */
interface Reading {
  source: PositionedSource;
  seen: Map<string, PositionedBatch[]>;
}

const openSource = (buffer: DiskBuffer, reader: string): Reading => ({
  source: buffer.source(reader),
  seen: new Map(),
});

function note({ seen }: Reading, batches: readonly PositionedBatch[]): void {
  for (const batch of batches) seen.set(batch.topic, [...(seen.get(batch.topic) ?? []), batch]);
}

const eventsOf = ({ seen }: Reading): number => [...seen.values()].flat().reduce((sum, { count }) => sum + count, 0);

const essence = (batches: readonly PositionedBatch[]) =>
  batches.map(batch => [batch.type, batch.count, bodiesOf(batch)]);

function pausedOf(random: Random): Set<string> {
  return new Set(types.filter(() => random.next() < 0.2).map(type => `ugc.${type}`));
}

/** The same places of both, in some topics. */
async function commitSome(random: Random, real: Reading, modelled: Reading): Promise<void> {
  for (const [topic, batches] of real.seen) {
    const others = modelled.seen.get(topic) ?? [];
    const both = Math.min(batches.length, others.length);
    if (both === 0 || random.next() < 0.5) continue;
    const upTo = random.between(0, both - 1);
    await real.source.commit(batches[upTo]!.ack);
    await modelled.source.commit(others[upTo]!.ack);
  }
}

/** Polls are bounded differently, so one may be ahead of the other, but never beside it. */
function compare(left: Reading, right: Reading): void {
  for (const [topic, batches] of left.seen) {
    const others = right.seen.get(topic) ?? [];
    const both = Math.min(batches.length, others.length);
    expect(essence(batches.slice(0, both))).toEqual(essence(others.slice(0, both)));
  }
}

async function play(random: Random, path: string): Promise<void> {
  const open = () => sqliteBuffer({ path, bytesMax: 2 ** 30, diskReserveBytes: 0 });
  const model = memoryBuffer();
  let buffer = await open();
  const reading = new Map(readers.map(name => [name, [openSource(buffer, name), openSource(model, name)] as const]));
  let next = 0;

  for (let step = 0; step < 60; step++) {
    const dice = random.next();
    const name = random.pick(readers);
    const [real, modelled] = reading.get(name)!;
    if (dice < 0.45) {
      const group = Array.from({ length: random.between(1, 30) }, () =>
        envelope(`${next++}`, random.pick(types), 'ю'.repeat(random.between(0, 300))),
      );
      await Promise.all([buffer.append(group), model.append(group)]);
    } else if (dice < 0.75) {
      const paused = pausedOf(random);
      const bytesMax = random.pick([1, 5_000, 2 ** 20]);
      for (const side of [real, modelled])
        note(side, await side.source.poll({ paused, bytesMax }, AbortSignal.timeout(15)));
    } else if (dice < 0.95) {
      await commitSome(random, real, modelled);
    } else {
      await buffer.close();
      buffer = await open();
      for (const each of readers) reading.set(each, [openSource(buffer, each), openSource(model, each)]);
    }
    for (const sides of reading.values()) compare(...sides);
  }

  for (const [, [left, right]] of reading) {
    // The model has everything at once; from the file it may take a while.
    note(right, await pollAll(right.source, 0));
    note(left, await pollAll(left.source, eventsOf(right) - eventsOf(left)));
    for (const topic of types.map(type => `ugc.${type}`))
      expect(essence(left.seen.get(topic) ?? [])).toEqual(essence(right.seen.get(topic) ?? []));
  }
  await until(async () => (await buffer.stats()).events === (await model.stats()).events, 'both count the same events');
  for (const [, sides] of reading)
    for (const side of sides) await commitAll(side.source, [...side.seen.values()].flat());
  await until(isEmpty(buffer), 'the buffer is empty');
  await until(isEmpty(model), 'the model is empty');
  await buffer.close();
  await model.close();
}

test('the sqlite buffer does what its model does', async () => {
  const random = randomOf('model of the buffer');
  for (let game = 0; game < 12; game++) await play(random, join(folder, `${game}.sqlite`));
});
