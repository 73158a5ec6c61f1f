// `ugc archive verify`: whether the archive is what its manifest says, and the tables and the ledger say the same of its days.
//
// - The manifest: no chain has a gap or a record twice. The files: each is there, byte for byte (--quick: of the right size).
// - The tables, by type and day of `received_at`: as many rows as events are archived, each event once however often it lies
//   in the log. Where the counts differ the events themselves are compared: missing, a row that no file has; absent, an
//   archived event without a row (its rows may be gone by retention, or `ugc archive restore` was not run).
// - The log, where its positions count records (Kafka): how much of it is not archived yet, and what it has deleted before.
// - A day that is not over, or that the archiver is not through with, cannot close yet: it is said so, and fails nothing.

import { tableOf } from '../../schemas/table.ts';
import { type ArchivedDays, archivedDaysIn } from '../adapters/clickhouse/ask/archived-days.ts';
import { ledgerIn } from '../adapters/clickhouse/ask/ledger.ts';
import { heldAgainstLog, type LogBooks } from '../archive/against-log.ts';
import { deadType } from '../archive/dead.ts';
import { readHoldings } from '../archive/holdings.ts';
import type { ArchivedFile } from '../archive/manifest.ts';
import { damageOf, readArchived } from '../archive/read-file.ts';
import { keepVerification, type Verification } from '../archive/verified.ts';
import { catalogueFor } from '../catalogue/type-folder.ts';
import type { Config } from '../config/config.ts';
import { flag } from '../config/kinds.ts';
import type { ColdStore } from '../ports/cold-store.ts';
import type { LogSpan } from '../ports/source.ts';
import type { TableDefinition } from '../ports/tables.ts';
import {
  type ArchiveWiring,
  byTypeAndDay,
  type DaySpan,
  isInSpan,
  ofOneFormat,
  spanFlags,
  sumOf,
  withStore,
} from './archive.ts';
import { command, type Exit } from './arguments.ts';
import { inWords } from './failure.ts';
import { progressOf, say, table, writeOut } from './output.ts';
import { withTables } from './tables.ts';

export const verifyFlags = {
  ...spanFlags,
  quick: flag({ default: false, help: 'Files by their sizes alone, not by their bytes' }),
  filesOnly: flag({ default: false, help: 'Not the tables: the archive by itself' }),
};

export interface VerifiedDay {
  readonly type: string;
  readonly day: string;
  /** Records in its files, and how many different events they are; null: not counted, as the rows are as many. */
  readonly archived: number;
  readonly events: number | null;
  /** Null: not asked, or there is no such table. */
  readonly rows: number | null;
  /** What ingest says to have accepted, where it keeps a ledger; repeated events as often as they were. */
  readonly accepted: number | null;
  /** Rows that no file has, and archived events without a row; some of them. */
  readonly missing: number;
  readonly absent: number;
  readonly examples: readonly string[];
  readonly is: 'whole' | 'open' | 'differs';
}

const examplesMax = 5;

export interface Verifying extends ArchiveWiring {
  /** Null: of the log of these settings nobody can count records by positions. */
  readonly logOf: (config: Config, topics: readonly string[]) => Promise<readonly LogSpan[]> | null;
}

export const verifyCommand = (wiring: Verifying) =>
  command(verifyFlags, ({ args, flags, config }) =>
    inWords(async (): Promise<Exit> => {
      if (args[0] !== undefined) {
        say(`ugc: ${args[0]} is not understood; see ugc help archive`);
        return 2;
      }
      return withStore(wiring, config, async store => {
        const verified = await verify(flags, { store, config, wiring });
        const { files, problems, days, log, closes } = verified;
        if (isAll(flags)) await keepVerification(store, verificationOf(verified));
        if (flags.json)
          writeOut(`${JSON.stringify({ closes, files: files.length, problems, days, log: log?.partitions })}\n`);
        else writeOut(textOf(verified));
        return closes ? 0 : 1;
      });
    }),
  );

interface Looking extends DaySpan {
  readonly quick: boolean;
  readonly filesOnly: boolean;
}

