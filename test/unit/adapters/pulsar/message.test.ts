// Message ids of Pulsar as positions, and messages as batches.

import { describe, expect, test } from 'bun:test';
import { gather } from '../../../../src/adapters/pulsar/read/gather.ts';
import { type Message, messageOf, placeOf, positionOf } from '../../../../src/adapters/pulsar/read/message.ts';
import { stamped } from '../../../support/kafka-source.ts';

/** A varint of protobuf. */
function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

/** MessageIdData, as Pulsar writes it. */
const idOf = (
  ledger: bigint,
  entry: bigint,
  partition = -1n,
  batchIndex: bigint | null = null,
  batchSize: bigint | null = null,
): string =>
  Buffer.from([
    ...[8, ...varint(ledger), 16, ...varint(entry), 24, ...varint(partition)],
    ...(batchIndex === null ? [] : [32, ...varint(batchIndex)]),
    ...(batchSize === null ? [] : [48, ...varint(batchSize)]),
  ]).toString('base64');

describe('a position', () => {
  test('is ledger and entry, in the order of the log, and leads back to them', () => {
    const ids = [idOf(1n, 0n), idOf(1n, 1n), idOf(1n, 49_999n, 3n), idOf(2n, 0n), idOf(8_589_934_591n, 1_048_575n)];
    const positions = ids.map(id => positionOf(id)!);
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
    expect(new Set(positions).size).toBe(ids.length);
    expect(positions.every(Number.isSafeInteger)).toBe(true);
    expect(placeOf(positions[2]!)).toEqual({ ledgerId: 1, entryId: 49_999 });
    expect(placeOf(positions[4]!)).toEqual({ ledgerId: 8_589_934_591, entryId: 1_048_575 });
  });

  test('is none for one of a batch, for what is too large to be a number, and for what is no id', () => {
    expect(positionOf(idOf(1n, 5n, -1n, 0n))).toBeNull();
    expect(positionOf(idOf(1n, 5n, -1n, 7n))).toBeNull();
    expect(positionOf(idOf(8_589_934_592n, 0n))).toBeNull();
    expect(positionOf(idOf(1n, 1_048_576n))).toBeNull();
    for (const text of ['', '!!', 'AAAA', Buffer.from([8]).toString('base64'), Buffer.from([255]).toString('base64')])
      expect(positionOf(text)).toBeNull();
    expect(positionOf(idOf(1n, 5n, -1n, -1n))).toBe(positionOf(idOf(1n, 5n)));
  });
});

test('an entry ends with its last record', () => {
  const endsOf = (...id: Parameters<typeof idOf>) => messageOf({ messageId: idOf(...id) })!.ends;
  const place = positionOf(idOf(3n, 5n));
  expect(endsOf(3n, 5n)).toBe(place);
  expect([0n, 1n, 2n].map(at => endsOf(3n, 5n, -1n, at, 3n))).toEqual([null, null, place]);
});

test('what is no message is none, and one without anything in it is an empty record', () => {
  for (const frame of [{}, { messageId: 5 }, { endOfTopic: true }]) expect(messageOf(frame)).toBeNull();
  const bare = messageOf({ messageId: idOf(1n, 2n), publishTime: '2026-11-28T10:00:00.000Z' });
  expect(bare).toMatchObject({ atMs: Date.parse('2026-11-28T10:00:00Z'), value: Buffer.alloc(0) });
});

test('its time is when the edge took it; of another producer’s, when Pulsar did', () => {
  const frame = { messageId: idOf(1n, 2n), payload: '', publishTime: '2026-11-28T10:00:00.000Z' };
  expect(messageOf({ ...frame, properties: { received_at_ms: '1795000000000' } })?.atMs).toBe(1_795_000_000_000);
  for (const received_at_ms of ['', 'x', '-1', '1e400', null])
    expect(messageOf({ ...frame, properties: { received_at_ms } })?.atMs).toBe(Date.parse('2026-11-28T10:00:00Z'));
});

describe('batches', () => {
  const message = (position: number | null, body: string): Message => ({
    id: `${position}-${body.length}-${crypto.randomUUID()}`,
    position,
    ends: position,
    value: Buffer.from(body),
    atMs: 1_000 + (position ?? 0),
  });
  const view = (messages: readonly Message[]) =>
    gather(messages).map(({ first, last, type, count, form, ids }) => ({
      first,
      last,
      type,
      count,
      form,
      ids: ids.length,
    }));

  test('are gapless, of one type, with the id of each record', () => {
    const messages = [
      message(1, stamped('a')),
      message(2, stamped('b')),
      message(4, stamped('c')),
      message(5, stamped('d', 'click')),
      message(6, '{"another":"team"}'),
    ];
    expect(view(messages)).toEqual([
      { first: 1, last: 2, type: 'page_view', count: 2, form: undefined, ids: 2 },
      { first: 4, last: 4, type: 'page_view', count: 1, form: undefined, ids: 1 },
      { first: 5, last: 5, type: 'click', count: 1, form: undefined, ids: 1 },
      { first: 6, last: 6, type: null, count: 1, form: undefined, ids: 1 },
    ]);
    expect(gather(messages).flatMap(({ ids }) => ids)).toEqual(messages.map(({ id }) => id));
  });

  test('say no position where their records have none, and what is no line is one of its own', () => {
    expect(
      view([message(null, stamped('a')), message(null, stamped('b')), message(7, 'two\nlines'), message(8, '')]),
    ).toEqual([
      { first: undefined, last: undefined, type: 'page_view', count: 2, form: undefined, ids: 2 },
      { first: 7, last: 7, type: null, count: 1, form: 'raw', ids: 1 },
      { first: 8, last: 8, type: null, count: 1, form: undefined, ids: 1 },
    ]);
  });

  test('hold every record once, whatever comes', () => {
    let position = 0;
    const messages = Array.from({ length: 2_000 }, (_, at) => {
      position += at % 13 === 0 ? 5 : 1;
      return message(
        at % 17 === 0 ? null : position,
        at % 29 === 0 ? `x\n${at}` : stamped(at, at % 3 ? 'click' : 'view'),
      );
    });
    const batches = gather(messages);
    expect(batches.flatMap(({ ids }) => ids)).toEqual(messages.map(({ id }) => id));
    const bytes = Buffer.concat(batches.map(({ ndjson }) => Buffer.from(ndjson))).toString();
    expect(bytes).toBe(messages.map(({ value }) => (value.includes(10) ? value.toString() : `${value}\n`)).join(''));
    for (const { first, last, count } of batches) if (first !== undefined) expect(last! - first + 1).toBe(count);
  });
});
