// The archive's files in a real Hive: what it reads of them is what stands in the log, and what ClickHouse says of it, in
// numbers and in texts, whatever the time zone Hive runs in; days are pruned; a type that grows takes its old files along.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventType } from '../../schemas/event.ts';
import { hiveDdl } from '../../schemas/hive.ts';
import { tableOf } from '../../schemas/table.ts';
import { folderColdStore } from '../../src/adapters/cold-folder/store.ts';
import { csvFormat } from '../../src/adapters/csv/format.ts';
import { type HiveSession, openSession } from '../../src/adapters/hive/session.ts';
import { hiveTables } from '../../src/adapters/hive/tables.ts';
import { parquetFormat } from '../../src/adapters/parquet/format.ts';
import { compactArchive } from '../../src/archive/compactor.ts';
import { newsOf as newsOfPlaces, tellWhere } from '../../src/archive/generations.ts';
import { filePath } from '../../src/archive/layout.ts';
import { hashOf } from '../../src/archive/read-file.ts';
import { settleEntry } from '../../src/archive/records.ts';
import { startHiveTelling } from '../../src/archive/tell-hive.ts';
import { messageOf, PipelineError } from '../../src/errors.ts';
import type { HiveNews } from '../../src/ports/hive-tables.ts';
import type { RowFormat } from '../../src/ports/row-format.ts';
import type { Column, TableDefinition } from '../../src/ports/tables.ts';
import { writerOf } from '../../src/record/canonical.ts';
import { parseJson } from '../../src/record/json.ts';
import { type ArchivedDay, archivedDays, archivedTypes } from '../support/archived-days.ts';
import { engineInTest } from '../support/engine-in-test.ts';
import { everyKind } from '../support/every-kind.ts';
import { isWithoutHive, startHive, type TestHive } from '../support/hive.ts';
import { quietLogger } from '../support/quiet.ts';
import { randomOf } from '../support/random.ts';
import { eventually, temporaryFolder } from '../support/ugc.ts';

const isWithout = await isWithoutHive();
const local = engineInTest();
const random = randomOf('hive');
const { signal } = new AbortController();
const root = temporaryFolder();
const formats = { parquet: parquetFormat({ compression: 'snappy' }), csv: csvFormat() };
const zstd = parquetFormat({ compression: 'zstd' });
/** Of these all days and both formats are written and told; of the others days are fewer, in Parquet. */
const thorough = [
  everyKind,
  ...['film_progress', 'ordering', 'review_moderated'].map(name => archivedTypes.find(name)!),
];
const month = new Map<EventType, readonly ArchivedDay[]>(
  archivedTypes.types.map(type => {
    const size = thorough.includes(type) ? { days: 30, perDay: 8 } : { days: 3, perDay: 10 };
    return [type, archivedDays(type, { ...size, seed: random.between(0, 2 ** 31 - 1) })];
  }),
);

let hive: TestHive;
let session: HiveSession;

const urlOf = ({ host, port }: TestHive, database = 'ugc') => `hive2://test:any@${host}:${port}/${database}`;
const open = ({ host, port }: TestHive, plain: { user: string; password: string } | null) =>
  openSession({ host, port, user: 'test', plain, timeoutMs: 60_000, statementMsMax: 300_000 });

function write(format: RowFormat, definition: TableDefinition, { day, bodies }: ArchivedDay, folder = root): void {
  const path = join(folder, format.name, definition.type, `dt=${day}`);
  mkdirSync(path, { recursive: true });
  const file = format.encode(definition, [Buffer.from(bodies.map(body => `${body}\n`).join(''))]);
  writeFileSync(join(path, `${definition.type}-${crypto.randomUUID()}.${format.extension}`), file);
}

