// Looking for single events in the buffer's file: found wherever they lie, never by a part of another event, and never
// without a bound.

import { afterAll, expect, test } from 'bun:test';
import { join } from 'node:path';
import { sqliteBuffer } from '../../src/adapters/disk/log/buffer.ts';
import { memoryBuffer } from '../../src/adapters/memory/buffer.ts';
import type { DiskBuffer } from '../../src/ports/buffer.ts';
import { envelope, envelopes } from '../support/buffer.ts';
import { temporaryFolder } from '../support/clickhouse.ts';

const folder = temporaryFolder();
afterAll(folder.remove);
let files = 0;
const openBuffer = (): Promise<DiskBuffer> =>
  sqliteBuffer({ path: join(folder.path, `${++files}.sqlite`), bytesMax: 2 ** 30, diskReserveBytes: 0 });

for (const [name, open] of [
  ['SQLite', openBuffer],
  ['memory', async () => memoryBuffer()],
] as const)
  test(`${name}: an event is found at its position, whatever lies around it`, async () => {
    const buffer = await open();
    buffer.source('etl');
    const { first } = await buffer.append([
      ...envelopes(20, 'click', 'a'),
      envelope('x'),
      ...envelopes(20, 'click', 'b'),
    ]);
    await buffer.append([...envelopes(5, 'page_view', 'c'), envelope('x', 'page_view')]);
    const { events, isWhole } = await buffer.find(['x', 'a3', 'nobody']);
    expect(isWhole).toBe(true);
    expect(events.map(({ id, type, setAside }) => `${id} ${type} ${setAside}`).toSorted()).toEqual([
      'a3 click null',
      'x click null',
      'x page_view null',
    ]);
    expect(events.find(({ id }) => id === 'a3')!.position).toBe(first + 3);
    expect(events.find(({ id, type }) => id === 'x' && type === 'click')!.position).toBe(first + 20);
    expect(JSON.parse(events[0]!.body).event_id).toBe(events[0]!.id);
    await buffer.close();
  });

test('an id inside of another event is not that event', async () => {
  const buffer = await openBuffer();
  buffer.source('etl');
  const body = '{"event_id":"outer","properties":{"event_id":"inner"}}';
  const nested = { ...envelope('outer'), body: `${body.slice(0, -1)},"more":{"event_id":"inner"}}` };
  await buffer.append([nested, { ...nested, body: `${'{"event_id":"other","a":[{"event_id":"inner"}]}'}` }]);
  expect((await buffer.find(['inner'])).events).toEqual([]);
  expect((await buffer.find(['outer', 'other'])).events).toHaveLength(2);
  await buffer.close();
});

test('what was set aside is found with its reason', async () => {
  const buffer = await openBuffer();
  const { body } = envelope('gone');
  await buffer.setAside([{ topic: 'ugc.click', type: 'click', position: 9, index: 0, reason: 'too large', body }]);
  expect((await buffer.find(['gone'])).events).toMatchObject([{ id: 'gone', position: 9, setAside: 'too large' }]);
  await buffer.close();
});

test('a look ends at its bound and says so, the newest having been looked at; appends go on meanwhile', async () => {
  const buffer = await openBuffer();
  buffer.source('etl');
  await buffer.append([envelope('oldest')]);
  const filler = 'x'.repeat(100_000);
  for (let round = 0; round < 8; round++)
    await buffer.append(Array.from({ length: 100 }, (_, at) => envelope(`${round}-${at}`, 'click', filler)));
  await buffer.append([envelope('newest')]);
  const order: string[] = [];
  const [looked] = await Promise.all([
    buffer.find(['oldest', 'newest']).finally(() => order.push('looked')),
    buffer.append([envelope('meanwhile')]).then(() => order.push('appended')),
  ]);
  expect(order).toEqual(['appended', 'looked']);
  expect(looked.isWhole).toBe(false);
  expect(looked.events.map(({ id }) => id)).toEqual(['newest']);
  await buffer.close();
});
