// The two readers of a body held together: whatever the edge accepts, ClickHouse's row equals it, in value and type.
// So a 200 can never become a dead letter.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { catalogue } from '../../schemas/catalogue.ts';
import type { EventType } from '../../schemas/event.ts';
import { tableOf } from '../../schemas/table.ts';
import { chdbConnection } from '../../src/adapters/chdb/connection.ts';
import { type Engine, openEngine } from '../../src/adapters/chdb/engine.ts';
import { clickhouseClient } from '../../src/adapters/clickhouse/client.ts';
import { clickhouseSink } from '../../src/adapters/clickhouse/sink.ts';
import { type Judge, judgeOf } from '../../src/ingest/judge.ts';
import type { Sink } from '../../src/ports.ts';
import { randomOf } from '../support/random.ts';
import { temporaryFolder } from '../support/ugc.ts';

const folder = temporaryFolder();
const random = randomOf('canonical');
let engine: Engine;
let sink: Sink;
const nowMs = Date.parse('2026-11-21T12:00:00Z');
const judge: Judge = judgeOf({
  catalogue,
  topic: 'ugc.{event_type}',
  eventBytesMax: 65_536,
  jsonDepthMax: 16,
  eventAgeMaxDays: 1_825,
  eventFutureMaxHours: 24,
  unknownFields: 'reject',
});

beforeAll(async () => {
  engine = openEngine({ path: folder, memoryBytesMax: 2 ** 30 });
  sink = clickhouseSink({
    client: clickhouseClient({ connection: chdbConnection(engine) }),
    database: 'ugc',
    tables: catalogue.types.map(tableOf),
    migrate: 'auto',
    timeoutMs: 60_000,
    embedded: true,
  });
  await sink.prepare();
});
afterAll(async () => {
  await sink.close();
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Any JSON text at all, and the sorts that JSON, UTF-8 and ClickHouse are known to differ on. */
const anyText = (lengthMax: number) =>
  fc.oneof(
    fc.string({ maxLength: Math.min(lengthMax, 60), unit: 'grapheme' }),
    fc.string({ maxLength: Math.min(lengthMax, 60), unit: 'binary' }),
    fc.constantFrom(
      '',
      '\0',
      '\\',
      '"',
      '\\N',
      'NULL',
      'null',
      '\n',
      '\r\n',
      '\t',
      '\u2028',
      '\u{1f600}',
      '\ufeff',
      "'",
      '\x7f',
      '{}',
      '[]',
      '\\u0000',
      'é',
    ),
  );

const anyNumber = fc.oneof(
  fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(
    0,
    -0,
    5e-324,
    2.2250738585072014e-308,
    1.7976931348623157e308,
    0.1,
    1e21,
    1e-7,
    2 ** 53,
    123456789.12345679,
  ),
);

function anyValue(field: EventType['allFields'][number]): fc.Arbitrary<unknown> {
  switch (field.column) {
    case 'UInt32':
      return fc.oneof(fc.integer({ min: 0, max: 4_294_967_295 }), fc.constantFrom(0, -0, 4_294_967_295));
    case 'Float64':
      return anyNumber;
    case 'Nullable(String)':
      return fc.option(anyText(256), { nil: null });
    default:
      if (field.kind === 'object') return fc.dictionary(anyText(20), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 5 });
      return anyText(field.schema.maxLength as number);
  }
}

const anyTime = fc.oneof(
  fc.integer({ min: nowMs - 1_824 * 86_400_000, max: nowMs + 86_000_000 }),
  fc
    .date({ min: new Date(nowMs - 1_824 * 86_400_000), max: new Date(nowMs), noInvalidDate: true })
    .map(date => date.toISOString()),
  fc.constantFrom(
    '2024-02-29T23:59:59.999Z',
    '2024-12-31T23:59:59+23:59',
    '2026-11-21T14:00:00.123456789+03:00',
    '2024-10-03T14:30Z',
  ),
);

const anyEvent = (type: EventType): fc.Arbitrary<Record<string, unknown>> =>
  fc.record<Record<string, unknown>>(
    {
      event_type: fc.constantFrom(type.name, ...type.aliases),
      timestamp: anyTime,
      event_id: fc.uuid(),
      ...Object.fromEntries(type.allFields.map(field => [field.name, anyValue(field)])),
    },
    {
      requiredKeys: [
        'event_type',
        'timestamp',
        ...type.allFields.filter(field => field.absent === undefined).map(field => field.name),
      ],
    },
  );

const never = new AbortController().signal;
const origin = {
  receivedAtMs: nowMs,
  source: 'key "1"',
  ip: '::1',
  userAgent: 'a\\b"\u{1f600}',
  pathType: null,
  sentAt: undefined,
};
const utcText = (iso: string): string => iso.replace('T', ' ').replace('Z', '');

for (const type of catalogue.types)
  test(`every ${type.name} the edge accepts is a row equal to it`, async () => {
    const events = fc.sample(anyEvent(type), { numRuns: 400, seed: random.between(0, 2 ** 31 - 1) });
    const bodies = new Map<string, Record<string, unknown>>();
    const lines: string[] = [];
    for (const event of events) {
      const verdict = judge(event, origin);
      if (!verdict.ok) {
        // The only thing wrong these can be is half a surrogate pair, or text too long once it is put together.
        expect(verdict.errors[0]?.message).toMatch(/surrogate|Unicode|characters/);
        continue;
      }
      lines.push(`${verdict.envelope.body}\n`);
      bodies.set(verdict.envelope.id, JSON.parse(verdict.envelope.body));
    }
    expect(bodies.size).toBeGreaterThan(300);
    await sink.insert(
      { type: type.name, rows: lines.length, chunks: [Buffer.from(lines.join(''))] },
      `canonical-${type.name}`,
      never,
    );
    const { bytes } = await engine.query(`SELECT * FROM ugc.${type.name} FORMAT JSONEachRow`);
    const rows = bytes
      .toString()
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Record<string, unknown>);
    expect(rows).toHaveLength(bodies.size);
    for (const row of rows) {
      const body = bodies.get(String(row.event_id));
      expect(body).toBeDefined();
      const wanted: Record<string, unknown> = {
        ...body,
        timestamp: utcText(String(body?.timestamp)),
        received_at: utcText(String(body?.received_at)),
      };
      const properties = JSON.stringify(wanted.properties);
      expect(row).toEqual({ ...wanted, properties });
    }
  });