beforeAll(async () => {
  if (isWithout) return;
  for (const [type, days] of month)
    for (const [at, day] of days.entries()) {
      write(at % 2 === 0 ? formats.parquet : zstd, tableOf(type), day);
      if (thorough.includes(type)) write(formats.csv, tableOf(type), day);
    }
  // Not UTC: what Hive shows must not depend on where it runs. Names and passwords, as Hive is by itself.
  hive = await startHive({ timeZone: 'Asia/Kolkata', authentication: 'NONE' });
  session = await open(hive, { user: 'test', password: 'any' });
}, 600_000);
afterAll(async () => {
  await session?.close();
  await hive?.stopForGood();
  rmSync(root, { recursive: true, force: true });
});

/** A value as a body has it and as Hive says it, spelt alike. */
function alike({ type }: Column, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (/DateTime64/.test(type)) return new Date(String(value).replace(' ', 'T').replace(/Z?$/, 'Z')).toISOString();
  if (/Float64/.test(type)) return Number(value);
  if (/Array/.test(type)) return typeof value === 'string' ? JSON.parse(value) : value;
  return String(value);
}

const writeObject = writerOf({ kind: 'object' }, 128);

const bodyColumns = ({ columns }: TableDefinition, body: string): unknown[] => {
  const row = parseJson(body) as Record<string, unknown>;
  return columns.map(column => alike(column, column.isJson ? writeObject(row[column.name]) : row[column.name]));
};

const wantedOf = (definition: TableDefinition, days: readonly ArchivedDay[]): unknown[][] =>
  days
    .flatMap(({ bodies }) => bodies)
    .map(body => bodyColumns(definition, body))
    .toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));

async function inHive(definition: TableDefinition, view: string): Promise<unknown[][]> {
  const names = definition.columns.map(({ name }) => `\`${name}\``).join(', ');
  const rows = await session.run(`SELECT ${names} FROM ${view}`);
  return rows
    .map(row => row.map((value, at) => alike(definition.columns[at]!, value)))
    .toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
}

const newsOf = (type: EventType, format: 'parquet' | 'csv'): HiveNews => ({
  definition: tableOf(type),
  format,
  days: month.get(type)!.map(({ day }) => day),
});

describe.skipIf(isWithout)('a month of events of every type', () => {
  test('is in Hive once it was told of types and days, and telling it again changes nothing', async () => {
    const tables = hiveTables({ url: urlOf(hive), location: `file://${root}`, timeoutMs: 60_000 });
    const news = archivedTypes.types.map(type => newsOf(type, 'parquet'));
    await tables.tell(news);
    await tables.tell(news);
    await tables.close();
    const again = hiveTables({ url: urlOf(hive), location: `file://${root}`, timeoutMs: 60_000 });
    await again.tell(thorough.map(type => newsOf(type, 'parquet')));
    await again.close();
    const days = await session.run('SHOW PARTITIONS ugc.film_progress_parquet');
    expect(days).toHaveLength(30);
  }, 600_000);

  test('is told by several at once', async () => {
    const news = thorough.map(type => newsOf(type, 'parquet'));
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        const tables = hiveTables({ url: urlOf(hive, 'at_once'), location: `file://${root}`, timeoutMs: 60_000 });
        await tables.tell(news);
        await tables.close();
      }),
    );
    for (const { definition, days } of news)
      expect(await session.run(`SHOW PARTITIONS at_once.${definition.type}_parquet`)).toHaveLength(days.length);
  }, 600_000);

  for (const type of archivedTypes.types)
    test(`${type.name} reads in Hive as it stands in the log and in ClickHouse`, async () => {
      const definition = tableOf(type);
      const days = month.get(type)!;
      const wanted = wantedOf(definition, days);
      expect(await inHive(definition, `ugc.${type.name}`)).toEqual(wanted);
      const { db, sink } = await local.prepared([definition]);
      const chunks = [Buffer.from(days.flatMap(({ bodies }) => bodies.map(body => `${body}\n`)).join(''))];
      await sink.insert({ type: type.name, rows: wanted.length, chunks }, 'all', new AbortController().signal);
      const names = definition.columns.map(({ name }) => `\`${name}\``).join(', ');
      const rows = (await local.sql(`SELECT ${names} FROM ${db}.${type.name}_rows FORMAT JSONCompactEachRow`))
        .split('\n')
        .map(line => (parseJson(line) as unknown[]).map((value, at) => alike(definition.columns[at]!, value)))
        .toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
      expect(rows).toEqual(wanted);
    }, 120_000);

  test('numbers that stand for words say the words, days are pruned, and sums are those of ClickHouse', async () => {
    const plan = (
      await session.run("EXPLAIN DEPENDENCY SELECT * FROM ugc.film_progress WHERE dt = '2026-11-07'")
    ).join();
    expect(plan.match(/dt=2026-11-\d\d/g)).toEqual(['dt=2026-11-07']);
    const days = month.get(everyKind)!;
    const all = days.flatMap(({ bodies }) => bodies.map(body => JSON.parse(body) as Record<string, number>));
    const [row] = await session.run(
      "SELECT count(*), sum(a_byte), max(a_signed), sum(CASE WHEN a_number_of_words_name = '\"seven\"' THEN 1 ELSE 0 END) FROM ugc.every_kind WHERE dt < '2026-11-16' AND a_byte >= 0",
    );
    const half = all.filter(({ received_at }) => String(received_at) < '2026-11-16');
    expect(row?.map(Number)).toEqual([
      half.length,
      half.reduce((sum, body) => sum + body.a_byte!, 0),
      Math.max(...half.map(body => body.a_signed!)),
      half.filter(body => body.a_number_of_words === 7).length,
    ]);
  }, 300_000);
});

