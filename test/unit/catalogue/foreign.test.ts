import { describe, expect, test } from 'bun:test';
import { derivedId, foreignJudgeOf } from '../../../src/catalogue/foreign.ts';
import type { ForeignRecord, ForeignVerdict } from '../../../src/ports/source.ts';
import { bodyOf, click, film, judged, judgeOptions, nowIso, nowMs } from '../../support/edge.ts';

const judge = foreignJudgeOf({ ...judgeOptions, bodyBytesMax: 1_000_000, now: () => nowMs });
const place = { topic: 'ugc.click', partition: 3 };

const recordOf = (value: string | Uint8Array | null, changes: Partial<ForeignRecord> = {}): ForeignRecord => ({
  position: 41,
  atMs: nowMs,
  value: typeof value === 'string' ? Buffer.from(value) : value,
  ...changes,
});

const judgedAs = (value: unknown, changes: Partial<ForeignRecord> = {}, where = place): ForeignVerdict =>
  judge(recordOf(JSON.stringify(value), changes), where);

function fieldsOf(verdict: ForeignVerdict): Record<string, unknown> {
  if (!verdict.ok) throw new Error(`${verdict.reason}: ${verdict.detail}`);
  return JSON.parse(verdict.body) as Record<string, unknown>;
}

function deathOf(verdict: ForeignVerdict): readonly [string, string] {
  if (verdict.ok) throw new Error(`it was taken: ${verdict.body}`);
  return [verdict.reason, verdict.detail];
}

describe('a foreign record that fits', () => {
  test('becomes the body an edge would have written, received when the log says', () => {
    const id = '0190A0B1-c2d3-7e4f-8a5b-6c7d8e9f0a1b';
    const verdict = judgedAs({ ...click, event_id: id }, { atMs: nowMs });
    expect(verdict).toMatchObject({ ok: true, type: 'click', id: id.toLowerCase() });
    expect(fieldsOf(verdict)).toEqual({
      ...bodyOf(judged({ ...click, event_id: id })),
      ip: '',
      user_agent: '',
      received_at: nowIso,
    });
  });

  test('is one line, whatever lines it came in, of an alias, wrapped, or with a BOM', () => {
    for (const text of [
      JSON.stringify(film, null, 2),
      `﻿${JSON.stringify({ event: { ...film, event_type: 'video_complete' } })}\r\n`,
    ]) {
      const verdict = judge(recordOf(text), place);
      expect(fieldsOf(verdict)).toMatchObject({ event_type: 'film_watched', duration: 3660 });
      expect(verdict.ok && verdict.body).not.toContain('\n');
    }
  });

  test('need not say its type in a topic that belongs to one type', () => {
    const { event_type: _, ...untyped } = click;
    expect(fieldsOf(judgedAs(untyped)).event_type).toBe('click');
    expect(deathOf(judgedAs(untyped, {}, { topic: 'mixed', partition: 0 }))[0]).toBe('invalid');
  });

  test('of another type than its topic’s is of its own type', () => {
    expect(fieldsOf(judgedAs(film)).event_type).toBe('film_watched');
  });

  test('that an edge stamped before keeps its stamp, and its time is not corrected again', () => {
    const sent = { ...click, sent_at: '2026-11-21T13:00:00Z', timestamp: '2026-11-21T12:59:00Z' };
    const stored = bodyOf(judged(sent));
    expect(stored.timestamp).toBe('2026-11-21T11:59:00.000Z');
    const shuffled = Object.fromEntries(Object.entries({ ...stored, source: 'web', ip: '10.0.0.1' }).toReversed());
    expect(fieldsOf(judgedAs(shuffled, { atMs: nowMs + 5_000 }))).toEqual({ ...stored, source: 'web', ip: '10.0.0.1' });
  });
});

