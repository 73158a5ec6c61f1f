// Client times: ISO 8601 with a zone (RFC 3339 and its usual relatives) or epoch milliseconds, read strictly. A date that
// does not exist is no date. Precision beyond milliseconds is cut off.

export interface ClientTime {
  /** Epoch milliseconds. */
  readonly ms: number;
  /** The canonical spelling, 2024-10-03T14:30:00.000Z, when it is already known. */
  readonly iso: string | null;
}

export const timeExpectation = 'ISO 8601 with a zone (2024-10-03T14:30:00Z) or epoch milliseconds';

/** 9999-12-31 and year 0: what four digits can spell. */
const msMax = 253_402_300_799_999;
const msMin = -62_167_219_200_000;

export function readTime(value: unknown): ClientTime | null {
  if (typeof value === 'string') return readIso(value);
  if (typeof value !== 'number') return null;
  const ms = Math.floor(value);
  return ms >= msMin && ms <= msMax ? { ms, iso: null } : null;
}

/** What DateTime64(3) is documented to hold; beyond it ClickHouse guesses (it reads the year 0000 as this year). */
export const isStorable = ({ ms }: ClientTime): boolean => ms >= storableMsMin && ms <= storableMsMax;

/** The first and last millisecond of the years 1900 to 2299. */
export const [storableMsMin, storableMsMax] = [-2_208_988_800_000, 10_413_791_999_999];

export const isoTextOf = ({ ms, iso }: ClientTime): string => iso ?? new Date(ms).toISOString();

const isoPattern =
  /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:([Zz])|([+-])(\d\d)(?::?(\d\d))?)$/;

function readIso(text: string): ClientTime | null {
  // Nearly every client sends one of the two spellings of Date.prototype.toISOString: no regular expression for them.
  if ((text.length === 20 || text.length === 24) && isPlain(text)) {
    const ms = utc(
      digits(text, 0, 4),
      digits(text, 5, 2),
      digits(text, 8, 2),
      digits(text, 11, 2),
      digits(text, 14, 2),
      digits(text, 17, 2),
    );
    if (Number.isNaN(ms)) return null;
    return text.length === 20 ? { ms, iso: `${text.slice(0, 19)}.000Z` } : { ms: ms + digits(text, 20, 3), iso: text };
  }
  const match = isoPattern.exec(text);
  if (!match) return null;
  const [, year, month, day, hour, minute, second = '0', fraction = '0', , sign, offsetHour = '0', offsetMinute = '0'] =
    match;
  const ms = utc(Number(year), Number(month), Number(day), Number(hour), Number(minute), Number(second));
  if (Number.isNaN(ms) || Number(offsetHour) > 23 || Number(offsetMinute) > 59) return null;
  const offsetMs = (Number(offsetHour) * 60 + Number(offsetMinute)) * 60_000 * (sign === '-' ? -1 : 1);
  const inUtc = ms + Number(fraction.padEnd(3, '0').slice(0, 3)) - offsetMs;
  return inUtc >= msMin && inUtc <= msMax ? { ms: inUtc, iso: null } : null;
}

/** dddd-dd-ddTdd:dd:ddZ or dddd-dd-ddTdd:dd:dd.dddZ */
function isPlain(text: string): boolean {
  const last = text.length - 1;
  for (let at = 0; at < last; at++) {
    const code = text.charCodeAt(at);
    const wanted = at === 4 || at === 7 ? 45 : at === 10 ? 84 : at === 13 || at === 16 ? 58 : at === 19 ? 46 : 0;
    if (wanted === 0 ? code < 48 || code > 57 : code !== wanted) return false;
  }
  return text.charCodeAt(last) === 90;
}

function digits(text: string, at: number, length: number): number {
  let value = 0;
  for (let end = at + length; at < end; at++) value = value * 10 + text.charCodeAt(at) - 48;
  return value;
}

const daysOf = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Epoch milliseconds of a date that exists, else NaN. Years 0 to 99 are themselves, not 1900 and up. */
function utc(year: number, month: number, day: number, hour: number, minute: number, second: number): number {
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return Number.NaN;
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (day > daysOf[month - 1]! + (leap ? 1 : 0)) return Number.NaN;
  if (year > 99) return Date.UTC(year, month - 1, day, hour, minute, second);
  return new Date(Date.UTC(2000, month - 1, day, hour, minute, second)).setUTCFullYear(year, month - 1, day);
}