describe.skipIf(isWithout)('a Hive without SASL', () => {
  test('is told by a compiled binary', async () => {
    const bare = await startHive({ authentication: 'NOSASL' });
    try {
      const url = `${urlOf(bare, 'compiled')}?auth=noSasl`;
      const binary = join(root, '_tell');
      const source = join(import.meta.dir, '../support/hive-tell.ts');
      const built = Bun.spawnSync([process.execPath, 'build', '--compile', source, `--outfile=${binary}`]);
      expect([built.exitCode, built.exitCode === 0 ? '' : built.stderr.toString()]).toEqual([0, '']);
      const told = Bun.spawn([binary, url, `file://${root}`, 'film_progress', '2026-11-01'], { stderr: 'inherit' });
      expect([await told.exited, (await new Response(told.stdout).text()).trim()]).toEqual([0, 'told']);
      const own = await open(bare, null);
      expect(await own.run('SHOW PARTITIONS compiled.film_progress_parquet')).toEqual([['dt=2026-11-01']]);
      await own.close();
      // Spoken to in SASL it answers nothing, or closes.
      expect((await failing(urlOf(bare))).code).toBe('archive_unavailable');
    } finally {
      await bare.stopForGood();
    }
  }, 600_000);
});

describe.skipIf(isWithout)('CSV', () => {
  test('reads the same through its typed view, every awkward text included', async () => {
    const tables = hiveTables({ url: urlOf(hive, 'of_csv'), location: `file://${root}`, timeoutMs: 60_000 });
    await tables.tell(thorough.map(type => newsOf(type, 'csv')));
    await tables.close();
    for (const type of thorough)
      expect(await inHive(tableOf(type), `of_csv.${type.name}`)).toEqual(wantedOf(tableOf(type), month.get(type)!));
  }, 600_000);
});

