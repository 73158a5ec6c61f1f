// What the edge makes of a client's clock: timestamp, sent_at, the limits of age.

import { describe, expect, test } from 'bun:test';
import { bodyOf, click, judged, nowIso, nowMs, rejectionOf } from '../../support/edge.ts';

const at = (ms: number): string => new Date(ms).toISOString();
const dayMs = 86_400_000;

describe('a timestamp', () => {
  const timed = (timestamp: unknown, options = {}) => judged({ ...click, timestamp }, { options });

  test.each([
    ['2026-11-21T14:59:59+03:00', '2026-11-21T11:59:59.000Z'],
    ['2026-11-21T11:59:59.123456789Z', '2026-11-21T11:59:59.123Z'],
    ['2026-11-21T11:59Z', '2026-11-21T11:59:00.000Z'],
    [nowMs - 1000.5, '2026-11-21T11:59:58.999Z'],
    [nowMs, nowIso],
  ])('%p is stored as %s', (given, canonical) => {
    expect(bodyOf(timed(given)).timestamp).toBe(canonical);
  });

  test.each([
    [undefined],
    [null],
    [''],
    ['now'],
    ['2026-11-21'],
    ['2026-11-21T11:59:59'],
    ['2026-02-30T00:00:00Z'],
    [Number.POSITIVE_INFINITY],
    [true],
    [[]],
    [{}],
  ])('%p is rejected', timestamp => {
    expect(rejectionOf(timed(timestamp))).toMatchObject({ reason: 'invalid', paths: ['/timestamp'] });
  });

  test('may be as old as the limit, and a millisecond older is too old', () => {
    const oldest = nowMs - 1825 * dayMs;
    expect(bodyOf(timed(oldest)).timestamp).toBe(at(oldest));
    expect(rejectionOf(timed(oldest - 1))).toMatchObject({ reason: 'too_old', paths: ['/timestamp'] });
    expect(rejectionOf(timed(nowMs - dayMs - 1, { eventAgeMaxDays: 1 })).reason).toBe('too_old');
    expect(rejectionOf(timed('0000-01-01T00:00:00Z')).reason).toBe('too_old');
  });

  test('may be as far ahead as the limit, and a millisecond further is in the future', () => {
    const newest = nowMs + dayMs;
    expect(bodyOf(timed(newest)).timestamp).toBe(at(newest));
    expect(rejectionOf(timed(newest + 1))).toMatchObject({ reason: 'in_future', paths: ['/timestamp'] });
    expect(rejectionOf(timed(nowMs + 1, { eventFutureMaxHours: 0 })).reason).toBe('in_future');
    expect(rejectionOf(timed('9999-12-31T23:59:59Z')).reason).toBe('in_future');
  });

  test('in seconds is too old, with a hint at what it looks like', () => {
    expect(rejectionOf(timed(nowMs / 1000))).toMatchObject({
      reason: 'too_old',
      text: expect.stringContaining('seconds'),
    });
    expect(rejectionOf(timed(0)).text).not.toContain('seconds');
  });

  test('in microseconds is in the future', () => {
    expect(rejectionOf(timed(nowMs * 100)).reason).toBe('in_future');
  });
});