async function verify(flags: Looking, comparing: Comparing & { readonly wiring: Verifying }): Promise<Verified> {
  const { store, config, wiring } = comparing;
  const { entries, files: all, problems } = await readHoldings(store, new AbortController().signal);
  const files = all.filter(isInSpan(flags));
  const damage = flags.quick ? await sizesOf(store, files) : await bytesOf(store, files);
  const groups = byTypeAndDay(files.filter(({ type }) => type !== deadType));
  const days = flags.filesOnly ? [] : await heldAgainstTables(groups, comparing);
  const topics = [...new Set(entries.map(({ topic }) => topic))];
  const spans = flags.filesOnly ? null : await wiring.logOf(config, topics);
  const log = spans === null ? null : heldAgainstLog(entries, spans);
  const wrong = [...problems, ...damage, ...(log?.problems ?? [])];
  const closes = wrong.length === 0 && days.every(({ is }) => is !== 'differs');
  return { files, problems: wrong, days, log, closes };
}

/** What is kept for the archiver to tell: a look at everything, by every byte. */
const isAll = (flags: Looking): boolean =>
  !flags.quick && !flags.filesOnly && [flags.from, flags.to, flags.type].every(text => text === '');

function verificationOf({ problems, days, closes }: Verified): Verification {
  const differing = days.filter(({ is }) => is === 'differs').map(({ type, day }) => `${type} of ${day} differs`);
  const notWhole = days.filter(({ is }) => is !== 'whole').map(({ day }) => day);
  const whole = days.map(({ day }) => day).filter(day => !notWhole.some(other => other <= day));
  return {
    at: new Date().toISOString(),
    closes,
    wholeTo: whole.toSorted().at(-1) ?? null,
    problems: [...problems, ...differing].slice(0, examplesMax),
  };
}

async function sizesOf(store: ColdStore, files: readonly ArchivedFile[]): Promise<string[]> {
  const folders = new Set(files.map(({ path }) => path.slice(0, path.lastIndexOf('/'))));
  const sizes = new Map<string, number>();
  for (const folder of folders) for (const { path, bytes } of await store.list(folder)) sizes.set(path, bytes);
  return files.flatMap(({ path, bytes }) => {
    const there = sizes.get(path);
    if (there === undefined) return [`${path} is not there`];
    return there === bytes ? [] : [`${path} has ${there} bytes, the manifest says ${bytes}`];
  });
}

async function bytesOf(store: ColdStore, files: readonly ArchivedFile[]): Promise<string[]> {
  const progress = progressOf('read', 'files');
  const never = new AbortController().signal;
  const damage: string[] = [];
  for (const [at, file] of files.entries()) {
    const words = await damageOf(store, file, never);
    if (words !== null) damage.push(words);
    progress.at(at + 1, files.length);
  }
  progress.end();
  return damage;
}

interface Comparing {
  readonly store: ColdStore;
  readonly config: Config;
  readonly wiring: ArchiveWiring;
}

const heldAgainstTables = (
  groups: readonly (readonly ArchivedFile[])[],
  comparing: Comparing,
): Promise<VerifiedDay[]> =>
  withTables(comparing.config, async ({ client }) => {
    const { config } = comparing;
    const tables = archivedDaysIn(client, config.clickhouseDatabase);
    const ledger = await acceptedBy(ledgerIn(client, config.clickhouseDatabase), groups);
    const definitions = new Map(catalogueFor(config).types.map(type => [type.name, tableOf(type)]));
    const progress = progressOf('compared', 'days');
    const days: VerifiedDay[] = [];
    for (const [at, group] of groups.entries()) {
      const { type, day } = group[0]!;
      const rows = (await tables.rows(type, day, day))?.get(day) ?? null;
      const one = ofOneFormat(group, config.archiveFormat);
      const definition = definitions.get(type);
      const accepted = ledger.get(`${type} ${day}`) ?? null;
      days.push(await dayOf(one, { ...comparing, tables, definition, rows, accepted }));
      progress.at(at + 1, groups.length);
    }
    progress.end();
    return days;
  });

interface DayBooks extends Comparing {
  readonly tables: ArchivedDays;
  readonly definition: TableDefinition | undefined;
  readonly rows: number | null;
  readonly accepted: number | null;
}

