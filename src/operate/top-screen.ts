// What `ugc top` shows, as lines of text: a line an instance and their total, a line a type, and in words what is not well.
// Readable at 80 columns; no line is longer than the terminal, nor are there more than it has.

import type { Stats } from '../ports/passing.ts';
import { cut, plain, size } from './output.ts';

export interface InstanceNow {
  readonly url: string;
  /** Null: it has not said anything yet, or is away. */
  readonly stats: Stats | null;
  /** Why it is, in words; null = it is there. */
  readonly away: string | null;
}

export interface ScreenSize {
  readonly columns: number;
  /** Infinite where nobody looks. */
  readonly rows: number;
  readonly colours: boolean;
}

export interface Total {
  readonly in: number;
  readonly rejected: number;
  readonly failed: number;
  readonly dropped: number;
  readonly out: number;
  /** The slowest of them. */
  readonly p99_ms: number | null;
  readonly ack_p99_ms: number | null;
  readonly lag_seconds: number | null;
  readonly lag_events: number | null;
  readonly buffer_events: number;
  readonly buffer_bytes: number;
  readonly dead_letters: number;
}

/** Sums, and of times the longest. */
export function totalOf(instances: readonly InstanceNow[]): Total {
  const all = instances.flatMap(({ stats }) => stats ?? []);
  const sum = (of: (stats: Stats) => number): number => all.reduce((total, stats) => total + of(stats), 0);
  const known = (of: (stats: Stats) => number | null): readonly number[] => all.flatMap(stats => of(stats) ?? []);
  const most = (of: (stats: Stats) => number | null): number | null =>
    known(of).length === 0 ? null : Math.max(...known(of));
  const behind = known(({ lag }) => lag.events);
  return {
    in: sum(({ events }) => events.in),
    rejected: sum(({ events }) => events.rejected),
    failed: sum(({ events }) => events.failed),
    dropped: sum(({ events }) => events.dropped),
    out: sum(({ events }) => events.out),
    p99_ms: most(({ answers }) => answers.p99_ms),
    ack_p99_ms: most(({ ack }) => ack.p99_ms),
    lag_seconds: most(({ lag }) => lag.seconds),
    lag_events: behind.length === 0 ? null : behind.reduce((total, events) => total + events, 0),
    buffer_events: sum(({ buffer }) => buffer.events),
    buffer_bytes: sum(({ buffer }) => buffer.bytes),
    dead_letters: sum(({ dead_letters: dead }) => dead.total),
  };
}

/** Columns: their heads and widths. The first takes what is left. */
const heads = ['in/s', 'out/s', 'rej/s', 'p99 ms', 'ack ms', 'lag s', 'buffer'] as const;
const cellWidth = 8;
const nameMin = 20;
/** Of those who say the same. */
const namedMax = 2;
/** Of the words of one trouble. */
const wrappedLinesMax = 3;

export function screenOf(
  instances: readonly InstanceNow[],
  { columns, rows, colours }: ScreenSize,
  at: string,
): string[] {
  const name = Math.max(nameMin, Math.min(40, columns - heads.length * cellWidth));
  const row = (first: string, cells: readonly string[]): string =>
    cut(first, name).padEnd(name) + cells.map(cell => cell.padStart(cellWidth)).join('');
  const style = styleOf(colours);
  const away = instances.filter(({ stats }) => stats === null).length;
  const title = `ugc top   ${instances.length} ${instances.length === 1 ? 'instance' : 'instances'}${away === 0 ? '' : `, ${away} away`}   ${at.slice(11, 19)} UTC`;
  const lines: Line[] = [
    [title, style.bold],
    ['', style.none],
    [row('instance', heads), style.dim],
    ...instances.map(
      (one): Line => [row(shortUrl(one.url), cellsOf(one)), one.stats === null ? style.dim : style.none],
    ),
    ...(instances.length > 1 ? [[row('together', cellsOfTotal(totalOf(instances))), style.bold] as Line] : []),
    ['', style.none],
    ...wordsOf(instances, columns).map((words): Line => [words, style.none]),
    ...problemsOf(instances).flatMap(words => wrapped(words, columns).map((line): Line => [line, style.red])),
    ['', style.none],
    ...typeLines(instances, name).map((line, index): Line => [line, index === 0 ? style.dim : style.none]),
  ];
  const shown = lines.length <= rows ? lines : [...lines.slice(0, rows - 1), ['…', style.dim] as Line];
  return shown.map(([text, paint]) => paint(cut(plain(text), columns)));
}

type Line = readonly [text: string, paint: (text: string) => string];

