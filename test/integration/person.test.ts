// What the tables hold of a person, found and deleted: theirs alone, whatever copies of an event say.

import { describe, expect, test } from 'bun:test';
import { catalogue } from '../../schemas/catalogue.ts';
import { tableOf } from '../../schemas/table.ts';
import { type PersonIds, personIn } from '../../src/adapters/clickhouse/ask/person.ts';
import { erasingIn } from '../../src/adapters/clickhouse/write/erase.ts';
import { engineInTest } from '../support/engine-in-test.ts';

const own = engineInTest();
const { sql } = own;
const names = ['click', 'ordering', 'user_aliased'];
const user = 'u-1';
const id = (n: number): string => `0190a000-0000-7000-8000-${String(n).padStart(12, '0')}`;

interface Row {
  readonly n: number;
  readonly user?: string | null;
  readonly visitor?: string | null;
  /** The greater the later; of several copies the first counts. */
  readonly at?: number;
}

async function prepared(person: PersonIds) {
  const { db, client } = await own.prepared(names.map(name => tableOf(catalogue.find(name)!)));
  const found = personIn(client, db, person);
  const text = (value: string | null): string => (value === null ? 'NULL' : `'${value.replaceAll("'", "\\'")}'`);
  return {
    db,
    found,
    erasing: erasingIn({ client, database: db, cluster: '', person }),
    table: async (type: string) => (await found.tables()).find(one => one.type === type)!,
    /** A part a row, so that deleting goes through several. */
    async insert(rows: readonly Row[]) {
      for (const { n, user: of = null, visitor = null, at = 0 } of rows)
        await sql(`INSERT INTO ${db}.click_rows (event_id, event_type, received_at, timestamp, user_id, anonymous_id, page_url)
          VALUES ('${id(n)}', 'click', toDateTime64(1700000000 + ${at}, 3), now(), ${text(of)}, ${text(visitor)}, 'copy ${at}')`);
    },
    shown: async () =>
      (await sql(`SELECT toUInt32(substring(toString(event_id), 25)) AS n FROM ${db}.click ORDER BY n`))
        .split('\n')
        .filter(line => line !== '')
        .map(Number),
  };
}

const forgetAll = async ({ found, erasing }: Awaited<ReturnType<typeof prepared>>): Promise<void> => {
  for (const table of await found.tables()) {
    await erasing.events(table, await found.mixed(table));
    await erasing.rows(table);
  }
  await erasing.letters(await found.letters());
};

test('the rows of a person go, those of everybody else stay', async () => {
  const all = await prepared({ users: [user], visitors: ['a-1'] });
  await all.insert([
    { n: 1, user },
    { n: 2, user: 'u-2', visitor: 'a-1' },
    { n: 3, visitor: 'a-1' },
    { n: 4, user: '', visitor: 'a-1' },
    { n: 5, user, visitor: 'a-9' },
    { n: 6 },
    { n: 7, user: '' },
    { n: 8, user: 'U-1' },
    { n: 9, user: 'u-11' },
    { n: 10, user: "u-1' OR 1 = 1 --" },
  ]);
  await sql(`INSERT INTO ${all.db}.user_aliased_rows (event_id, event_type, user_id, previous_id) VALUES
    ('${id(1)}', 'user_aliased', 'u-3', '${user}'), ('${id(2)}', 'user_aliased', 'u-3', 'a-7')`);
  const click = await all.table('click');
  expect(await all.found.held(click)).toEqual({ rows: 4, copies: 4 });
  expect(await all.found.alsoKnownAs(click)).toEqual(['a-9']);
  expect((await all.found.ids(click)).length).toBe(4);
  expect(await all.found.rows(click, [id(1)])).toMatchObject([{ event_id: id(1), user_id: user }]);
  await forgetAll(all);
  await forgetAll(all);
  expect(await all.shown()).toEqual([2, 6, 7, 8, 9, 10]);
  expect(await all.found.held(click)).toEqual({ rows: 0, copies: 0 });
  expect(await sql(`SELECT previous_id FROM ${all.db}.user_aliased`)).toBe('a-7');
});

