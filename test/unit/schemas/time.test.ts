import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { isoTextOf, isStorable, readTime } from '../../../schemas/time.ts';

/** The canonical spelling of what is read, or null. */
const read = (value: unknown): string | null => {
  const time = readTime(value);
  return time === null ? null : isoTextOf(time);
};

describe('a time is read', () => {
  test.each([
    ['2024-10-03T14:30:00Z', '2024-10-03T14:30:00.000Z'],
    ['2024-10-03T14:30:00.000Z', '2024-10-03T14:30:00.000Z'],
    ['2024-10-03T14:30:00.7Z', '2024-10-03T14:30:00.700Z'],
    ['2024-10-03T14:30:00,7Z', '2024-10-03T14:30:00.700Z'],
    ['2024-10-03T14:30:00.123456Z', '2024-10-03T14:30:00.123Z'],
    ['2024-10-03T14:30:00.123999999Z', '2024-10-03T14:30:00.123Z'],
    ['2024-10-03t14:30:00z', '2024-10-03T14:30:00.000Z'],
    ['2024-10-03T14:30Z', '2024-10-03T14:30:00.000Z'],
    ['2024-10-03T14:30:00+00:00', '2024-10-03T14:30:00.000Z'],
    ['2024-10-03T14:30:00-00:00', '2024-10-03T14:30:00.000Z'],
    ['2024-10-03T17:30:00+03:00', '2024-10-03T14:30:00.000Z'],
    ['2024-10-03T17:30:00+0300', '2024-10-03T14:30:00.000Z'],
    ['2024-10-03T17:30:00+03', '2024-10-03T14:30:00.000Z'],
    ['2024-10-03T20:00:00+05:30', '2024-10-03T14:30:00.000Z'],
    ['2024-12-31T23:30:00-00:45', '2025-01-01T00:15:00.000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['2000-02-29T23:59:59.999Z', '2000-02-29T23:59:59.999Z'],
    ['0000-01-01T00:00:00Z', '0000-01-01T00:00:00.000Z'],
    ['0099-12-31T23:59:59Z', '0099-12-31T23:59:59.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ])('from %s', (given, canonical) => {
    expect(read(given)).toBe(canonical);
    expect(readTime(given)?.ms).toBe(Date.parse(canonical));
  });

  test.each([
    [0, '1970-01-01T00:00:00.000Z'],
    [-0, '1970-01-01T00:00:00.000Z'],
    [-1, '1969-12-31T23:59:59.999Z'],
    [1727965800000, '2024-10-03T14:30:00.000Z'],
    [1727965800000.999, '2024-10-03T14:30:00.000Z'],
    [253402300799999, '9999-12-31T23:59:59.999Z'],
    [-62167219200000, '0000-01-01T00:00:00.000Z'],
  ])('from the epoch milliseconds %p', (given, canonical) => {
    expect(read(given)).toBe(canonical);
  });
});

describe('no time is', () => {
  test.each([
    ['nothing', undefined],
    ['null', null],
    ['true', true],
    ['an array with a time', ['2024-10-03T14:30:00Z']],
    ['an object', { $date: '2024-10-03T14:30:00Z' }],
    ['a Date', new Date(0)],
    ['a bigint', 1727965800000n],
    ['NaN', Number.NaN],
    ['infinity, which is what JSON makes of 1e400', JSON.parse('1e400')],
    ['minus infinity', Number.NEGATIVE_INFINITY],
    ['milliseconds beyond the year 9999', 253402300800000],
    ['milliseconds before the year 0', -62167219200001],
    ['nanoseconds', 1727965800000000000],
    ['empty text', ''],
    ['white space', ' '],
    ['a word', 'now'],
    ['epoch milliseconds as text', '1727965800000'],
    ['no zone', '2024-10-03T14:30:00'],
    ['no zone but milliseconds', '2024-10-03T14:30:00.000'],
    ['a date alone', '2024-10-03'],
    ['a date and a zone', '2024-10-03Z'],
    ['a time alone', '14:30:00Z'],
    ['a space for the T', '2024-10-03 14:30:00Z'],
    ['two spaces at the end', '2024-10-03T14:30:00Z  '],
    ['a space in front', ' 2024-10-03T14:30:00Z'],
    ['a newline at the end', '2024-10-03T14:30:00Z\n'],
    ['a NUL at the end', '2024-10-03T14:30:00Z\u0000'],
    ['month 0', '2024-00-03T14:30:00Z'],
    ['month 13', '2024-13-03T14:30:00Z'],
    ['day 0', '2024-10-00T14:30:00Z'],
    ['day 32', '2024-10-32T14:30:00Z'],
    ['31 April', '2024-04-31T14:30:00Z'],
    ['30 February', '2024-02-30T14:30:00Z'],
    ['29 February of no leap year', '2023-02-29T14:30:00Z'],
    ['29 February 1900', '1900-02-29T14:30:00Z'],
    ['29 February of no leap year, with an offset', '2023-02-29T14:30:00+03:00'],
    ['hour 24', '2024-10-03T24:00:00Z'],
    ['minute 60', '2024-10-03T14:60:00Z'],
    ['second 60', '2024-10-03T14:30:60Z'],
    ['second 60 with milliseconds', '2024-10-03T14:30:60.000Z'],
    ['an offset of 24 hours', '2024-10-03T14:30:00+24:00'],
    ['an offset of 60 minutes', '2024-10-03T14:30:00+03:60'],
    ['an offset of one digit', '2024-10-03T14:30:00+3'],
    ['both Z and an offset', '2024-10-03T14:30:00Z+03:00'],
    ['a zone by name', '2024-10-03T14:30:00 UTC'],
    ['a zone in brackets', '2024-10-03T14:30:00+03:00[Europe/Moscow]'],
    ['RFC 2822', 'Thu, 03 Oct 2024 14:30:00 GMT'],
    ['what Date prints', 'Thu Oct 03 2024 14:30:00 GMT+0000'],
    ['US order', '10/03/2024 14:30:00'],
    ['the basic format', '20241003T143000Z'],
    ['a week date', '2024-W40-4T14:30:00Z'],
    ['an ordinal date', '2024-277T14:30:00Z'],
    ['two digits of year', '24-10-03T14:30:00Z'],
    ['six digits of year', '+002024-10-03T14:30:00Z'],
    ['a negative year', '-002024-10-03T14:30:00Z'],
    ['one digit of month', '2024-1-03T14:30:00Z'],
    ['a fraction of nothing', '2024-10-03T14:30:00.Z'],
    ['ten digits of fraction', '2024-10-03T14:30:00.0123456789Z'],
    ['a fraction of minutes', '2024-10-03T14:30.5Z'],
    ['an em dash', '2024—10—03T14:30:00Z'],
    ['Arabic digits', '٢٠٢٤-10-03T14:30:00Z'],
    ['full-width digits', '\uff12\uff10\uff12\uff14-10-03T14:30:00Z'],
    ['hexadecimal', '0x24-10-03T14:30:00Z'],
    ['an offset that leads out of the year 0', '0000-01-01T00:00:00+01:00'],
    ['an offset that leads out of the year 9999', '9999-12-31T23:59:59-01:00'],
  ])('%s', (_, given) => {
    expect(readTime(given)).toBeNull();
  });
});

const two = (value: number): string => String(value).padStart(2, '0');

/** Parts of a time in any ranges, and how its writer happened to spell it. */
const spelling = fc.record({
  year: fc.integer({ min: 0, max: 9999 }),
  month: fc.integer({ min: 0, max: 13 }),
  day: fc.integer({ min: 0, max: 32 }),
  hour: fc.integer({ min: 0, max: 24 }),
  minute: fc.integer({ min: 0, max: 60 }),
  second: fc.integer({ min: 0, max: 60 }),
  fraction: fc.option(fc.stringMatching(/^[0-9]{1,9}$/), { nil: '' }),
  comma: fc.constantFrom('.', ','),
  t: fc.constantFrom('T', 't'),
  zone: fc.oneof(
    fc.constantFrom('Z', 'z'),
    fc
      .tuple(fc.constantFrom('+', '-'), fc.integer({ min: 0, max: 24 }), fc.integer({ min: 0, max: 60 }))
      .map(([sign, hours, minutes]) => `${sign}${two(hours)}:${two(minutes)}`),
  ),
});

test('whatever is accepted is what Date.parse makes of the canonical spelling, and what exists is accepted', () => {
  fc.assert(
    fc.property(spelling, ({ year, month, day, hour, minute, second, fraction, comma, t, zone }) => {
      const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
      const clock = `${two(hour)}:${two(minute)}:${two(second)}`;
      const time = readTime(`${date}${t}${clock}${fraction === '' ? '' : comma + fraction}${zone}`);

      const local = new Date(0);
      local.setUTCFullYear(year, month - 1, day);
      const exists = local.getUTCMonth() === month - 1 && local.getUTCDate() === day;
      const [offsetHours = 0, offsetMinutes = 0] = zone.slice(1).split(':').map(Number);
      const inRange = hour < 24 && minute < 60 && second < 60 && offsetHours < 24 && offsetMinutes < 60;
      const ms = fraction.padEnd(3, '0').slice(0, 3);
      const canonical = `${date}T${clock}.${ms}${zone.toUpperCase()}`;
      const expected = exists && inRange ? Date.parse(canonical) : Number.NaN;
      const spelled = Number.isNaN(expected) ? '' : new Date(expected).toISOString();

      expect(time?.ms ?? null).toBe(spelled.length === 24 ? expected : null);
      if (time !== null) expect(isoTextOf(time)).toBe(spelled);
    }),
    { numRuns: 3_000 },
  );
});

test('a time with one character changed is no time, or the time that is written there', () => {
  const changed = fc.tuple(
    fc.constantFrom('2024-10-03T14:30:00Z', '2024-10-03T14:30:00.123Z', '2024-10-03T14:30:00+03:00'),
    fc.nat(28),
    fc.constantFrom(...'0123456789-+:.,TZtz /\u0000é٣'),
  );
  fc.assert(
    fc.property(changed, ([text, at, character]) => {
      const given = text.slice(0, at) + character + text.slice(at + 1);
      const time = readTime(given);
      if (time === null) return;
      expect(isoTextOf(time)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(Date.parse(isoTextOf(time))).toBe(time.ms);
    }),
    { numRuns: 3_000 },
  );
});

test('a time is storable in the years DateTime64 holds, to the millisecond', () => {
  const storable = (text: string) => isStorable(readTime(text)!);
  expect(storable('1899-12-31T23:59:59.999Z')).toBe(false);
  expect(storable('1900-01-01T00:00:00.000Z')).toBe(true);
  expect(storable('2299-12-31T23:59:59.999Z')).toBe(true);
  expect(storable('2300-01-01T00:00:00.000Z')).toBe(false);
});
