// Numbers and instants as people read them. Instants are UTC everywhere, as in the tables.

const [small, large] = [
  new Intl.NumberFormat('en', { maximumFractionDigits: 1 }),
  new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 }),
];

/** `–` = not known. */
export function number(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  return Math.abs(value) < 100_000 ? small.format(value) : large.format(value);
}

export const rate = (perSecond: number | null | undefined): string => `${number(perSecond)}/s`;

export const milliseconds = (ms: number | null | undefined): string =>
  ms === null || ms === undefined ? '–' : ms < 1_000 ? `${number(ms)} ms` : seconds(ms / 1_000);

export function seconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (value < 120) return `${number(value)} s`;
  if (value < 7_200) return `${number(value / 60)} min`;
  return value < 172_800 ? `${number(value / 3_600)} h` : `${number(value / 86_400)} days`;
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function bytes(value: number): string {
  const power = Math.min(units.length - 1, value < 1 ? 0 : Math.floor(Math.log2(value) / 10));
  return `${number(value / 1_024 ** power)} ${units[power]}`;
}

/** `14:03:07.120` of an instant. */
export const clock = (iso: string): string => /T(\d\d:\d\d:\d\d(\.\d{1,3})?)/.exec(iso)?.[1] ?? iso;

/** `2026-11-29 14:03:07` of an instant. */
export const moment = (iso: string): string => iso.replace('T', ' ').replace(/(\.\d+)?Z$/, '');

/** JSON laid out for reading; text that is none, or has integers that a double would round, as it is. */
export function laidOut(text: string): string {
  if (/\d{16}/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** A cell of a table, of whatever a column holds. */
export const cell = (value: unknown): string =>
  value === null || value === undefined ? '–' : typeof value === 'object' ? JSON.stringify(value) : String(value);