test('a user known by a number is found by its digits', async () => {
  const all = await prepared({ users: ['1234567'], visitors: [] });
  await sql(`INSERT INTO ${all.db}.ordering_rows (event_id, event_type, user_id) VALUES
    ('${id(1)}', 'ordering', 1234567), ('${id(2)}', 'ordering', 12345678), ('${id(3)}', 'ordering', 0)`);
  expect(await all.found.held(await all.table('ordering'))).toEqual({ rows: 1, copies: 1 });
  await forgetAll(all);
  expect(await sql(`SELECT user_id FROM ${all.db}.ordering ORDER BY user_id`)).toBe('0\n12345678');
});

test('no copy that was hidden comes to light, and a copy in the name of another takes nothing of theirs away', async () => {
  const all = await prepared({ users: [user], visitors: [] });
  await sql(`SYSTEM STOP MERGES ${all.db}.click_rows`); // they would leave one copy of each
  await all.insert([
    { n: 1, user, at: 1 },
    { n: 1, user: 'u-2', at: 2 },
    { n: 1, at: 3 },
    { n: 2, user: 'u-2', at: 1 },
    { n: 2, user, at: 2 },
    { n: 3, user, at: 1 },
    { n: 3, user, at: 2 },
  ]);
  const click = await all.table('click');
  expect(await all.found.mixed(click)).toEqual([id(1)]);
  await sql(`SYSTEM START MERGES ${all.db}.click_rows`);
  await forgetAll(all);
  expect(await all.shown()).toEqual([2]);
  expect(await sql(`SELECT user_id, page_url FROM ${all.db}.click`)).toBe('u-2\tcopy 1');
  expect(await all.found.held(click)).toEqual({ rows: 0, copies: 0 });
});

describe('dead letters', () => {
  const letters = [
    '{"event_type":"click","user_id":"u-1"',
    '{"user_id" : "u-11"}',
    '{"element":"u-1"}',
    '{"anonymousId":"u-1"}',
    'not JSON of 956939f6-7a98-4bf1-9949-500e5dd20fa0 at all',
  ];
  const insert = (db: string): Promise<string> =>
    sql(`INSERT INTO ${db}.dead_letters_rows (topic, partition, position, index, log, reason, detail, raw, recorded_at, failed_at)
      VALUES ${letters.map((raw, at) => `('it''s', 0, ${at}, 0, 'l', 'invalid', '', '${raw}', now64(), now64()), ('it''s', 0, ${at}, 0, 'l', 'invalid', '', '${raw}', now64(), now64() + 5)`).join(', ')}`);
  const left = async (db: string): Promise<string> =>
    sql(
      `SELECT arrayStringConcat(groupArray(toString(position)), ' ') FROM (SELECT position FROM ${db}.dead_letters ORDER BY position)`,
    );

  test('a short id counts where a field names a person', async () => {
    const all = await prepared({ users: [user], visitors: [] });
    await insert(all.db);
    expect((await all.found.letters()).map(({ position }) => position)).toEqual(['0', '3']);
    await forgetAll(all);
    expect(await left(all.db)).toBe('1 2 4');
  });

  test('a long one wherever it stands', async () => {
    const all = await prepared({ users: ['956939f6-7a98-4bf1-9949-500e5dd20fa0'], visitors: [] });
    await insert(all.db);
    await forgetAll(all);
    expect(await left(all.db)).toBe('0 1 2 3');
  });

  test('an id of signs that mean something to a pattern is itself', async () => {
    const all = await prepared({ users: ['.*'], visitors: [] });
    await insert(all.db);
    expect(await all.found.letters()).toEqual([]);
  });
});

test('what stays in ClickHouse of the deletion does not name the person', async () => {
  const all = await prepared({ users: ['somebody@example.com'], visitors: [] });
  await all.insert([{ n: 1, user: 'somebody@example.com' }]);
  await forgetAll(all);
  expect(await all.shown()).toEqual([]);
  const kept = await sql(`SELECT command FROM system.mutations WHERE database = '${all.db}'`);
  expect(kept).toContain('SHA256');
  expect(kept).not.toContain('somebody');
});
