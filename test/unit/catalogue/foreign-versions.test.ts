// Records of other versions before the judge: what an older edge wrote becomes what this one writes, what a newer one wrote
// is left alone.

import { describe, expect, test } from 'bun:test';
import { type ForeignJudgeOptions, foreignJudgeOf } from '../../../src/catalogue/foreign.ts';
import type { ForeignVerdict } from '../../../src/ports/source.ts';
import { judgeOptions, nowMs } from '../../support/edge.ts';
import { binaryOf, booking, wideUser } from '../../support/versions.ts';

const [first, second, third] = [binaryOf(1), binaryOf(2), binaryOf(3)];
const place = { topic: 'ugc.seat_booked', partition: 0 };
/** Where it came from, to be found again in the row. */
const origin = { receivedAtMs: nowMs - 86_400_000, source: 'web', ip: '10.0.0.1', userAgent: 'old' };

const judgedBy = (binary: typeof first, body: string, options: Partial<ForeignJudgeOptions> = {}): ForeignVerdict =>
  foreignJudgeOf({
    ...judgeOptions,
    bodyBytesMax: 1_000_000,
    now: () => nowMs,
    ...options,
    catalogue: binary.catalogue,
  })({ position: 7, atMs: nowMs, value: Buffer.from(body) }, place);

describe('a record of an older version', () => {
  test('becomes byte for byte what the edge of today would have stored, stamps and 64-bit integers included', () => {
    const today = third.edge(booking(1, { seat: 12, hall: 0 }), origin);
    for (const old of [first.edge(booking(1, { chair: '12' }), origin), second.edge(booking(1, { seat: 12 }), origin)])
      expect(judgedBy(third, old.body)).toEqual({ ok: true, type: 'seat_booked', id: today.id, body: today.body });
    expect(today.body).toContain(`"user_id":${wideUser}`);
    expect(today.body).toContain('"schema_version":3,"received_at":"2026-11-20T12:00:00.000Z","source":"web"');
  });

  test('is one also where its keys are in another order, as in a log that somebody has rewritten', () => {
    const { body, id } = first.edge(booking(1, { chair: '12' }), origin);
    const event = JSON.parse(body.replace(String(wideUser), '"wide"')) as Record<string, unknown>;
    const shuffled = JSON.stringify(Object.fromEntries(Object.entries(event).toReversed())).replace(
      '"wide"',
      String(wideUser),
    );
    const today = third.edge(booking(1, { seat: 12, hall: 0 }), origin);
    expect(judgedBy(third, shuffled)).toEqual({ ok: true, type: 'seat_booked', id, body: today.body });
  });

  test('that was within the bounds of its edge is not refused by those of today', () => {
    const old = first.edge(booking(1, { chair: '12', timestamp: '2025-11-21T11:59:59Z' }), origin).body;
    const bounds = { eventBytesMax: old.length - 1, eventAgeMaxDays: 1, bodyBytesMax: 10 };
    expect(judgedBy(third, old, bounds)).toMatchObject({ ok: true });
    expect(judgedBy(first, old, bounds)).toMatchObject({ ok: true });
    const deep = first.edge(booking(1, { chair: '12', properties: { a: { b: { c: [1] } } } }), origin).body;
    expect(judgedBy(third, deep, { jsonDepthMax: 2 })).toMatchObject({ ok: true });
  });

  test('that its upgrade makes invalid, or cannot take, is a dead letter that says so', () => {
    const old = first.edge(booking(1, { chair: 'by the door' }), origin).body;
    expect(judgedBy(third, old)).toEqual({
      ok: false,
      reason: 'invalid',
      detail: expect.stringMatching(/^\/seat expected a whole number/),
    });
    const broken = { ...third.type, upgrades: { 1: { about: 'x', apply: () => [] as never } } };
    const binary = { ...third, catalogue: { ...third.catalogue, find: () => broken } };
    expect(judgedBy(binary, old)).toEqual({
      ok: false,
      reason: 'invalid',
      detail: 'the upgrade from version 1 to 2 failed: it gave no record',
    });
  });
});

test('a record of a newer version is left to a newer ugc, though it would fit', () => {
  const { body } = second.edge(booking(1, { seat: 12 }), origin);
  const newer = body.replace('"schema_version":2', '"schema_version":4');
  for (const text of [newer, JSON.stringify(JSON.parse(newer), null, 2)])
    expect(judgedBy(third, text)).toEqual({
      ok: false,
      reason: 'newer',
      detail: 'seat_booked of version 4 was written by a newer ugc, this one knows 3: upgrade this one',
    });
});

test('a schema_version alone, or one that cannot be, makes no record an edge’s', () => {
  const { body } = second.edge(booking(1, { seat: 12 }), origin);
  for (const wrong of ['0', '-1', '1.5', '70000', '"1"', 'null'])
    expect(judgedBy(second, body.replace('"schema_version":2', `"schema_version":${wrong}`))).toMatchObject({
      ok: false,
      reason: 'invalid',
      detail: expect.stringContaining('/schema_version is no field'),
    });
  const client = JSON.stringify({ ...booking(1, { seat: 1, schema_version: 9 }), user_id: 1 });
  expect(judgedBy(second, client)).toMatchObject({ reason: 'invalid' });
});
