// The operator's port on damaged files. Two things hold whatever is hit: a file that verify calls sound gives every
// record, and nothing is read that was not written. And looking changes nothing.

import { Database } from 'bun:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBufferFile } from '../../src/adapters/disk/inspect/operator.ts';
import { openStore } from '../../src/adapters/disk/log/store.ts';
import { PipelineError } from '../../src/errors.ts';
import type { BufferDamage, BufferVerdict } from '../../src/ports/buffer-file.ts';
import { envelope } from '../support/buffer.ts';
import { type Random, randomOf } from '../support/random.ts';

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ugc-operator-damage-'));
  path = join(folder, 'buffer.sqlite');
});
afterEach(() => rmSync(folder, { recursive: true }));

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const pageBytes = 16_384;

/** A closed file of so many rows in two topics; gives back the bodies in it. */
function fill(random: Random, rows: number): string[] {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
  const store = openStore({ path, bytesMax: 2 ** 30, diskReserveBytes: 0 }, () => {});
  store.register('etl');
  const bodies: string[] = [];
  for (let row = 0; row < rows; row++) {
    const type = row % 2 === 0 ? 'click' : 'page_view';
    const group = Array.from({ length: random.between(1, 9) }, (_, n) =>
      envelope(`${row}/${n}`, type, 'z'.repeat(random.pick([10, 10, 200, 4000]))),
    );
    const ndjson = encoder.encode(group.map(({ body }) => `${body}\n`).join(''));
    const keys = JSON.stringify(group.map(({ key }) => key));
    store.append([{ topic: `ugc.${type}`, type, count: group.length, receivedAtMs: 1, keys, ndjson }]);
    bodies.push(...group.map(({ body }) => body));
  }
  store.close();
  return bodies;
}

interface Seen {
  readonly bodies: readonly string[];
  readonly damages: readonly BufferDamage[];
  readonly verdict: BufferVerdict;
}

function look(): Seen {
  const file = openBufferFile({ path, bytesMax: 2 ** 30, diskReserveBytes: 0 });
  try {
    const damages: BufferDamage[] = [];
    const bodies = [...file.records({}, damage => damages.push(damage))].map(({ body }) => decoder.decode(body));
    file.stat();
    return { bodies, damages, verdict: file.verify(() => {}) };
  } finally {
    file.close();
  }
}