describe('sent_at', () => {
  const sent = (event: object, sentAt?: unknown) => judged(event, { origin: { sentAt } });
  const clock = (offsetMs: number, event: object = click) =>
    sent({ ...event, timestamp: at(nowMs + offsetMs - 5_000), sent_at: at(nowMs + offsetMs) });

  test('that differs by no more than transit explains changes nothing', () => {
    for (const behindMs of [0, 1, 1_000, 60_000])
      expect(bodyOf(clock(-behindMs))).toMatchObject({
        timestamp: at(nowMs - behindMs - 5_000),
        sent_at: at(nowMs - behindMs),
      });
  });

  test('corrects a clock that is behind by more', () => {
    for (const behindMs of [60_001, 3_600_000, 10 * 365 * dayMs])
      expect(bodyOf(clock(-behindMs))).toMatchObject({ timestamp: at(nowMs - 5_000), sent_at: at(nowMs - behindMs) });
  });

  test('corrects a clock that is ahead, by however little', () => {
    for (const aheadMs of [1, 1_000, 10 * 365 * dayMs])
      expect(bodyOf(clock(aheadMs))).toMatchObject({ timestamp: at(nowMs - 5_000), sent_at: at(nowMs + aheadMs) });
  });

  test('stands in for a timestamp that is absent, but not for one that is wrong', () => {
    const { timestamp: _, ...timeless } = click;
    expect(bodyOf(sent({ ...timeless, sent_at: at(nowMs - 30_000) })).timestamp).toBe(at(nowMs - 30_000));
    expect(bodyOf(sent({ ...timeless, sent_at: at(nowMs + dayMs * 3) })).timestamp).toBe(nowIso);
    expect(rejectionOf(sent({ ...click, timestamp: null, sent_at: nowIso })).paths).toEqual(['/timestamp']);
    expect(rejectionOf(sent({ ...click, timestamp: 'x', sent_at: nowIso })).paths).toEqual(['/timestamp']);
    expect(rejectionOf(sent(timeless)).paths).toEqual(['/timestamp']);
    expect(rejectionOf(sent({ ...timeless, sent_at: null })).paths).toEqual(['/timestamp']);
  });

  test('beside the events counts for each event that has none', () => {
    expect(bodyOf(sent(click, at(nowMs - 1_000))).sent_at).toBe(at(nowMs - 1_000));
    expect(bodyOf(sent({ ...click, sent_at: at(nowMs - 2_000) }, at(nowMs - 1_000))).sent_at).toBe(at(nowMs - 2_000));
    expect(bodyOf(sent({ ...click, sent_at: null }, at(nowMs - 1_000))).sent_at).toBe(at(nowMs - 1_000));
    expect(rejectionOf(sent(click, 'x')).paths).toEqual(['/sent_at']);
    expect(bodyOf(sent(click, null)).sent_at).toBeNull();
  });

  test('leaves the limits of age to the corrected time', () => {
    expect(rejectionOf(sent({ ...click, timestamp: at(nowMs - 2000 * dayMs), sent_at: nowIso })).reason).toBe(
      'too_old',
    );
    expect(
      bodyOf(sent({ ...click, timestamp: at(nowMs + 30 * dayMs), sent_at: at(nowMs + 30 * dayMs) })).timestamp,
    ).toBe(nowIso);
    expect(rejectionOf(sent({ ...click, timestamp: at(nowMs + 3 * dayMs), sent_at: nowIso })).reason).toBe('in_future');
  });

  test.each([['x'], [''], ['2026-11-21'], [true], [[]], [{}], [Number.POSITIVE_INFINITY]])(
    '%p is rejected',
    sent_at => {
      expect(rejectionOf(sent({ ...click, sent_at }))).toMatchObject({ reason: 'invalid', paths: ['/sent_at'] });
    },
  );

  test.each([
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00Z',
    '1899-12-31T23:59:59.999Z',
    '2300-01-01T00:00:00Z',
    '9999-12-31T23:59:59Z',
  ])('%s is rejected, as no column holds it', sent_at => {
    const { timestamp: _, ...timeless } = click;
    for (const event of [
      { ...click, sent_at },
      { ...timeless, sent_at },
      { ...click, timestamp: sent_at, sent_at },
    ])
      expect(rejectionOf(sent(event))).toMatchObject({ reason: 'invalid', paths: ['/sent_at'] });
  });
});

test('an event’s own times are judged by the clock, though its stamp may be ahead of it', () => {
  const origin = { receivedAtMs: nowMs + 3_600_000, clockMs: nowMs };
  const at = new Date(nowMs - 1_000).toISOString();
  const body = bodyOf(judged({ ...click, timestamp: at, sent_at: new Date(nowMs).toISOString() }, { origin }));
  expect(body).toMatchObject({ timestamp: at, received_at: new Date(nowMs + 3_600_000).toISOString() });
});