describe('the event_id of a record that brings none', () => {
  const derived = (text: string, position = 41, topic = 'ugc.click', partition = 3, timestamp: unknown = undefined) =>
    derivedId({ position, value: Buffer.from(text) }, topic, partition, timestamp);

  test('or none that is a UUID is made of the record and where it lies, the same each time', () => {
    for (const given of [click, { ...click, event_id: 'order-7' }, { ...click, event_id: null }]) {
      const id = derived(JSON.stringify(given), 41, 'ugc.click', 3, click.timestamp);
      for (const atMs of [nowMs, nowMs - 5]) expect(fieldsOf(judgedAs(given, { atMs })).event_id).toBe(id);
    }
  });

  test('is a UUIDv8: the event’s time, then SHA-1 of topic, partition, position and bytes', () => {
    const id = derived('{}', 41, 'ugc.click', 3, 1_795_262_400_000);
    // printf 'ugc.click/3/41/{}' | sha1sum; printf %x 1795262400000
    expect(id).toBe('01a1fdfa-4600-89fb-8bc7-05a5092128e0');
  });

  test('is another at another place, and of another record at the same place in a topic that was made anew', () => {
    const ids = [derived('a'), derived('a', 42), derived('a', 41, 'b'), derived('a', 41, 'ugc.click', 1), derived('b')];
    expect(new Set(ids).size).toBe(5);
  });

  test('without a place that outlives redelivery is made of its bytes alone, and is that of no record with a place', () => {
    const unplaced = (text: string, topic: string, partition: number) =>
      derivedId({ position: null, value: Buffer.from(text) }, topic, partition, undefined);
    expect(unplaced('a', 'ugc.click', 3)).toBe(unplaced('a', 'b', 0));
    expect(unplaced('a', 'b', 0)).not.toBe(unplaced('b', 'b', 0));
    // printf '///{}' | sha1sum
    expect(unplaced('{}', 'b', 0)).toBe('00000000-0000-8ec3-960f-f1c837f650b4');
    expect(new Set([unplaced('a', 'b', 0), derived('a'), derived('a', 0, '', 0)]).size).toBe(3);
  });

  test('is one whatever the timestamp is', () => {
    for (const timestamp of [undefined, null, 'x', -1, 1.5, 2 ** 60, '1969-01-01T00:00:00Z'])
      expect(derived('a', 0, 'a', 0, timestamp)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab]/);
  });
});

test('where the log has no time, or one that cannot be, a record was received now', () => {
  for (const atMs of [-1, 0, Number.NaN, nowMs + 10 * 86_400_000])
    expect(fieldsOf(judgedAs(click, { atMs })).received_at).toBe(nowIso);
});

describe('a foreign record that can be no row', () => {
  const cases: readonly [string, string | Uint8Array | null, string, RegExp][] = [
    ['a tombstone', null, 'tombstone', /no value/],
    ['nothing', '', 'not_json', /empty/],
    ['binary', Uint8Array.of(0xff, 0xfe, 0, 1), 'not_utf8', /UTF-8/],
    ['cut JSON', '{"event_type":"click","time', 'not_json', /line 1, column/],
    ['an array', JSON.stringify([click]), 'invalid', /expected an event object, got a list of 1/],
    ['a type nobody knows', JSON.stringify({ ...click, event_type: 'clik' }), 'unknown_type', /did you mean click\?/],
    ['a wrong type of a field', JSON.stringify({ ...film, duration: 'long' }), 'invalid', /^\/duration expected/],
    ['a number out of range', JSON.stringify({ ...film, duration: -1 }), 'invalid', /^\/duration/],
    [
      'a day that does not exist',
      JSON.stringify({ ...click, timestamp: '2026-02-31T00:00:00Z' }),
      'invalid',
      /^\/time/,
    ],
    ['the far future', JSON.stringify({ ...click, timestamp: '2099-01-01T00:00:00Z' }), 'in_future', /24 h/],
    ['the far past', JSON.stringify({ ...click, timestamp: '1999-01-01T00:00:00Z' }), 'too_old', /days old/],
    ['a field too many', JSON.stringify({ ...click, colour: 'red' }), 'invalid', /^\/colour/],
    [
      'an event too large',
      JSON.stringify({ ...click, properties: { a: 'x'.repeat(70_000) } }),
      'too_large',
      /EVENT_BYT/,
    ],
    ['a record too large', ' '.repeat(1_000_001), 'too_large', /UGC_BODY_BYTES_MAX/],
  ];
  test.each(cases)('%s', (_, value, reason, detail) => {
    const death = deathOf(judge(recordOf(value), place));
    expect(death).toEqual([reason, expect.stringMatching(detail)]);
  });
});