describe.skipIf(isWithout)('a type that has grown', () => {
  for (const format of [formats.parquet, formats.csv])
    test(`takes its old ${format.name} files along`, async () => {
      const whole = tableOf(everyKind);
      const [before, after] = month.get(everyKind) as [ArchivedDay, ArchivedDay];
      const isNew = ({ name }: Column): boolean => name === 'a_list' || name === 'a_time_or_null';
      const small = { ...whole, type: 'grown', columns: whole.columns.filter(column => !isNew(column)) };
      // The new columns are the last of the type's own.
      const grown = { ...small, columns: small.columns.toSpliced(-1, 0, ...whole.columns.filter(isNew)) };
      const cut = (definition: TableDefinition, body: string): string => {
        const row = parseJson(body) as Record<string, unknown>;
        const parts = definition.columns.map(
          ({ name, isJson }) => `${JSON.stringify(name)}:${isJson ? '{}' : JSON.stringify(row[name], digits)}`,
        );
        return `{${parts.join(',')}}`;
      };
      const old = { day: before.day, bodies: before.bodies.map(body => cut(small, body)) };
      const fresh = { day: after.day, bodies: after.bodies.map(body => cut(grown, body)) };
      const database = `grown_${format.name}`;
      const tables = hiveTables({ url: urlOf(hive, database), location: `file://${root}`, timeoutMs: 60_000 });
      write(format, small, old);
      await tables.tell([{ definition: small, format: format.name, days: [old.day] }]);
      write(format, grown, fresh);
      await tables.tell([{ definition: grown, format: format.name, days: [fresh.day] }]);
      await tables.close();
      const wanted = [
        ...wantedOf(small, [old]).map(row => row.toSpliced(-1, 0, null, null)),
        ...wantedOf(grown, [fresh]),
      ];
      const found = await inHive(grown, `${database}.grown`);
      expect(found).toEqual(wanted.toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1)));
    }, 300_000);
});

describe.skipIf(isWithout)('days that were compacted', () => {
  for (const format of [formats.parquet, formats.csv])
    test(`are the same in Hive, before and after what was replaced is taken away: ${format.name}`, async () => {
      const definition = tableOf(everyKind);
      const folder = temporaryFolder();
      const store = folderColdStore(folder);
      await store.prepare();
      const days = month.get(everyKind)!.slice(0, 2);
      const database = `compacted_${format.name}`;
      const open = () => hiveTables({ url: urlOf(hive, database), location: `file://${folder}`, timeoutMs: 60_000 });
      const tables = open();
      let first = 0;
      const enter = async ({ day }: ArchivedDay, bodies: readonly string[]): Promise<void> => {
        const content = format.encode(definition, [Buffer.from(bodies.map(body => `${body}\n`).join(''))]);
        const chain = { topic: 't', log: 'a', partition: 0, first, last: first + bodies.length - 1 };
        const sha256 = hashOf(content);
        const path = filePath({ ...chain, format, type: definition.type, day, sha256 });
        await store.create(path, content);
        const [rows, bytes, receivedFromMs] = [bodies.length, content.length, Date.parse(`${day}T12:00Z`)];
        const of = { path, format: format.name, type: definition.type, version: definition.version ?? 1, day };
        const file = { ...of, rows, bytes, sha256, receivedFromMs, receivedToMs: receivedFromMs };
        const counts = { records: rows, dead: 0, missing: [], by: 'test', at: new Date().toISOString() };
        await settleEntry(store, { ...chain, formats: [format.name], ...counts, files: [file] }, signal);
        first += rows;
      };
      const compact = (graceMs: number) =>
        compactArchive({
          ...{ store, formats, graceMs, signal, now: Date.now, isWanted: () => true, filesMin: 2, isDry: false },
          ...{ definitionOf: () => definition, fileBytes: 2 ** 20 },
          tell: places =>
            tellWhere(
              tables,
              newsOfPlaces(places, [format.name], () => definition),
              store,
              signal,
            ),
        });
      const reads = async (wanted: readonly ArchivedDay[]): Promise<void> => {
        expect(await inHive(definition, `${database}.${definition.type}`)).toEqual(wantedOf(definition, wanted));
        const counts = await session.run(`SELECT dt, count(*) FROM ${database}.${definition.type} GROUP BY dt`);
        const numbers = wanted.map(({ day, bodies }) => [day, String(bodies.length)]);
        expect(counts.toSorted()).toEqual(numbers.toSorted());
      };
      const early = days.map(({ day, bodies }) => ({ day, bodies: bodies.slice(0, -1) }));
      for (const of of early) for (const body of of.bodies) await enter(of, [body]);
      await tables.tell([{ definition, format: format.name, days: days.map(({ day }) => day) }]);
      await reads(early);
      expect((await compact(60_000)).problems).toEqual([]);
      await reads(early);
      for (const of of days) await enter(of, of.bodies.slice(-1));
      // What came later is in Hive once it was compacted, too.
      await reads(early);
      expect((await compact(0)).removed.files).toBe(early.flatMap(({ bodies }) => bodies).length);
      await reads(days);
      const last = await compact(0);
      expect([last.waiting.files, last.problems]).toEqual([0, []]);
      await reads(days);
      // An archiver that starts anew tells all of it again, to a Hive that has forgotten it, too.
      await session.run(`DROP VIEW ${database}.${definition.type}`);
      await session.run(`DROP TABLE ${database}.${definition.type}_${format.name}`);
      const again = open();
      const telling = startHiveTelling({
        ...{ tables: again, store, formats: [format.name], types: () => [definition.type], logger: quietLogger },
        definitionOf: () => definition,
      });
      await eventually(
        async () => (await session.run(`SHOW PARTITIONS ${database}.${definition.type}_${format.name}`)).length === 2,
        { what: 'the days in Hive' },
      );
      await telling.stop();
      await reads(days);
      // It takes the folder of before for a day of its own, and refuses; nothing has changed by it.
      const repair = session.run(`MSCK REPAIR TABLE ${database}.${definition.type}_${format.name}`);
      expect(await repair.then(String, messageOf)).toContain('already exists');
      await reads(days);
      await tables.close();
    }, 600_000);
});

