import { describe, expect, test } from 'bun:test';
import { envelopeOf } from '../../../src/operate/set-aside-record.ts';
import type { QuarantinedRecord } from '../../../src/ports/buffer-file.ts';

const event = {
  event_id: '0193a0f0-0000-7000-8000-000000000001',
  event_type: 'click',
  schema_version: 1,
  received_at: '2026-11-21T12:00:00.000Z',
  user_id: null,
  anonymous_id: 'a1',
};
const topicOf = (type: string): string | null => (type === 'click' ? 'ugc.click' : null);

const aside = (raw: string | Uint8Array, change: Partial<QuarantinedRecord> = {}): QuarantinedRecord => ({
  topic: 'old.click',
  type: 'click',
  position: 7,
  index: 0,
  records: 1,
  reason: 'Kafka says: too large',
  atMs: 1,
  raw: typeof raw === 'string' ? new TextEncoder().encode(raw) : raw,
  ...change,
});

const read = (raw: unknown, change: Partial<QuarantinedRecord> = {}) =>
  envelopeOf(aside(typeof raw === 'string' ? raw : JSON.stringify(raw), change), topicOf);

describe('a record Kafka refused', () => {
  test('goes back as it was, under its own topic, with the key the edge gave it', () => {
    expect(read(event)).toEqual({
      id: event.event_id,
      type: 'click',
      version: 1,
      topic: 'old.click',
      key: 'a1',
      body: JSON.stringify(event),
      receivedAtMs: Date.parse(event.received_at),
    });
    expect(read({ ...event, user_id: 'u1' })).toMatchObject({ key: 'u1' });
    expect(read({ ...event, anonymous_id: '' })).toMatchObject({ key: null });
  });

  test('keeps the version it was written by, and every digit of a user_id beyond 2^53 as its key', () => {
    expect(read({ ...event, schema_version: 3 })).toMatchObject({ version: 3 });
    const text = JSON.stringify({ ...event, user_id: 0 }).replace('"user_id":0', '"user_id":9223372036854775807');
    expect(read(text)).toMatchObject({ key: '9223372036854775807', body: text });
  });

  test('of another type than its bytes say stays', () => {
    expect(read({ ...event, event_type: 'page_view' })).toContain('event_type');
  });
});

describe('a damaged record', () => {
  test('goes where the catalogue has its type, for its address may be what was damaged', () => {
    expect(read(event, { reason: 'head', topic: 'ugc.clicj', type: 'clicj' })).toMatchObject({
      topic: 'ugc.click',
      type: 'click',
    });
  });

  test('stays when its bytes do not say what it is', () => {
    const damaged = { reason: 'body' };
    for (const [raw, why] of [
      ['', 'gone'],
      ['{"event_id":', 'JSON'],
      ['[1]', 'JSON'],
      ['null', 'JSON'],
      [`${JSON.stringify(event)}\n`, 'one line'],
      [{ ...event, event_id: 'x' }, 'UUID'],
      [{ ...event, event_type: undefined }, 'event_type'],
      [{ ...event, event_type: 'clicj' }, 'event_type'],
      [{ ...event, schema_version: undefined }, 'schema_version'],
      [{ ...event, schema_version: 70_000 }, 'schema_version'],
      [{ ...event, received_at: 'noon' }, 'received_at'],
      [{ ...event, user_id: [] }, 'user_id'],
    ] as const)
      expect(read(raw, damaged), String(why)).toContain(why);
    expect(envelopeOf(aside(new Uint8Array([0x7b, 0xff, 0x7d]), damaged), topicOf)).toContain('UTF-8');
  });
});