const shortUrl = (url: string): string => url.replace(/^http:\/\//, '');

function cellsOf({ stats, away }: InstanceNow): readonly string[] {
  if (stats === null) return [away === null ? '  …' : '  away'];
  const { events, answers, ack, lag, buffer } = stats;
  return [
    short(events.in),
    short(events.out),
    short(events.rejected),
    short(answers.p99_ms),
    short(ack.p99_ms),
    short(lag.seconds),
    short(buffer.events),
  ];
}

const cellsOfTotal = (total: Total): readonly string[] =>
  [total.in, total.out, total.rejected, total.p99_ms, total.ack_p99_ms, total.lag_seconds, total.buffer_events].map(
    short,
  );

/** What has no room in a column. */
function wordsOf(instances: readonly InstanceNow[], columns: number): readonly string[] {
  const all = instances.flatMap(({ stats }) => stats ?? []);
  if (all.length === 0) return [];
  const { lag_events: behind, buffer_events: events, buffer_bytes: bytes, dead_letters: dead } = totalOf(instances);
  const sum = (of: (stats: Stats) => number): number => all.reduce((total, stats) => total + of(stats), 0);
  const most = (of: (stats: Stats) => number | null): number | null => {
    const known = all.flatMap(stats => of(stats) ?? []);
    return known.length === 0 ? null : Math.max(...known);
  };
  const oldest = most(({ buffer }) => buffer.oldest_seconds) ?? 0;
  const archive = most(stats => stats.archive.lag_seconds);
  const { rate, failed } = { rate: sum(({ inserts }) => inserts.rate), failed: sum(({ inserts }) => inserts.failed) };
  return [
    ...flowing(
      [
        `inserts ${short(rate)}/s, ${short(failed)}/s failed, p99 ${timed(most(({ inserts }) => inserts.p99_ms))}`,
        `fresh p99 ${timed(most(stats => stats.freshness_p99_ms))}`,
        `behind ${short(behind)} events`,
      ],
      columns,
    ),
    ...flowing(
      [
        `buffer ${short(events)} events, ${size(bytes)}, oldest ${short(oldest)} s`,
        `dead letters ${short(dead)}, ${short(sum(stats => stats.dead_letters.rate))}/s`,
        ...(archive === null ? [] : [`archive ${short(archive)} s behind`]),
      ],
      columns,
    ),
  ];
}

/** Beside each other as far as there is room, each whole. */
function flowing(parts: readonly string[], columns: number): readonly string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const together = `${lines.at(-1)}   ${part}`;
    if (lines.length > 0 && Bun.stringWidth(together) <= columns) lines[lines.length - 1] = together;
    else lines.push(part);
  }
  return lines;
}

/** What several say alike once, with who says it. */
function problemsOf(instances: readonly InstanceNow[]): readonly string[] {
  const saying = new Map<string, string[]>();
  for (const { url, stats, away } of instances)
    for (const words of troublesOf(stats, away)) saying.set(words, [...(saying.get(words) ?? []), shortUrl(url)]);
  return [...saying].map(([words, urls]) => {
    const more = urls.length - namedMax;
    return `${urls.slice(0, namedMax).join(', ')}${more > 0 ? ` and ${more} more` : ''} ${words}`;
  });
}

function troublesOf(stats: Stats | null, away: string | null): readonly string[] {
  if (stats === null) return away === null ? [] : [`away: ${away}`];
  return [
    ...(stats.breaker_open ? ['breaker open: the broker takes nothing, events go to the disk'] : []),
    ...(stats.inserts.halted.length === 0 ? [] : [`tables wait for repair: ${stats.inserts.halted.join(', ')}`]),
    ...Object.entries(stats.problems).map(([part, words]) => `${part}: ${words}`),
  ];
}

/** At most three lines, broken at spaces where there are any; what is longer is cut in the last. */
function wrapped(words: string, columns: number): readonly string[] {
  const indent = '  ';
  const lines: string[] = [];
  let rest = plain(words);
  while (lines.length < wrappedLinesMax - 1 && Bun.stringWidth(rest) > columns) {
    const fitting = cut(rest, columns + 1).slice(0, -1); // without its …
    const space = fitting.lastIndexOf(' ');
    const length = space > indent.length ? space : fitting.length;
    if (length <= indent.length) break; // no room for a letter
    lines.push(rest.slice(0, length));
    rest = indent + rest.slice(length).trimStart();
  }
  return [...lines, rest];
}

/** The busiest first. */
function typeLines(instances: readonly InstanceNow[], name: number): readonly string[] {
  const types = new Map<string, { in: number; out: number; rejected: number; failed: number; dropped: number }>();
  for (const { stats } of instances)
    for (const [type, rates] of Object.entries(stats?.types ?? {})) {
      const known = types.get(type) ?? { in: 0, out: 0, rejected: 0, failed: 0, dropped: 0 };
      types.set(type, {
        in: known.in + rates.in,
        out: known.out + rates.out,
        rejected: known.rejected + rates.rejected,
        failed: known.failed + rates.failed,
        dropped: known.dropped + rates.dropped,
      });
    }
  if (types.size === 0) return [];
  const row = (first: string, cells: readonly string[]): string =>
    cut(first, name).padEnd(name) + cells.map(cell => cell.padStart(cellWidth)).join('');
  const sorted = [...types].toSorted(
    ([a, one], [b, other]) => other.in - one.in || other.out - one.out || (a < b ? -1 : 1),
  );
  return [
    row('type', ['in/s', 'out/s', 'rej/s', 'fail/s', 'drop/s']),
    ...sorted.map(([type, rates]) =>
      row(type, [rates.in, rates.out, rates.rejected, rates.failed, rates.dropped].map(short)),
    ),
  ];
}

/** After an outage it is minutes: nobody counts those in milliseconds. */
const timed = (ms: number | null): string =>
  ms === null ? '–' : ms < 10_000 ? `${short(ms)} ms` : `${short(ms / 1_000)} s`;

/** At most six characters: 0.25, 12.3, 456, 7.89k, 1.2M; – = not known. */
export function short(value: number | null): string {
  if (value === null) return '–';
  for (const [unit, from] of [
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e4],
  ] as const)
    if (value >= from) return `${digits(value / (unit === 'k' ? 1e3 : from))}${unit}`;
  return digits(value);
}

function digits(value: number): string {
  if (value === 0) return '0';
  if (value >= 100) return String(Math.round(value));
  return value >= 10 ? value.toFixed(1).replace(/\.0$/, '') : value.toFixed(2).replace(/\.?0+$/, '');
}

const painted =
  (from: number, to: number) =>
  (text: string): string =>
    `\u001b[${from}m${text}\u001b[${to}m`;
const none = (text: string): string => text;

const styleOf = (colours: boolean) =>
  colours
    ? { none, bold: painted(1, 22), dim: painted(2, 22), red: painted(31, 39) }
    : { none, bold: none, dim: none, red: none };