async function dayOf(files: readonly ArchivedFile[], books: DayBooks): Promise<VerifiedDay> {
  const { type, day } = files[0]!;
  const { rows, accepted, definition, tables } = books;
  const archived = sumOf(files, 'rows');
  const isOpen = Date.now() < Date.parse(`${day}T00:00Z`) + 86_400_000 + 2_000 * books.config.archiveFileSeconds;
  const same = { type, day, archived, events: null, rows, accepted, missing: 0, absent: 0, examples: [] };
  if (rows === archived) return { ...same, is: isOpen ? 'open' : 'whole' };
  if (definition === undefined || rows === null) return { ...same, absent: archived, is: isOpen ? 'open' : 'differs' };
  const events = new Set<string>();
  const formats = books.wiring.formatsOf(books.config);
  for (const file of files)
    for await (const chunk of readArchived(books.store, formats, file, definition))
      for (const id of idsIn(chunk)) events.add(id);
  const missing: string[] = [];
  const seen = new Set<string>();
  for await (const ids of tables.ids(type, day)) for (const id of ids) events.has(id) ? seen.add(id) : missing.push(id);
  const absent = await absentOf(
    [...events].filter(id => !seen.has(id)),
    type,
    tables,
  );
  return {
    ...same,
    events: events.size,
    missing: missing.length,
    absent: absent.length,
    examples: [...missing, ...absent].slice(0, examplesMax),
    is: isOpen ? 'open' : missing.length + absent.length === 0 ? 'whole' : 'differs',
  };
}

/** An event that lies in the log on two days is a row of one of them. */
async function absentOf(ids: readonly string[], type: string, tables: ArchivedDays): Promise<string[]> {
  const absent: string[] = [];
  for (let at = 0; at < ids.length; at += 10_000) {
    const some = ids.slice(at, at + 10_000);
    const present = await tables.present(type, some);
    absent.push(...some.filter(id => !present.has(id)));
  }
  return absent;
}

const idsIn = (chunk: Uint8Array): string[] =>
  [
    ...Buffer.from(chunk)
      .toString()
      .matchAll(/^\{"event_id":"([0-9a-f-]{36})"/gm),
  ].map(([, id]) => id!);

/** By type and day; nothing where no ledger is kept. */
async function acceptedBy(
  ledger: ReturnType<typeof ledgerIn>,
  groups: readonly (readonly ArchivedFile[])[],
): Promise<ReadonlyMap<string, number>> {
  const accepted = new Map<string, number>();
  const days = groups.map(([file]) => file!.day).toSorted();
  if (days.length === 0) return accepted;
  const minuteOf = (day: string, plusDays: number): number =>
    (Date.parse(`${day}T00:00Z`) + plusDays * 86_400_000) / 60_000;
  const span = { from: minuteOf(days[0]!, 0), to: minuteOf(days.at(-1)!, 1) };
  for (const { type, minute, accepted: more } of await ledger.minutes(span).catch(() => [])) {
    const key = `${type} ${new Date(minute * 60_000).toISOString().slice(0, 10)}`;
    accepted.set(key, (accepted.get(key) ?? 0) + more);
  }
  return accepted;
}

interface Verified {
  readonly files: readonly ArchivedFile[];
  readonly problems: readonly string[];
  readonly days: readonly VerifiedDay[];
  readonly log: LogBooks | null;
  readonly closes: boolean;
}

function textOf({ files, problems, days, log, closes }: Verified): string {
  const shown = (number: number | null): string | number => number ?? '–';
  const rows = days.map(each => [
    each.type,
    each.day,
    each.archived,
    shown(each.events),
    shown(each.accepted),
    shown(each.rows),
    each.missing,
    each.absent,
    each.is === 'open' ? 'not over yet' : each.is,
    each.examples[0] ?? '',
  ]);
  const head = ['type', 'day', 'archived', 'events', 'accepted', 'rows', 'missing', 'absent', 'is', 'for example'];
  const parts = [
    `${files.length} files, ${sumOf(files, 'bytes')} bytes\n`,
    ...(rows.length === 0 ? [] : [table(head, rows)]),
    ...(log === null ? [] : [`${log.words}\n`]),
    ...problems.map(problem => `! ${problem}\n`),
    closes ? 'The archive is whole.\n' : 'The archive is not whole, or the tables are not: see above.\n',
  ];
  return parts.join('\n');
}
