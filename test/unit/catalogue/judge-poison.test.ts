// Whatever lies in the log or comes in a body, the judge gives a verdict. A throw would end the mover, and again at every
// restart, or cost the good events of a request.

import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { catalogue, catalogueOf } from '../../../schemas/catalogue.ts';
import { derivedId, foreignJudgeOf } from '../../../src/catalogue/foreign.ts';
import { judgeOf } from '../../../src/catalogue/judge.ts';
import { acceptOf } from '../../../src/ingest/accept.ts';
import type { ForeignVerdict } from '../../../src/ports/source.ts';
import { parseJson } from '../../../src/record/json.ts';
import { click, film, judgeOptions, nowMs, originOf } from '../../support/edge.ts';
import { everyKind } from '../../support/every-kind.ts';
import { sharedMetrics } from '../../support/quiet.ts';

const types = [everyKind, ...catalogue.types];
const options = { ...judgeOptions, catalogue: catalogueOf(types) };
const foreign = foreignJudgeOf({ ...options, bodyBytesMax: 1_000_000, now: () => nowMs });
const edge = judgeOf(options);

const nested = (levels: number, [open, close]: readonly [string, string]): string =>
  `${open.repeat(levels)}1${close.repeat(levels)}`;

/** JSON texts, not values: some of these no value can spell. */
const oddTexts: readonly string[] = [
  '{"toString":1,"valueOf":1}',
  '{"toString":null}',
  '{"__proto__":{"toString":1}}',
  '{"__proto__":null,"constructor":1,"hasOwnProperty":0,"toJSON":1,"length":-1}',
  '{"then":1}',
  '[[],{},[{"toString":1}]]',
  '1e999',
  '-1e999',
  '-0',
  '5e-324',
  '9'.repeat(400),
  `0.${'3'.repeat(400)}`,
  '18446744073709551616',
  '-9223372036854775809',
  '8640000000000001',
  '253402300799999.9',
  '"\\ud800"',
  '"\\u0000"',
  '"\\ud83d\\ude00\\udc00"',
  `"${'é'.repeat(70_000)}"`,
  '"9999-12-31T23:59:59.999-23:59"',
  '"0000-01-01T00:00:00Z"',
  '"-000001-01-01T00:00:00Z"',
  '""',
  'null',
  'true',
  '{}',
  '[]',
  nested(900, ['[', ']']),
  nested(900, ['{"a":', '}']),
  nested(20_000, ['[', ']']),
];
const anyText = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...oddTexts) },
  fc.json(),
  fc.json({ noUnicodeString: false }),
  fc.constantFrom(...types.map(({ name }) => JSON.stringify(name)), '1', '2', '65535', `${nowMs}`),
);

const stamped: Readonly<Record<string, string>> = {
  schema_version: '1',
  received_at: JSON.stringify(new Date(nowMs).toISOString()),
  source: '""',
  ip: '"::1"',
  user_agent: '"x"',
};
const names = [
  ...new Set([
    ...types.flatMap(({ allFields }) => allFields.map(({ name }) => name)),
    ...Object.keys(stamped),
    ...['event_id', 'event_type', 'timestamp', 'sent_at', 'event', '__proto__', 'toString', 'x', ''],
  ]),
];

