// Receipts of the compiled binary: the way of an event from the buffer to its row, a rejection, a dead letter of another
// team's record, and a ClickHouse that is away.

import { afterAll, expect, test } from 'bun:test';
import { type ClickhouseServer, startClickhouseServer } from '../support/clickhouse.ts';
import { exampleClick } from '../support/events.ts';
import { eventually, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const servers: ClickhouseServer[] = [];
afterAll(() => Promise.all(servers.map(server => server.remove())));

interface Receipt {
  readonly status: number;
  readonly state?: string;
  readonly type?: string;
  readonly places?: readonly Record<string, unknown>[];
  readonly unasked?: readonly string[];
}

async function receiptOf({ url }: Ugc, id: string): Promise<Receipt> {
  const response = await fetch(`${url}/v1/receipts/${id}`);
  return { ...((await response.json()) as Receipt), status: response.status };
}

test('an event is waiting on the disk, then a row, across ingest and etl; a rejected one says why until it is sent well', async () => {
  const dataDir = temporaryFolder();
  const ingest = await startUgc({ dataDir, flags: ['--role=ingest'] });
  const id = Bun.randomUUIDv7();
  expect((await receiptOf(ingest, id)).status).toBe(503); // nobody to ask
  expect((await ingest.post({ ...exampleClick, event_id: id })).status).toBe(200);
  const waiting = await receiptOf(ingest, id);
  expect(waiting).toMatchObject({ status: 200, state: 'waiting', unasked: ['clickhouse'] });
  expect(waiting.places!.map(({ place }) => place)).toEqual(['disk', 'edge']);

  const bad = Bun.randomUUIDv7();
  const etl = await startUgc({ dataDir, flags: ['--role=etl'] });
  expect((await ingest.post({ ...exampleClick, event_id: bad, element: 5 })).status).toBe(422);
  await eventually(async () => (await receiptOf(ingest, id)).state === 'stored');
  expect((await receiptOf(ingest, id)).places![0]).toMatchObject({
    place: 'clickhouse',
    event_type: 'click',
    table: 'ugc.click',
    timestamp: '2026-10-03T14:30:00.000Z',
  });
  expect(await receiptOf(ingest, bad)).toMatchObject({
    status: 200,
    state: 'rejected',
    places: [{ reason: 'invalid' }],
  });
  await ingest.post({ ...exampleClick, event_id: bad });
  await eventually(async () => (await receiptOf(ingest, bad)).state === 'stored');
  expect(await receiptOf(ingest, crypto.randomUUID())).toMatchObject({
    status: 404,
    type: 'urn:ugc:problem:not-found',
  });
  expect((await receiptOf(ingest, 'nonsense')).status).toBe(400);
  expect((await fetch(`${ingest.url}/v1/receipts/${id}`, { method: 'POST' })).status).toBe(405);

  // Another instance has said nothing of it, and has all the rest.
  const other = await startUgc({ dataDir, flags: ['--role=ingest'] });
  expect((await receiptOf(other, bad)).places!.map(({ place }) => place)).toContain('clickhouse');
  for (const ugc of [other, ingest, etl]) expect(await ugc.stop()).toBe(0);
}, 60_000);

test('a dead letter that names the event is told by its reason alone, and a ClickHouse that is away by itself', async () => {
  const server = await startClickhouseServer();
  servers.push(server);
  const ugc = await startUgc({ dataDir: temporaryFolder(), flags: [`--clickhouse-url=${server.url}`] });
  const id = crypto.randomUUID();
  const raw = `{"note":"not for you", "event_id" : "${id.toUpperCase()}"}`;
  await eventually(async () => {
    const query = `INSERT INTO ugc.dead_letters_rows (topic, partition, position, index, reason, detail, raw, recorded_at, failed_at) VALUES ('ugc.click', 2, 7, 0, 'invalid', 'not for you', '${raw}', now(), now())`;
    return (await fetch(server.url, { method: 'POST', body: query })).ok;
  });
  await eventually(async () => (await receiptOf(ugc, crypto.randomUUID())).status === 404); // every table is there
  const dead = await receiptOf(ugc, id);
  expect(dead).toMatchObject({ status: 200, state: 'dead', places: [{ place: 'dead_letters', reason: 'invalid' }] });
  expect(JSON.stringify(dead)).not.toContain('not for you');
  await server.kill();
  expect((await receiptOf(ugc, id)).status).toBe(503);
  const mine = Bun.randomUUIDv7();
  await ugc.post({ ...exampleClick, event_id: mine });
  expect(await receiptOf(ugc, mine)).toMatchObject({ status: 200, state: 'waiting', unasked: ['clickhouse'] });
  await server.start();
  await eventually(async () => (await receiptOf(ugc, mine)).state === 'stored');
  expect(await ugc.stop()).toBe(0);
}, 60_000);
