import { describe, expect, test } from 'bun:test';
import { byDay } from '../../../src/archive/days.ts';
import { cut, type Piece, type PieceOptions, pieceOf, rejudged } from '../../../src/archive/pieces.ts';
import type { Batch, ForeignVerdict } from '../../../src/ports/source.ts';
import { acked } from '../../support/list-source.ts';

const bodyAt = (name: number, day = '2026-11-01'): string =>
  `{"event_id":"00000000-0000-4000-8000-${String(name).padStart(12, '0')}","event_type":"seen","schema_version":1,"received_at":"${day}T23:59:59.999Z"}`;

const batch = (bodies: readonly string[], more: Partial<Batch> = {}): Batch =>
  acked({
    ...{ topic: 't', partition: 0, first: 10, last: 9 + bodies.length, type: 'seen', count: bodies.length },
    ...{ oldestAtMs: 0, ndjson: Buffer.from(bodies.map(body => `${body}\n`).join('')) },
    ...more,
  });

const options: PieceOptions = {
  versionOf: type => (type === 'seen' ? 2 : type === '_dead' ? 1 : undefined),
  judge: ({ value }): ForeignVerdict =>
    value === null || value[0] !== 123
      ? { ok: false, reason: 'not_json', detail: 'no JSON' }
      : { ok: true, type: 'seen', id: '', body: Buffer.from(value).toString() },
  unknownTypes: 'wait',
};

const made = (given: Batch): Piece => {
  const piece = pieceOf(given, options);
  if (typeof piece === 'string') throw new Error(piece);
  return piece;
};

const textOf = (piece: Piece | null): string[] =>
  (piece?.parts ?? []).flatMap(({ ndjson }) => Buffer.from(ndjson).toString().trimEnd().split('\n'));

describe('a run of the log', () => {
  test('is cut at any border into what is up to it and what is behind, nothing twice and nothing lost', () => {
    const bodies = [bodyAt(0), 'no JSON', bodyAt(1), bodyAt(2)];
    for (const given of [batch(bodies, { version: 2 }), batch(bodies, { type: null })]) {
      const piece = made(given);
      for (let border = 8; border <= 15; border++) {
        const [before, after] = cut(piece, border);
        expect([...textOf(before), ...textOf(after)].toSorted()).toEqual(textOf(piece).toSorted());
        expect(textOf(before)).toHaveLength(Math.min(4, Math.max(0, border - 9)));
        if (before !== null && after !== null) expect([before.last, after.first]).toEqual([border, border + 1]);
      }
    }
  });

  test('of a newer version, or of a type nobody knows, is none: its topic waits', () => {
    expect(pieceOf(batch([bodyAt(0)], { version: 3 }), options)).toContain('newer ugc');
    expect(pieceOf(batch([bodyAt(0)], { type: 'other' }), options)).toContain('not known');
  });

  test('of a type nobody knows is kept as it is where that is wanted', () => {
    const piece = pieceOf(batch(['{"a":"b"}'], { type: 'other' }), { ...options, unknownTypes: 'dead_letter' });
    expect(textOf(piece as Piece).map(text => JSON.parse(text))).toMatchObject([
      { event_type: '_dead', reason: 'unknown_type', position: 10, raw: Buffer.from('{"a":"b"}').toString('base64') },
    ]);
  });

  test('that only looks like our edge’s is judged again, each record by itself', () => {
    const piece = rejudged(made(batch([bodyAt(0), 'only looks so'], { version: 2 })), options);
    expect(piece.parts.map(({ type }) => type)).toEqual(['seen', '_dead']);
  });
});

test('rows are parted by type and day of received_at, with how many and from when to when', async () => {
  const days = await byDay([
    made(batch([bodyAt(0), bodyAt(1, '2026-11-02'), bodyAt(2)], { version: 2 })),
    made(batch([bodyAt(3)], { version: 2, first: 13, last: 13 })),
  ]);
  expect(days.map(({ day, rows, chunks }) => [day, rows, Buffer.concat(chunks).toString()])).toEqual([
    ['2026-11-01', 3, `${bodyAt(0)}\n${bodyAt(2)}\n${bodyAt(3)}\n`],
    ['2026-11-02', 1, `${bodyAt(1, '2026-11-02')}\n`],
  ]);
  expect(days.map(({ receivedFromMs }) => receivedFromMs)).toEqual([
    Date.parse('2026-11-01T23:59:59.999Z'),
    Date.parse('2026-11-02T23:59:59.999Z'),
  ]);
});