/** Right events with odd things in some places, stamped by an edge or not, and with names given twice. */
const anyRecord = fc
  .record({
    base: fc.constantFrom(click, film, {}),
    isStamped: fc.boolean(),
    odd: fc.array(fc.tuple(fc.constantFrom(...names), anyText), { maxLength: 4 }),
    isWrapped: fc.boolean(),
  })
  .map(({ base, isStamped, odd, isWrapped }) => {
    const fields = [
      ...Object.entries(base).map(([name, value]) => [name, JSON.stringify(value)] as const),
      ...Object.entries(isStamped ? stamped : {}),
      ...odd,
    ];
    const text = `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
    return isWrapped ? `{"event":${text}}` : text;
  });

const anyBytes = fc.oneof(
  { weight: 4, arbitrary: anyRecord.map(text => Buffer.from(text)) },
  anyText.map(text => Buffer.from(text)),
  fc.uint8Array({ maxLength: 200 }),
  fc.tuple(anyRecord, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([text, at, byte]) => {
    const bytes = Buffer.from(text);
    bytes[at % bytes.length] = byte; // invalid UTF-8, broken JSON, NULs
    return bytes;
  }),
);

const anyRecordTime = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(nowMs, -1, 9e18, Number.NaN));

function expectVerdict(verdict: ForeignVerdict): void {
  if (!verdict.ok) {
    expect(verdict.detail).toBeString();
    return;
  }
  expect(verdict.body.isWellFormed()).toBe(true);
  expect(verdict.body).not.toContain('\n');
  JSON.parse(verdict.body);
}

const recordOf = (text: string) => ({ position: 7, atMs: nowMs, value: Buffer.from(text) });

describe('of a record of the log', () => {
  test('whatever its bytes are, there is a verdict', () => {
    let taken = 0;
    fc.assert(
      fc.property(anyBytes, anyRecordTime, fc.constantFrom('ugc.click', 'mixed', '__proto__'), (value, atMs, topic) => {
        const verdict = foreign({ position: 7, atMs, value }, { topic, partition: 0 });
        expectVerdict(verdict);
        if (verdict.ok) taken++;
      }),
      { numRuns: 3_000 },
    );
    expect(taken).toBeGreaterThan(50); // else nothing but the refusals was tried
  });

  test('each odd value has one in each field, with an edge’s stamp and without', () => {
    for (const name of names)
      for (const odd of oddTexts)
        for (const stamp of [{}, stamped]) {
          const fields = Object.entries({ event_type: '"click"', ...stamp, timestamp: `${nowMs}`, [name]: odd });
          // Not through an object alone: __proto__ as a key of a literal would be none.
          const text = `{${[...fields, [name, odd]].map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`;
          expectVerdict(foreign(recordOf(text), { topic: 'ugc.click', partition: 0 }));
        }
  });

  test('an event_type that no text can be made of is no type, though an edge’s fields stand beside it', () => {
    const text = `{"event_type":{"toString":1,"valueOf":1},${Object.entries(stamped)
      .map(([name, value]) => `"${name}":${value}`)
      .join(',')}}`;
    expect(foreign(recordOf(text), { topic: 'ugc.click', partition: 0 })).toMatchObject({
      ok: false,
      reason: 'invalid',
    });
  });

  test('an id is made of any timestamp', () => {
    for (const timestamp of [Number.POSITIVE_INFINITY, Number.NaN, -1, 2 ** 60, '0000-01-01T00:00:00Z', {}, null, 5n])
      expect(derivedId({ position: 1, value: new Uint8Array() }, 't', 0, timestamp)).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('of an event at the edge', () => {
  test('whatever its JSON is, there is a verdict', () => {
    fc.assert(
      fc.property(fc.oneof(anyRecord, anyText), anyText, (text, sentAt) => {
        let event: unknown;
        let sent: unknown;
        try {
          [event, sent] = [parseJson(text), parseJson(sentAt)];
        } catch {
          return;
        }
        for (const pathType of [null, 'click', 'toString'])
          expect(edge(event, originOf({ pathType, sentAt: sent })).ok).toBeBoolean();
      }),
      { numRuns: 2_000 },
    );
  });

  test('a judge that throws costs that event only', async () => {
    const judge = judgeOf(judgeOptions);
    const accept = acceptOf({
      judge: (event, origin) => {
        if (event === 'poison') throw new TypeError('nobody foresaw it');
        return judge(event, origin);
      },
      log: {
        publish: async envelopes => envelopes.map(() => ({ ok: true, stored: 'kafka' })),
        close: async () => {},
      },
      metrics: sharedMetrics,
    });
    const reading = { isSingle: false, events: [click, 'poison', film], sentAt: undefined };
    const { status, body } = await accept(reading, originOf());
    expect(status).toBe(207);
    expect(JSON.parse(body)).toMatchObject({ accepted: 2, rejected: 1 });
    expect(body).toContain('nobody foresaw it');
  });
});
