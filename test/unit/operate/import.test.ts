// `ugc import` without its command: values by path, CSV in pieces, and what becomes of exports as others write them.

import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { catalogue } from '../../../schemas/catalogue.ts';
import { judgeOf } from '../../../src/catalogue/judge.ts';
import { readConfig } from '../../../src/config/read.ts';
import { csvReader } from '../../../src/operate/import-csv.ts';
import { type Imported, importRecord } from '../../../src/operate/import-event.ts';
import { formatOf, type ImportFormat, recordsOf } from '../../../src/operate/import-files.ts';
import { type Mapping, readMapping } from '../../../src/operate/import-mapping.ts';
import { type PresetName, presetNames, presets } from '../../../src/operate/import-presets.ts';
import { mappedValue, timeOf, valueAt } from '../../../src/operate/import-value.ts';
import { temporaryFolder } from '../../support/ugc.ts';

const fixtures = join(import.meta.dir, '../../fixtures/import');
const read = readConfig({ flags: [], env: {} });
if (!read.ok) throw new Error(read.problems.join('\n'));
const judge = judgeOf({ ...read.config, catalogue, eventAgeMaxDays: 200_000 });
const now = () => Date.UTC(2026, 10, 1);

const recordsIn = async (file: string, format: ImportFormat = formatOf(file, '')) =>
  (await Array.fromAsync(recordsOf(file, format))).flat();

const imported = async (file: string, mapping: Mapping): Promise<Imported[]> =>
  (await recordsIn(file)).map(({ value, spelling }) => importRecord(value, spelling, { mapping, judge, now }));

const told = (all: readonly Imported[]) =>
  all.map(one => (one.outcome === 'taken' ? JSON.parse(one.envelope.body) : one.outcome));

const fixture: Readonly<Record<PresetName, string>> = {
  posthog: 'posthog.jsonl',
  segment: 'segment.ndjson',
  snowplow: 'snowplow.csv',
};
const ofPreset = (name: PresetName) => imported(join(fixtures, fixture[name]), presets[name]);

describe('a preset', () => {
  test.each(presetNames)('%s is a mapping like one of a file', name => {
    expect(readMapping(JSON.stringify(presets[name]), name, catalogue)).toEqual(presets[name]);
  });

  test.each(presetNames)('%s makes the same ids each time, and of no two records the same', async name => {
    const ids = async () => (await ofPreset(name)).flatMap(one => (one.outcome === 'taken' ? [one.envelope.id] : []));
    const first = await ids();
    expect(first.length).toBeGreaterThanOrEqual(3);
    expect(new Set(first).size).toBe(first.length);
    expect(await ids()).toEqual(first);
  });

  test('posthog: views, clicks, what is no type of ours; a view without its address is rejected', async () => {
    const [view, click, custom, leave, without] = told(await ofPreset('posthog'));
    expect(view).toMatchObject({
      event_type: 'page_view',
      timestamp: '2023-05-01T12:00:00.123Z',
      received_at: '2023-05-01T12:00:03.500Z',
      source: 'ugc:import:posthog',
      user_id: null,
      anonymous_id: '018f3a5e-0000-7000-8000-00000000a001',
      country: 'DE',
      device: 'desktop',
      page_url: 'https://example.com/film/42',
      referrer_url: null,
    });
    expect(click).toMatchObject({ event_type: 'click', element: 'Play', user_id: 'user-7', device: 'mobile' });
    expect(custom).toMatchObject({ event_type: 'custom', name: 'trailer muted', properties: { title: 'Amélie 🎬' } });
    expect([leave, without]).toEqual(['skipped', 'rejected']);
  });

  test('segment: page, track, identify', async () => {
    const [page, track, identify, group] = told(await ofPreset('segment'));
    expect(page).toMatchObject({
      event_type: 'page_view',
      page_url: 'https://example.com/films/',
      referrer_url: 'https://example.com/start',
      country: 'United States',
      timestamp: '2022-12-10T04:08:31.905Z',
      received_at: '2022-12-10T04:08:31.909Z',
    });
    expect(track).toMatchObject({ event_type: 'custom', name: 'Trailer Played', user_id: '97980', device: 'ios' });
    expect(track).toMatchObject({ timestamp: '2022-12-10T04:08:59.000Z', properties: { seconds: 12.5 } });
    expect(identify).toMatchObject({ event_type: 'user_identified', traits: { plan: 'family' } });
    expect(group).toBe('skipped');
  });

  test('snowplow: times without a zone are UTC, objects lie in texts', async () => {
    const [view, struct, link, ping] = told(await ofPreset('snowplow'));
    expect(view).toMatchObject({
      event_type: 'page_view',
      page_url: 'https://example.com/?q=a,b',
      timestamp: '2021-10-29T11:42:29.500Z',
      received_at: '2021-10-29T11:42:30.123Z',
    });
    expect(struct).toMatchObject({ event_type: 'custom', name: 'volume' });
    expect(struct.properties).toEqual({ category: 'player', label: 'a "quoted"\nlabel', value: 0.5 });
    expect(link).toMatchObject({ event_type: 'click', element: 'play', page_url: 'https://example.com/' });
    expect(ping).toBe('skipped');
  });
});

