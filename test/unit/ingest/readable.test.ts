// Waiting for rows: who is asked for with whom, when a wait ends, and that nothing the tables do makes it an error.

import { expect, test } from 'bun:test';
import { readableOf } from '../../../src/ingest/readable.ts';
import type { Presence } from '../../../src/ports/event-tables.ts';
import type { Envelope, Outcome } from '../../../src/ports/log.ts';

const envelope = (id: string, type = 'click'): Envelope => ({
  id,
  type,
  version: 1,
  topic: `ugc.${type}`,
  key: null,
  body: '{}',
  receivedAtMs: 0,
});

const durable: Outcome = { ok: true, stored: 'disk' };

/** Tables in memory; `asked` holds every question. */
function tables() {
  const rows = new Set<string>();
  const asked: { readonly type: string; readonly ids: readonly string[] }[] = [];
  const presence: Presence = {
    async present(type, ids) {
      asked.push({ type, ids });
      return new Set(ids.filter(id => rows.has(type + id)));
    },
  };
  return { rows, asked, presence };
}

test('a wait ends when the last of its rows is there, and says so of each', async () => {
  const { rows, presence } = tables();
  const readable = readableOf({ presence, timeoutMs: 60_000, lookEveryMs: 1 });
  const told = readable.told([envelope('a'), envelope('b', 'page_view')], [durable, durable]);
  rows.add('clicka');
  expect(await Promise.race([told, Bun.sleep(30)])).toBeUndefined();
  rows.add('page_viewb');
  expect(await told).toEqual([
    { ok: true, stored: 'clickhouse' },
    { ok: true, stored: 'clickhouse' },
  ]);
});

test('an id is looked for under its own type only', async () => {
  const { rows, presence } = tables();
  rows.add('page_viewa');
  const readable = readableOf({ presence, timeoutMs: 30, lookEveryMs: 1 });
  expect(await readable.told([envelope('a')], [durable])).toEqual([durable]);
});

test('whoever waits is asked for in one question a type, and nobody when nobody waits', async () => {
  const { rows, asked, presence } = tables();
  const readable = readableOf({ presence, timeoutMs: 60_000, lookEveryMs: 5 });
  const ids = ['a', 'b', 'c', 'd'];
  for (const id of ids) rows.add(`click${id}`);
  await Promise.all(ids.map(id => readable.told([envelope(id)], [durable])));
  expect(asked).toEqual([{ type: 'click', ids }]);
  await Bun.sleep(30);
  expect(asked).toHaveLength(1);
  await readable.told([envelope('a')], [durable]);
  expect(asked).toHaveLength(2);
});

test('two requests with the same event, and one with it twice, are all told', async () => {
  const { rows, presence } = tables();
  const readable = readableOf({ presence, timeoutMs: 60_000, lookEveryMs: 1 });
  rows.add('clicka');
  const both = [
    readable.told([envelope('a')], [durable]),
    readable.told([envelope('a'), envelope('a')], [durable, durable]),
  ];
  expect((await Promise.all(both)).flat().map(told => told.ok && told.stored)).toEqual(Array(3).fill('clickhouse'));
});

test('when time is up, what is there is told and the rest stays as it was; failures stay failures', async () => {
  const { rows, asked, presence } = tables();
  const readable = readableOf({ presence, timeoutMs: 500, lookEveryMs: 1 });
  rows.add('clicka');
  const failed = { ok: false } as Outcome;
  const told = await readable.told([envelope('a'), envelope('b'), envelope('c')], [durable, durable, failed]);
  expect(told).toEqual([{ ok: true, stored: 'clickhouse' }, durable, failed]);
  expect(asked.flatMap(({ ids }) => ids)).not.toContain('c');
  const before = asked.length;
  await Bun.sleep(30);
  expect(asked.length).toBe(before);
});

test('tables that fail or never answer make no error and no longer wait', async () => {
  const failing: Presence = { present: () => Promise.reject(new Error('down')) };
  const silent: Presence = { present: () => new Promise(() => {}) };
  for (const presence of [failing, silent]) {
    const readable = readableOf({ presence, timeoutMs: 30, lookEveryMs: 1 });
    expect(await readable.told([envelope('a')], [durable])).toEqual([durable]);
    readable.stop();
  }
});

test('tables that come back within the time are asked again', async () => {
  let calls = 0;
  const presence: Presence = {
    present: async (_, ids) => {
      if (++calls < 3) throw new Error('down');
      return new Set(ids);
    },
  };
  const readable = readableOf({ presence, timeoutMs: 60_000, lookEveryMs: 1 });
  expect(await readable.told([envelope('a')], [durable])).toEqual([{ ok: true, stored: 'clickhouse' }]);
});

test('beyond the bound nobody is waited for', async () => {
  const { asked, presence } = tables();
  const readable = readableOf({ presence, timeoutMs: 60_000, lookEveryMs: 1, eventsMax: 1 });
  expect(await readable.told([envelope('a'), envelope('b')], [durable, durable])).toEqual([durable, durable]);
  expect(asked).toEqual([]);
});

test('a stop ends every wait at once', async () => {
  const { presence } = tables();
  const readable = readableOf({ presence, timeoutMs: 60_000, lookEveryMs: 1 });
  const told = readable.told([envelope('a')], [durable]);
  readable.stop();
  expect(await told).toEqual([durable]);
  expect(await readable.told([envelope('b')], [durable])).toEqual([durable]);
});
