// Every way in that is no JSON of ours, into the compiled binary: what is sent is exactly one row, also when it is sent
// again and another way; what the CloudEvents SDK sends of itself is taken; a key in an address is in no log.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudEvent, emitterFor, httpTransport, Mode } from 'cloudevents';
import { type ClientEvent, clientEvent, typeOf } from '../support/events.ts';
import { drained } from '../support/oracle.ts';
import { randomOf } from '../support/random.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const random = randomOf('ways in');
let ugc: Ugc;
beforeAll(async () => {
  ugc = await startUgc({ dataDir: temporaryFolder(), flags: ['--request-log=false'] });
});
afterAll(async () => {
  expect(await ugc.stop()).toBe(0);
});

interface Sending {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

const formOf = (event: ClientEvent): string =>
  Object.entries(event)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => [name, typeof value === 'object' ? JSON.stringify(value) : String(value)] as const)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value).replaceAll('%20', '+')}`)
    .join('&');

const attributesOf = ({ event_id: id, event_type: type, timestamp: time }: ClientEvent) => ({
  specversion: '1.0',
  id,
  source: 'https://shop.example/é',
  type: `com.example.${type}`,
  time: String(time),
});
const dataOf = ({ event_id: _, event_type: __, timestamp: ___, ...data }: ClientEvent) => data;
const form = { 'content-type': 'application/x-www-form-urlencoded' };

const ways: Readonly<Record<string, (event: ClientEvent) => Sending>> = {
  JSON: event => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(event) }),
  'curl -d': event => ({ headers: form, body: `\n ${JSON.stringify(event)}` }),
  form: event => ({ headers: { 'content-type': `${form['content-type']}; charset=UTF-8` }, body: formOf(event) }),
  'form, type in the path': event => {
    const body = formOf(event).replace(/(^|&)event_type=[^&]*&?/, '$1');
    return { path: `/v1/events/${event.event_type}`, headers: form, body };
  },
  'form, data': event => ({ headers: form, body: `data=${encodeURIComponent(JSON.stringify(event))}` }),
  pixel: event => ({ method: 'GET', path: `/v1/pixel.gif?${formOf(event)}` }),
  'pixel, data': event => ({
    method: 'GET',
    path: `/v1/pixel.gif?data=${Buffer.from(JSON.stringify(event)).toString('base64url')}`,
  }),
  'CloudEvent, structured': event => ({
    headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' },
    body: JSON.stringify({ ...attributesOf(event), data: dataOf(event) }),
  }),
  'CloudEvent, batched': event => ({
    headers: { 'content-type': 'application/cloudevents-batch+json' },
    body: JSON.stringify([{ ...attributesOf(event), data: dataOf(event) }]),
  }),
  'CloudEvent, binary': event => ({
    headers: {
      'content-type': 'application/json',
      ...Object.fromEntries(
        Object.entries(attributesOf(event)).map(([name, value]) => [`ce-${name}`, encodeURIComponent(value)]),
      ),
    },
    body: JSON.stringify(dataOf(event)),
  }),
};

async function send(sending: Sending): Promise<void> {
  const { path = '/v1/events', method = 'POST', headers, body } = sending;
  const response = await fetch(ugc.url + path, { method, ...(headers && { headers }), ...(body && { body }) });
  const outcome =
    response.headers.get('x-ugc-outcome') ?? (response.status === 200 ? 'accepted' : await response.text());
  expect({ status: response.status, outcome, sending }).toEqual({ status: 200, outcome: 'accepted', sending });
}

const rowOf = (event: ClientEvent): Promise<Record<string, unknown>[]> =>
  ugc.query(
    `SELECT * EXCEPT (received_at, ip, user_agent, event_id, source, properties) FROM ugc.${typeOf(event)} WHERE event_id = '${event.event_id}'`,
  );

test('the same event is the same row, whichever way it comes, and one row when it comes every way', async () => {
  const event = clientEvent(random);
  const copies = Object.entries(ways).map(([way, sending]) => {
    const copy = { ...event, event_id: Bun.randomUUIDv7() };
    return { way, copy, sending: sending(copy) };
  });
  for (const { sending } of copies) await send(sending);
  for (const { sending } of copies) await send(sending);
  for (const sending of Object.values(ways)) await send(sending(event));
  await drained(ugc);
  const [expected] = await rowOf(event);
  expect(expected).toBeDefined();
  expect(await rowOf(event)).toHaveLength(1);
  for (const { way, copy } of copies) expect({ way, rows: await rowOf(copy) }).toEqual({ way, rows: [expected!] });
});

test('many events, each any way and twice, are exactly one row each', async () => {
  const events = Array.from({ length: 200 }, () => clientEvent(random));
  const names = Object.keys(ways);
  await Promise.all(
    events.map(async event => {
      await send(ways[random.pick(names)]!(event));
      await send(ways[random.pick(names)]!(event));
    }),
  );
  await drained(ugc);
  const ids = events.map(({ event_id: id }) => `'${id}'`).join();
  let rows = 0;
  for (const type of new Set(events.map(typeOf))) {
    const [found] = await ugc.query<{ rows: number; ids: number }>(
      `SELECT toInt32(count()) AS rows, toInt32(uniqExact(event_id)) AS ids FROM ugc.${type} WHERE event_id IN (${ids})`,
    );
    expect(found!.rows).toBe(found!.ids);
    rows += found!.rows;
  }
  expect(rows).toBe(events.length);
});

test('what the CloudEvents SDK sends of itself is taken, and a repeat of an id that is no UUID is the same row', async () => {
  const data = { country: 'US', device: 'tv', name: 'from the SDK' };
  const event = new CloudEvent({
    type: 'com.example.custom',
    source: '/sdk',
    id: 'order-1',
    subject: 'a subject',
    data,
  });
  for (const mode of [Mode.BINARY, Mode.STRUCTURED, Mode.BINARY]) {
    const answer = await emitterFor(httpTransport(`${ugc.url}/v1/events`), { mode })(event);
    expect((answer as { body: string }).body).toContain('"accepted"');
  }
  await drained(ugc);
  const rows = await ugc.query<{ properties: string }>("SELECT properties FROM ugc.custom WHERE name = 'from the SDK'");
  expect(rows.map(({ properties }) => JSON.parse(properties))).toEqual([
    { cloudevent: { id: 'order-1', source: '/sdk', type: 'com.example.custom', subject: 'a subject' } },
  ]);
});

test('one bad CloudEvent of a batch costs no other', async () => {
  const good = clientEvent(random);
  const batch = [
    { ...attributesOf(good), data: dataOf(good) },
    { specversion: '0.3' },
    { ...attributesOf(good), type: 'x' },
  ];
  const headers = { 'content-type': 'application/cloudevents-batch+json' };
  const response = await fetch(`${ugc.url}/v1/events`, { method: 'POST', headers, body: JSON.stringify(batch) });
  expect({ status: response.status, answer: await response.json() }).toMatchObject({
    status: 207,
    answer: {
      accepted: 1,
      results: [
        { outcome: 'accepted', event_id: good.event_id },
        { outcome: 'rejected', reason: 'invalid', errors: [{ path: '/specversion' }] },
        { outcome: 'rejected', reason: 'unknown_type' },
      ],
    },
  });
});

test('a pixel shows a public key and no other, and the key is in no log and no table', async () => {
  const dataDir = temporaryFolder();
  const guarded = await startUgc({ dataDir, flags: ['--auth=keys', '--log-level=debug'] });
  const add = async (...args: string[]) =>
    (await runUgc(['keys', 'add', ...args, `--data-dir=${dataDir}`])).stdout.trim();
  const key = await add('site');
  const secret = await add('back-end', '--kind=secret');
  const outcomeOf = async (query: string) => {
    const response = await fetch(`${guarded.url}/v1/pixel.gif?event_type=custom&name=n&country=US&device=tv${query}`);
    expect([response.status, (await response.bytes()).length]).toEqual([200, 43]);
    return response.headers.get('x-ugc-outcome');
  };
  await eventually(async () => (await outcomeOf(`&key=${key}`)) === 'accepted', { what: 'the key counts' });
  for (const query of ['', '&key=', `&key=${key}x`, `&key=${secret}`])
    expect(await outcomeOf(query)).toBe('unauthorized');
  expect(await outcomeOf(`&key=${key}&nam=1`)).toBe('rejected;reason=invalid');
  await eventually(async () => (await guarded.query('SELECT 1 FROM ugc.custom')).length === 1, { what: 'its row' });
  const [row] = await guarded.query('SELECT * FROM ugc.custom');
  expect(row).toMatchObject({ source: 'site' });
  expect(await guarded.stop()).toBe(0); // request lines leave together: all are there at the end
  const logs = readdirSync(dataDir).filter(name => name.endsWith('.log'));
  const written = [
    guarded.output(),
    JSON.stringify(row),
    ...logs.map(name => readFileSync(join(dataDir, name), 'utf8')),
  ];
  expect(written.join()).toContain('/v1/pixel.gif');
  for (const shown of [key, secret]) expect(written.join()).not.toContain(shown.slice(7, 30));
});