test('the mapping in the documentation does what it says', async () => {
  const docs = await Bun.file(join(import.meta.dir, '../../../docs/operate/import.md')).text();
  const mapping = readMapping(/```json\n(.*?)```/s.exec(docs)?.[1] ?? '', 'import.md', catalogue);
  const record = {
    event: { id: 7, at: 1_700_000_000, kind: 'view' },
    url: 'https://example.com/',
    customer: 42,
    device: 'tv',
  };
  const [view, ping] = told(
    [record, { event: { kind: 'ping' } }].map(one => importRecord(one, JSON.stringify(one), { mapping, judge, now })),
  );
  expect(view).toMatchObject({ event_type: 'page_view', user_id: '42', country: 'DE', device: 'tv' });
  expect(view).toMatchObject({ timestamp: '2023-11-14T22:13:20.000Z', received_at: '2023-11-14T22:13:20.000Z' });
  expect(ping).toBe('skipped');
});

describe('a record', () => {
  const mapping: Mapping = {
    name: 'shop',
    time: { path: 'at', unit: 's' },
    type: 'kind',
    fields: { country: { constant: 'DE' }, device: { constant: '' } },
    types: { said: { type: 'custom', fields: { name: 'what' } } },
  };
  const one = (record: unknown, by = mapping) =>
    importRecord(record, JSON.stringify(record), { mapping: by, judge, now });

  test('without an id is told from others by what it says', () => {
    const [a, again, b] = [1, 1, 2].map(at => one({ kind: 'said', what: 'x', at }));
    if (a?.outcome !== 'taken' || again?.outcome !== 'taken' || b?.outcome !== 'taken') throw new Error('rejected');
    expect(again.envelope).toEqual(a.envelope);
    expect(b.envelope.id).not.toBe(a.envelope.id);
  });

  test('of another system with the same id is another event', () => {
    const withId = { ...mapping, id: 'id' };
    const record = { id: 1, kind: 'said', what: 'x', at: 1 };
    const ids = [withId, { ...withId, name: 'other' }].map(by => {
      const taken = one(record, by);
      return taken.outcome === 'taken' ? taken.envelope.id : taken;
    });
    expect(new Set(ids).size).toBe(2);
  });

  test('is new in the log, though it is old', () => {
    const taken = one({ kind: 'said', what: 'x', at: 1_000_000 });
    if (taken.outcome !== 'taken') throw new Error(JSON.stringify(taken));
    expect(taken.envelope.receivedAtMs).toBe(now());
    expect(JSON.parse(taken.envelope.body).received_at).toBe('1970-01-12T13:46:40.000Z');
  });

  test.each([
    ['an unmapped kind', { kind: 'other', at: 1 }, 'unmapped'],
    ['a name every object has', { kind: 'constructor', at: 1 }, 'unmapped'],
    ['no kind', { at: 1 }, 'unmapped'],
    ['no time', { kind: 'said', what: 'x' }, 'invalid'],
    ['a time that is none', { kind: 'said', what: 'x', at: 'yesterday' }, 'invalid'],
    ['the far future', { kind: 'said', what: 'x', at: 4_000_000_000 }, 'in_future'],
    ['a missing field', { kind: 'said', at: 1 }, 'invalid'],
    ['no object', [1], 'invalid'],
    ['null', null, 'invalid'],
  ])('with %s is rejected', (_, record, reason) => {
    expect(one(record)).toMatchObject({ outcome: 'rejected', reason });
  });
});

describe('a value', () => {
  test('is found by its path, in objects, in texts that hold them, under names with dots and beginnings of names', () => {
    const record = {
      a: { b: 1 },
      'a.c': 2,
      text: '{"x":{"y":"z"}}',
      unstruct_event_acme_1: { n: 3 },
      empty: '',
      no: null,
    };
    expect(valueAt(record, 'a.b')).toBe(1);
    expect(valueAt(record, 'a.c')).toBe(2);
    expect(valueAt(record, 'text.x.y')).toBe('z');
    expect(valueAt(record, 'unstruct_event_*.n')).toBe(3);
    expect(valueAt(record, ['empty', 'no', 'absent', 'a.b'])).toBe(1);
    expect(valueAt(record, ['constructor', '__proto__.x', 'a.b.c'])).toBeUndefined();
  });

  test('becomes what the mapping says', () => {
    const record = { n: '12', big: '9007199254740993', yes: 'TRUE', s: 1.5, word: 'no number' };
    expect(mappedValue(record, { path: 'n', as: 'integer' })).toBe(12);
    expect(mappedValue(record, { path: 'big', as: 'integer' })).toBe(9007199254740993n);
    expect(mappedValue(record, { path: 'yes', as: 'boolean' })).toBe(true);
    expect(mappedValue(record, { path: 's', times: 1000, as: 'integer' })).toBe(1500);
    expect(mappedValue(record, { path: 'word', as: 'number' })).toBe('no number');
    expect(mappedValue(record, { path: 'n', values: { 12: null } })).toBeNull();
    expect(mappedValue(record, { path: 'absent', default: 'd' })).toBe('d');
  });

  test.each([
    ['2021-10-29 11:42:30.123', '2021-10-29T11:42:30.123Z'],
    ['2021-10-29 11:42:30.123 UTC', '2021-10-29T11:42:30.123Z'],
    ['2021-10-29T11:42:30+02:00', '2021-10-29T11:42:30+02:00'],
    [new Date(5), '1970-01-01T00:00:00.005Z'],
    ['1700000000', 1_700_000_000],
    [5n, 5],
  ])('that is the time %p is read', (at, read) => {
    expect(timeOf({ at }, 'at')).toEqual(read);
  });
});

