// What `ugc top` and `ugc tap` show: never wider than the terminal, nor longer, nor obeyed by it.

import { expect, test } from 'bun:test';
import { stripVTControlCharacters } from 'node:util';
import { lineOf } from '../../../src/operate/tap-line.ts';
import { type InstanceNow, screenOf, short, totalOf } from '../../../src/operate/top-screen.ts';
import type { Stats } from '../../../src/ports/passing.ts';

const rates = (from: number) => ({ in: from, rejected: 1, failed: 0, dropped: 0, out: from / 2 });
const stats = (more: Partial<Stats> = {}): Stats => ({
  at: '2026-11-21T12:00:00.000Z',
  version: '0.1.0',
  host: 'machine',
  pid: 4711,
  roles: ['ingest'],
  up_seconds: 1,
  ready: true,
  problems: {},
  window_seconds: 5,
  events: rates(1_234_567),
  types: { click: rates(1_000_000), film_progress: rates(2) },
  answers: { rate: 1, p50_ms: 1, p99_ms: 12.34 },
  ack: { p50_ms: 1, p99_ms: 9.5 },
  lag: { seconds: 3, events: 1_000 },
  freshness_p99_ms: 900,
  buffer: { events: 12, bytes: 123_456, oldest_seconds: 1, quarantined: 0 },
  breaker_open: false,
  inserts: { rate: 1, failed: 0, p99_ms: 50, halted: [] },
  dead_letters: { total: 1, rate: 0 },
  archive: { lag_seconds: null, lag_events: null },
  flows: [],
  stream: { readers: 1, dropped: 0 },
  ...more,
});
const there = (url: string, more: Partial<Stats> = {}): InstanceNow => ({ url, stats: stats(more), away: null });
const away: InstanceNow = { url: 'http://10.0.0.9:8080', stats: null, away: 'ECONNREFUSED' };
const at = '2026-11-21T12:00:00.000Z';

test.each([20, 40, 80, 200])('no line is longer than %d columns, nor are there more than the rows', columns => {
  const long = there(`http://${'a'.repeat(300)}:8080`, { problems: { buffer: `${'x'.repeat(500)}\u001b[2J` } });
  const many = [long, away, ...Array.from({ length: 50 }, (_, n) => there(`http://10.0.0.${n}:8080`))];
  for (const colours of [true, false]) {
    const lines = screenOf(many, { columns, rows: 24, colours }, at);
    expect(lines).toHaveLength(24);
    for (const line of lines) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(columns);
    expect(lines.join('')).not.toContain('\u001b[2J');
  }
});

test('at 80 columns: a line an instance, together, what is not well in words, types by how busy they are', () => {
  const lines = screenOf(
    [there('http://10.0.0.1:8080', { breaker_open: true }), there('https://b.example'), away],
    { columns: 80, rows: 40, colours: false },
    at,
  );
  expect(lines[0]).toBe('ugc top   3 instances, 1 away   12:00:00 UTC');
  expect(lines[2]).toBe('instance                    in/s   out/s   rej/s  p99 ms  ack ms   lag s  buffer');
  expect(lines[3]).toBe('10.0.0.1:8080              1.23M    617k       1    12.3     9.5       3      12');
  expect(lines[5]).toMatch(/^10\.0\.0\.9:8080 +away$/);
  expect(lines[6]).toMatch(/^together +2\.47M/);
  expect(lines.find(line => line.includes('breaker open'))).toStartWith('10.0.0.1:8080 breaker open: ');
  expect(lines).toContain('10.0.0.9:8080 away: ECONNREFUSED');
  expect(lines.filter(line => /^(click|film)/.test(line)).map(line => line.split(' ')[0])).toEqual([
    'click',
    'film_progress',
  ]);
});

test('what several say alike is told once, who says it and all of what is said, over as many lines as that takes', () => {
  const why = 'paused since 2026-11-21T12:00:00.000Z by anna: ClickHouse is upgraded to the next long-term release';
  const paused = { problems: { 'flow tables': why } };
  const all = Array.from({ length: 5 }, (_, n) => there(`http://10.0.0.${n}:8080`, paused));
  const lines = screenOf(all, { columns: 80, rows: 40, colours: false }, at);
  const from = lines.findIndex(line => line.includes('flow tables'));
  expect(lines.slice(from, from + 3)).toEqual([
    '10.0.0.0:8080, 10.0.0.1:8080 and 3 more flow tables: paused since',
    '  2026-11-21T12:00:00.000Z by anna: ClickHouse is upgraded to the next',
    '  long-term release',
  ]);
  expect(lines.filter(line => line.includes('flow tables'))).toHaveLength(1);
});

test('numbers in words are never cut off: what has no room beside is below', () => {
  const busy = there('http://10.0.0.1:8080', {
    inserts: { rate: 123.4, failed: 12.3, p99_ms: 12_345, halted: [] },
    archive: { lag_seconds: 21.5, lag_events: 5 },
  });
  const lines = screenOf([busy], { columns: 80, rows: 40, colours: false }, at);
  expect(lines).toContain('inserts 123/s, 12.3/s failed, p99 12.3 s   fresh p99 900 ms   behind 1000 events');
  expect(lines).toContain('archive 21.5 s behind');
  expect(lines.join('\n')).not.toContain('…');
});

test('of none that is there nothing is added up', () => {
  expect(totalOf([away])).toMatchObject({ in: 0, p99_ms: null, lag_events: null });
});

test('numbers take no more than six characters', () => {
  const told = [null, 0, 0.004, 0.25, 9.999, 12.34, 999.9, 9_999, 10_000, 999_949, 1_234_567, 9e11].map(short);
  expect(told).toEqual(['–', '0', '0', '0.25', '10', '12.3', '1000', '9999', '10k', '1000k', '1.23M', '900G']);
});

const event = (more: object = {}) =>
  JSON.stringify({
    at,
    outcome: 'accepted',
    type: 'click',
    source: 'shop',
    user: 'u-1',
    id: 'i',
    stored: 'disk',
    body: { event_type: 'click', a: 'x y', b: null },
    ...more,
  });
const options = { instance: null, columns: Number.POSITIVE_INFINITY, colours: false };

test('a line is JSON as it came, logfmt, or text', () => {
  expect(lineOf(event(), { ...options, format: 'json' })).toBe(`${event()}\n`);
  expect(JSON.parse(lineOf(event(), { ...options, format: 'json', instance: 'http://a' }))).toMatchObject({
    instance: 'http://a',
    type: 'click',
  });
  expect(lineOf(event(), { ...options, format: 'logfmt' })).toBe(
    `at=${at} outcome=accepted type=click source=shop user=u-1 id=i stored=disk body.event_type=click body.a="x y"\n`,
  );
  expect(lineOf(event(), { ...options, format: 'text' })).toBe(
    '12:00:00.000  accepted  disk      click             key=shop  user=u-1  i  a="x y"\n',
  );
});

test('on a terminal a line has its width, and nothing in it is obeyed', () => {
  const hostile = event({ body: { a: `\u001b[2J\n${'x'.repeat(500)}` } });
  for (const format of ['text', 'logfmt'] as const) {
    const line = lineOf(hostile, { format, instance: null, columns: 80, colours: format === 'text' });
    expect(stripVTControlCharacters(line).indexOf('\n')).toBe(stripVTControlCharacters(line).length - 1);
    expect(line).not.toContain('\u001b[2J');
    if (format === 'text') expect(Bun.stringWidth(line.trimEnd())).toBeLessThanOrEqual(80);
  }
});