describe.skipIf(isWithout)('what ugc schema hive prints', () => {
  for (const format of ['parquet', 'csv'] as const)
    test(`may be run twice: ${format}`, async () => {
      for (let times = 0; times < 2; times++)
        for (const statement of hiveDdl(everyKind, format)
          // biome-ignore lint/suspicious/noTemplateCurlyInString: it is beeline's
          .replaceAll('${hivevar:location}', `file://${root}`)
          .split(/;\n|;$/))
          if (statement.trim() !== '') await session.run(statement.replace(/^--.*\n/, ''));
      expect(await inHive(tableOf(everyKind), 'ugc.every_kind')).toEqual(
        wantedOf(tableOf(everyKind), month.get(everyKind)!),
      );
    }, 300_000);
});

describe.skipIf(isWithout)('what does not work', () => {
  test('is said in words, without the password', async () => {
    const away = await failing('hive2://me:secret@127.0.0.1:1/ugc');
    expect([away.code, away.message]).toEqual(['archive_unavailable', expect.stringContaining('127.0.0.1:1/ugc')]);
    expect(away.message).not.toContain('secret');
    // It wants SASL.
    expect((await failing(`${urlOf(hive)}?auth=noSasl`)).code).toBe('archive_unavailable');
    const tables = hiveTables({ url: urlOf(hive), location: 'nosuch://x', timeoutMs: 60_000 });
    const refused = await tables
      .tell([{ ...newsOf(everyKind, 'parquet'), definition: { ...tableOf(everyKind), type: 'x' } }])
      .catch(error => error as PipelineError);
    expect([refused?.code, refused?.message]).toEqual(['archive_halted', expect.stringContaining('nosuch')]);
  }, 120_000);
});

async function failing(url: string): Promise<PipelineError> {
  const tables = hiveTables({ url, location: `file://${root}`, timeoutMs: 5_000 });
  const error = await tables.tell([newsOf(everyKind, 'parquet')]).catch(reason => reason as unknown);
  await tables.close();
  expect(error).toBeInstanceOf(PipelineError);
  return error as PipelineError;
}

function digits(_: string, value: unknown): unknown {
  const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };
  return typeof value === 'bigint' ? rawJSON(String(value)) : value;
}