describe('a mapping is refused', () => {
  const good = { name: 'x', time: 't', type: 'k', types: { a: { type: 'custom', fields: { name: 'n' } } } };
  test.each([
    ['that is no JSON', '{', 'not JSON'],
    ['without a type', JSON.stringify({ ...good, type: undefined }), '/type'],
    ['with a word that is none', JSON.stringify({ ...good, tipe: 1 }), '/tipe'],
    ['of a type there is not', JSON.stringify({ ...good, types: { a: { type: 'clik', fields: {} } } }), 'clik'],
    ['of a field there is not', JSON.stringify({ ...good, fields: { nam: 'n' } }), 'nam'],
  ])('%s, with the place', (_, text, place) => {
    expect(() => readMapping(text, 'm.json', catalogue)).toThrow(place);
  });
});

describe('CSV', () => {
  const text = 'a,b\r\n"x, ""y""\r\nz",\n\n1,"2"\n,last';
  const rows = [
    ['a', 'b'],
    ['x, "y"\r\nz', ''],
    ['1', '2'],
    ['', 'last'],
  ];

  test('is the same rows however it comes in pieces', () => {
    for (let size = 1; size <= text.length; size++) {
      const reader = csvReader(1_000);
      const read: (readonly string[])[] = [];
      for (let at = 0; at < text.length; at += size) read.push(...reader.read(text.slice(at, at + size)));
      expect([size, ...read, ...reader.end()]).toEqual([size, ...rows]);
    }
  });

  test('that is broken is no rows', () => {
    expect(() => csvReader(1_000).read('"a"b,c\n')).toThrow('after its quote');
    expect(() => csvReader(10).read('"aaaaaaaaaaaaaaaa')).toThrow('not closed');
    const open = csvReader(1_000);
    open.read('a,"b');
    expect(() => open.end()).toThrow('not whole');
  });
});

describe('files', () => {
  const lines = '{"a":1}\n\n{"a":2\n{"a":3}';

  test.each([
    ['x.ndjson', (bytes: Buffer) => bytes],
    ['x.jsonl.gz', gzipSync],
    ['x.json.zst', zstdCompressSync],
    ['1670645311.abc.gz', gzipSync],
  ])('%s: a broken line is one record, and the next are read', async (name, pack) => {
    const file = join(temporaryFolder(), name);
    await Bun.write(file, pack(Buffer.from(lines)));
    const records = await recordsIn(file);
    expect(records.map(({ number, problem }) => [number, problem === null])).toEqual([
      [1, true],
      [3, false],
      [4, true],
    ]);
  });

  test('compressed ones that break off are an error', async () => {
    const file = join(temporaryFolder(), 'x.ndjson.gz');
    const packed = gzipSync(Buffer.from(`${JSON.stringify({ noise: Bun.randomUUIDv7().repeat(500) })}\n`));
    await Bun.write(file, packed.subarray(0, packed.length - 20));
    await expect(recordsIn(file)).rejects.toThrow();
  });

  test('Parquet is the records it holds, whole over its row groups', async () => {
    const file = join(temporaryFolder(), 'x.parquet');
    const rows = Array.from({ length: 25_000 }, (_, at) => `id-${at}`);
    const at = rows.map(() => new Date(1_700_000_000_000));
    const columnData = [
      { name: 'uuid', data: rows },
      { name: 'timestamp', data: at, type: 'TIMESTAMP' as const },
    ];
    await Bun.write(file, parquetWriteBuffer({ columnData, rowGroupSize: 12_000 }));
    const records = await recordsIn(file);
    expect(records.map(({ value }) => (value as { uuid: string }).uuid)).toEqual(rows);
    expect(timeOf(records.at(-1)?.value, 'timestamp')).toBe('2023-11-14T22:13:20.000Z');
  });

  test('of a name that says nothing are refused', () => {
    expect(() => formatOf('events.tsv', '')).toThrow('--format');
    expect(formatOf('events.tsv', 'csv')).toBe('csv');
  });
});