function change(sql: string): void {
  const db = new Database(path);
  db.run(sql);
  db.run('PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
}

const secondRow = '(SELECT seq FROM runs ORDER BY seq LIMIT 1 OFFSET 1)';

describe('verify', () => {
  test('finds a sound file sound', () => {
    const bodies = fill(randomOf('sound'), 40);
    const { verdict } = look();
    expect(verdict).toMatchObject({ rows: 40, events: bodies.length, problems: [], problemCount: 0, quarantined: 0 });
  });

  const wrongs: Readonly<Record<string, readonly [sql: string, words: string]>> = {
    'a body': [
      `UPDATE runs SET ndjson = CAST(replace(ndjson, 'event_id', 'evenT_id') AS BLOB) WHERE seq = ${secondRow}`,
      'checksum',
    ],
    'an address': [`UPDATE runs SET topic = 'ugc.clicj' WHERE seq = ${secondRow}`, 'its address'],
    'a checksum of a record': [
      `UPDATE runs SET sums = zeroblob(length(sums)) WHERE seq = ${secondRow}`,
      'the checksums of its events are damaged',
    ],
    'the last position': ['UPDATE state SET last = last - 1', 'there is a row at'],
    'the counter, upwards': ['UPDATE state SET events = events + 5', '5 events are counted that lie in no row'],
    'the counter, downwards': ['UPDATE state SET events = events - 2', '2 events lie in rows and are not counted'],
    'a reader’s position': [
      "INSERT INTO readers VALUES ('etl', 'ugc.click', 9007199254740000)",
      'reader etl has passed 9007199254740000',
    ],
  };
  for (const [what, [sql, words]] of Object.entries(wrongs))
    test(`says that ${what} is damaged, and nothing else`, () => {
      fill(randomOf(what), 10);
      change(sql);
      const { verdict } = look();
      expect(verdict.problems.join('\n')).toContain(words);
      expect(verdict.problemCount).toBe(1);
    });

  test('counts the events lost with a destroyed page, and the rows around it are read', () => {
    const random = randomOf('destroyed page');
    let lost = 0;
    for (let round = 0; round < 30; round++) {
      const bodies = fill(random, 60);
      const file = readFileSync(path);
      // Leaves of a table begin with 13; the index and overflow pages have other marks.
      const leaves = Array.from({ length: file.length / pageBytes }, (_, n) => n * pageBytes).filter(
        at => at > 0 && file[at] === 13 && file.subarray(at, at + pageBytes).includes('event_id'),
      );
      const at = random.pick(leaves);
      file.fill(0xff, at, at + pageBytes);
      writeFileSync(path, file);
      const seen = look();
      expect(seen.verdict.problemCount).toBeGreaterThan(0);
      expect(new Set(seen.bodies).size).toBe(seen.bodies.length);
      expect(bodies).toEqual(expect.arrayContaining([...seen.bodies]));
      const missing = bodies.length - seen.verdict.events;
      const told = `${missing} events are counted that lie in no row`;
      if (missing > 0) expect(seen.verdict.problems.join('\n')).toContain(told);
      lost += missing;
      // Rows after the destroyed page are there to the last one.
      expect(seen.bodies.length).toBeGreaterThan(0);
      const row = Number(JSON.parse(seen.bodies.at(-1)!).event_id.split('/')[0]);
      const isLast = leaves.indexOf(at) === leaves.length - 1;
      if (!isLast) expect(row).toBe(59);
    }
    expect(lost).toBeGreaterThan(0);
  });
});

test('flipped bits anywhere: what verify calls sound is whole, nothing is invented, looking changes nothing', () => {
  const random = randomOf('operator, flips anywhere');
  let sound = 0;
  let refused = 0;
  for (let round = 0; round < 200; round++) {
    const bodies = fill(random, 20);
    const file = readFileSync(path);
    for (let flips = random.between(1, 3); flips > 0; flips--)
      file[random.between(100, file.length - 1)]! ^= 1 << random.between(0, 7);
    writeFileSync(path, file);
    let seen: Seen;
    try {
      seen = look();
    } catch (error) {
      expect(error).toBeInstanceOf(PipelineError);
      refused++;
      continue;
    } finally {
      expect(readFileSync(path).equals(file)).toBe(true);
    }
    expect(bodies).toEqual(expect.arrayContaining([...new Set(seen.bodies)]));
    const missing = bodies.length - new Set(seen.bodies).size;
    if (missing > 0) expect(seen.damages.length + seen.verdict.problemCount, 'missing in silence').toBeGreaterThan(0);
    if (seen.verdict.problemCount > 0) continue;
    expect(seen.bodies).toEqual(bodies);
    sound++;
  }
  console.log(`of 200 damaged files ${sound} were hit where nothing lies, ${refused} were refused as a whole`);
  expect(sound).toBeLessThan(200);
});

test('the bit that makes text of bytes, or bytes of text, costs nothing', () => {
  const bodies = fill(randomOf('types of values'), 6);
  change(`UPDATE runs SET ndjson = CAST(ndjson AS TEXT), sums = CAST(sums AS TEXT), keys = CAST(keys AS BLOB),
    type = CAST(type AS BLOB) WHERE seq = ${secondRow}`);
  expect(look().bodies).toEqual(bodies);
  const store = openStore({ path, bytesMax: 2 ** 30, diskReserveBytes: 0 }, () => {});
  const options = { cursors: {}, paused: new Set<string>(), bytesMax: 2 ** 20, after: '', withKeys: true };
  const read = store.read(options).batches.flatMap(({ ndjson }) => decoder.decode(ndjson).split('\n').slice(0, -1));
  expect(read.sort()).toEqual(bodies.sort());
  store.close();
});

test('a table beside the log that is gone keeps nobody from reading the log, and verify says which', () => {
  for (const [name, words] of [
    ['readers', 'the positions of the readers cannot be read'],
    ['state', 'the counters cannot be read'],
    ['quarantine', 'the quarantine cannot be read'],
  ] as const) {
    const bodies = fill(randomOf(name), 12);
    const db = new Database(path);
    const { page } = db.query(`SELECT rootpage AS page FROM sqlite_schema WHERE name = '${name}'`).get() as {
      page: number;
    };
    db.close();
    const file = readFileSync(path);
    file.fill(0xff, (page - 1) * pageBytes, page * pageBytes);
    writeFileSync(path, file);
    const reading = openBufferFile({ path, bytesMax: 2 ** 30, diskReserveBytes: 0 });
    expect([...reading.records({}, () => {})]).toHaveLength(bodies.length);
    expect(reading.verify(() => {}).problems.join('\n')).toContain(words);
    reading.close();
  }
});

test('a row whose own pages are gone costs itself: the others are read once, and the reading ends', () => {
  const complaints: string[] = [];
  const long = (id: string) => ({
    topic: 'ugc.click',
    type: 'click',
    count: 1,
    receivedAtMs: 1,
    keys: '[null]',
    ndjson: encoder.encode(`"${id}${'x'.repeat(60_000)}"\n`),
  });
  const first = openStore({ path, bytesMax: 2 ** 30, diskReserveBytes: 0 }, () => {});
  first.register('etl');
  for (const id of ['aaaa', 'bbbb', 'cccc']) first.append([long(id)]);
  first.close();
  // The middle of a body lies on pages of its own; each begins with the number of the next.
  const file = readFileSync(path);
  const starts = Array.from({ length: file.length / pageBytes }, (_, n) => n * pageBytes);
  const bodies = starts.filter(at => file.subarray(at + 4, at + pageBytes).every(byte => byte === 120));
  expect(bodies.length).toBeGreaterThan(3);
  file.fill(0xff, bodies[3]!, bodies[3]! + pageBytes);
  writeFileSync(path, file);
  expect(look().damages).toHaveLength(1);

  const store = openStore({ path, bytesMax: 2 ** 30, diskReserveBytes: 0 }, message => complaints.push(message));
  let cursors = store.register('etl');
  const read: string[] = [];
  for (let reads = 0, more = true; more; reads++) {
    expect(reads).toBeLessThan(20);
    const reading = store.read({ cursors, paused: new Set(), bytesMax: 2 ** 22, after: '', withKeys: false });
    ({ cursors, more } = reading);
    read.push(...reading.batches.map(({ ndjson }) => decoder.decode(ndjson.subarray(1, 5))));
  }
  store.close();
  expect(new Set(read).size).toBe(2);
  expect(complaints.join()).toContain('cannot be read');
});
