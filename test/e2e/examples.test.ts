// The documents' own examples, unchanged, through the compiled binary into ClickHouse.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { drained } from '../support/oracle.ts';
import { startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const folder = join(import.meta.dir, '../fixtures/film');
const textOf = (name: string): Promise<string> => Bun.file(join(folder, name)).text();
const examples = readdirSync(folder).filter(name => name.endsWith('.json'));
const mistaken = readdirSync(folder).filter(name => name.endsWith('.trailing-comma.txt'));

let ugc: Ugc;
beforeAll(async () => {
  ugc = await startUgc({ dataDir: temporaryFolder() });
});
afterAll(async () => {
  expect(await ugc.stop()).toBe(0);
});

test('there are five of them, four with a typing mistake', () => {
  expect([examples.length, mistaken.length]).toEqual([5, 4]);
});

for (const name of examples)
  test(`${name} is a row of its type, field by field`, async () => {
    const text = await textOf(name);
    const { event } = JSON.parse(text) as { event: Record<string, unknown> };
    const response = await ugc.post(text);
    const answer = (await response.json()) as { event_id: string; outcome: string; stored: string };
    expect({ status: response.status, outcome: answer.outcome, stored: answer.stored }).toEqual({
      status: 200,
      outcome: 'accepted',
      stored: 'disk',
    });
    await drained(ugc);
    const type = event.event_type === 'video_complete' ? 'film_watched' : String(event.event_type);
    const rows = await ugc.query(`SELECT * FROM ugc.${type} WHERE event_id = '${answer.event_id}'`);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ ...event, event_type: type, timestamp: '2024-10-03 14:30:00.000' });
  });

for (const name of mistaken)
  test(`${name} is 400 and says where the comma is`, async () => {
    const response = await ugc.post(await textOf(name));
    expect(response.status).toBe(400);
    expect(((await response.json()) as { detail: string }).detail).toMatch(/line \d+, column \d+/);
  });
