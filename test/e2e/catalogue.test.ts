// Every type of the catalogue through the compiled binary: its example and any other valid event go in by HTTP and come
// out of ClickHouse equal, in value and type; each field broken in each way is refused by its name.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import fc from 'fast-check';
import { catalogue } from '../../schemas/catalogue.ts';
import type { EventType } from '../../schemas/event.ts';
import { parseJson } from '../../src/record/json.ts';
import { anyEventOf, jsonOf, storedOf, wrongValues } from '../support/any-event.ts';
import { drained, metric } from '../support/oracle.ts';
import { randomOf } from '../support/random.ts';
import { type Row, rowOf, rowsOf } from '../support/stored-row.ts';
import { startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const random = randomOf('catalogue');
const nowMs = Date.now();
let ugc: Ugc;
beforeAll(async () => {
  ugc = await startUgc({ dataDir: temporaryFolder() });
});
afterAll(async () => {
  expect(await ugc.stop()).toBe(0);
});

const examplesEach = 25;

/** The example and some more, as sent, by event_id. */
const sent = new Map<string, readonly Row[]>(
  catalogue.types.map(type => {
    const events = fc.sample(anyEventOf(type, nowMs), { numRuns: examplesEach, seed: random.between(0, 2 ** 31 - 1) });
    const example = { ...type.example, event_id: Bun.randomUUIDv7() };
    return [type.name, [example, ...events].map(event => parseJson(jsonOf(event)) as Row)];
  }),
);

/** What the row of an event says of the fields that its client gave or left away. */
function wantedOf(type: EventType, event: Row): Row {
  const fields = Object.fromEntries(type.allFields.map(field => [field.name, storedOf(field, event[field.name])]));
  return rowOf(type, { ...fields, event_id: event.event_id, event_type: type.name, schema_version: type.version });
}

test('every type’s example and any other valid event is taken, one and one and many at once', async () => {
  for (const type of catalogue.types) {
    const [example, ...others] = sent.get(type.name)!;
    const one = await ugc.post(jsonOf({ event: example }));
    expect({ type: type.name, status: one.status }).toEqual({ type: type.name, status: 200 });
    const { event_type: _, ...untyped } = example!;
    // The same again, by its own route: the same event.
    expect((await ugc.post(jsonOf(untyped), `/v1/events/${type.aliases[0] ?? type.name}`)).status).toBe(200);
    const many = await ugc.post(jsonOf(others));
    expect(many.status === 200 ? { accepted: others.length } : await many.json()).toMatchObject({
      accepted: others.length,
    });
  }
  await drained(ugc);
});

test('and comes out equal, field by field, exactly once', async () => {
  for (const type of catalogue.types) {
    const response = await fetch(ugc.clickhouseUrl, {
      method: 'POST',
      body: `SELECT * EXCEPT (received_at, source, ip, user_agent, timestamp, sent_at), toUnixTimestamp64Milli(timestamp) AS ms FROM ugc.${type.name} FORMAT JSONEachRow`,
    });
    const rows = new Map(rowsOf(await response.text()).map(row => [row.event_id, row]));
    const events = sent.get(type.name)!;
    expect({ type: type.name, rows: rows.size }).toEqual({ type: type.name, rows: events.length });
    for (const event of events) {
      const { ms, ...row } = rows.get(event.event_id) ?? {};
      const { received_at: _, timestamp: __, sent_at: ___, ...wanted } = wantedOf(type, event);
      expect(row).toEqual(wanted);
      expect(ms).toBe(typeof event.timestamp === 'number' ? event.timestamp : Date.parse(String(event.timestamp)));
    }
  }
  expect(await ugc.query('SELECT count() AS n FROM ugc.events')).toEqual([
    { n: catalogue.types.length * (examplesEach + 1) },
  ]);
  expect(await ugc.query('SELECT count() AS n FROM ugc.dead_letters')).toEqual([{ n: 0 }]);
});

test('each field of each type broken in each way is 422 by its name, and counted under its type', async () => {
  for (const type of catalogue.types) {
    const { example } = type;
    const broken = type.allFields.flatMap(field =>
      wrongValues(field).map(([what, value]) => ({
        field: field.name,
        what,
        event: { ...example, [field.name]: value },
      })),
    );
    const response = await ugc.post(jsonOf(broken.map(({ event }) => event)));
    expect(response.status).toBe(422);
    const { results } = (await response.json()) as { results: { reason: string; errors: { path: string }[] }[] };
    for (const [at, { field, what }] of broken.entries()) {
      const { reason, errors } = results[at]!;
      const paths = [...new Set(errors.map(({ path }) => path.split('/')[1]))];
      expect({ type: type.name, what, reason, paths }).toEqual({
        type: type.name,
        what,
        reason: 'invalid',
        paths: [field],
      });
    }
    const name = `ugc_events_received_total\\{event_type="${type.name}",outcome="rejected"\\}`;
    expect(await metric(ugc.url, name)).toBe(broken.length);
  }
  const { event_type, reason, errors } = {
    event_type: 'cart_ad',
    ...((await (await ugc.post({ ...catalogue.find('cart_add')!.example, event_type: 'cart_ad' })).json()) as {
      reason: string;
      errors: { message: string }[];
    }),
  };
  expect([event_type, reason]).toEqual(['cart_ad', 'unknown_type']);
  expect(errors[0]!.message).toContain('did you mean cart_add?');
  expect(await metric(ugc.url, 'ugc_events_received_total\\{event_type="\\(unknown\\)",outcome="rejected"\\}')).toBe(1);
});
