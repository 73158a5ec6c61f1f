// The content store in PostgreSQL where the server, the way to it or another instance fails: what was answered is there,
// once; what could not be answered says so in its own code; everything is well again by itself.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { postgresContent } from '../../src/adapters/postgres/content.ts';
import { PipelineError } from '../../src/errors.ts';
import type { ContentStore } from '../../src/ports/content.ts';
import { authorityIn } from '../support/certificates.ts';
import { by, drained, leadOf, rules } from '../support/content.ts';
import { freePorts } from '../support/free-ports.ts';
import { isWithoutPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts';
import { randomOf } from '../support/random.ts';
import { tcpProxy } from '../support/tcp-proxy.ts';
import { eventually } from '../support/until.ts';

const open = (url: string, connectionsMax = 4, ca: string | null = null): ContentStore =>
  postgresContent({ url, ca, connectionsMax, viewing: rules });

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    error => (error instanceof PipelineError ? error.code : `${error}`),
  );

const through = (url: string, port: number): string => {
  const other = new URL(url);
  other.port = String(port);
  return other.href;
};

async function execute(url: string, ...statements: readonly string[]): Promise<readonly unknown[]> {
  const sql = new Bun.SQL(url, { max: 1, prepare: false });
  try {
    let rows: readonly unknown[] = [];
    for (const statement of statements) rows = await sql.unsafe(statement);
    return rows;
  } finally {
    await sql.close();
  }
}

/** Likes by many users until it is told to stop; a change that was not answered is sent again as it was. */
function liking(store: ContentStore, loops: number) {
  const acked = new Map<string, number>();
  const unclear = new Map<string, number>();
  let isOver = false;
  const run = async (loop: number): Promise<void> => {
    for (let at = 0; !isOver; at++) {
      const [user, film, vote] = [`u${loop}`, `f${at % 3}`, at % 2 === 0 ? 1 : -1] as const;
      const change = by(user);
      unclear.set(`${user} ${film}`, vote);
      for (;;) {
        try {
          await store.vote(film, vote, change);
          acked.set(`${user} ${film}`, vote);
          unclear.delete(`${user} ${film}`);
          break;
        } catch (error) {
          if (!(error instanceof PipelineError) || error.retry !== 'backoff') throw error;
          await Bun.sleep(10);
        }
      }
    }
  };
  const all = Promise.all(Array.from({ length: loops }, (_, loop) => run(loop)));
  return {
    acked,
    async end(): Promise<void> {
      isOver = true;
      await all;
    },
  };
}

/** State, counts and events say the same; every change has one event, in order. */
async function addsUp(store: ContentStore, acked: ReadonlyMap<string, number>): Promise<void> {
  const told = await drained(store);
  expect(new Set(told.map(({ eventId }) => eventId)).size).toBe(told.length);
  const last = new Map<string, { revision: number; value: number }>();
  for (const { userId, fields } of told) {
    const key = `${userId} ${fields.film_id}`;
    expect({ key, revision: fields.revision }).toEqual({ key, revision: (last.get(key)?.revision ?? 0) + 1 });
    last.set(key, { revision: Number(fields.revision), value: Number(fields.value) });
  }
  for (const [key, vote] of acked) {
    const [user = '', film = ''] = key.split(' ');
    expect({ key, vote: await store.voteOf(film, user), told: last.get(key)?.value }).toEqual({
      key,
      vote: vote as 1 | -1,
      told: vote,
    });
  }
  for (const film of ['f0', 'f1', 'f2']) {
    const of = (wanted: number) =>
      [...acked].filter(([key, vote]) => key.endsWith(` ${film}`) && vote === wanted).length;
    expect(await store.counts(film)).toMatchObject({ likes: of(1), dislikes: of(-1) });
  }
}

describe.skipIf(await isWithoutPostgres('own'))('the content store in PostgreSQL', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres({ settings: { max_connections: '60' } });
  });
  afterAll(() => postgres.stopForGood());

  test('killed and started again under load, and its connections cut: nothing acked is lost, nothing is done twice', async () => {
    const random = randomOf('postgres kills');
    const url = await postgres.freshDatabase();
    const proxy = await tcpProxy({ target: postgres.port, random: random.next });
    const store = open(through(url, proxy.port));
    await store.vote('f0', 1, by('first'));
    const load = liking(store, 16);
    for (let round = 0; round < 6; round++) {
      await Bun.sleep(random.between(50, 300));
      if (round % 3 === 0) {
        await postgres.kill();
        await postgres.restart();
      } else if (round % 3 === 1) {
        for (let cut = 0; cut < 5; cut++) {
          proxy.cut();
          await Bun.sleep(random.between(0, 20));
        }
      } else {
        await postgres.stop();
        await postgres.restart();
      }
      await eventually(() => store.counts('f0').then(() => true), { what: 'it answers again' });
    }
    await load.end();
    await eventually(() => store.problem() === null, { what: 'no problem is left' });
    load.acked.set('first f0', 1);
    await addsUp(store, load.acked);
    await store.close();
    await proxy.close();
  });

  test('an answer that is lost on its way is unknown, and the same change again is done once', async () => {
    const url = await postgres.freshDatabase();
    const proxy = await tcpProxy({ target: postgres.port, random: Math.random });
    const store = open(through(url, proxy.port), 1);
    const direct = open(url, 1);
    await store.postReview({ id: 'r1', filmId: 'f', rating: 5, text: 'x', state: 'approved' }, by('ann'));
    for (const edit of [{ rating: 6 }, { rating: 7 }, { rating: 8 }]) {
      const change = by('ann');
      const [like, rated] = [by('bob'), edit.rating];
      // The commit waits for a lock that is held from outside, so that its answer is sent when nobody is there to take it.
      const holder = new Bun.SQL(url, { max: 1, prepare: false });
      const locked = Promise.withResolvers<void>();
      const letGo = Promise.withResolvers<void>();
      const holding = holder.begin(async tx => {
        await tx.unsafe("SELECT 1 FROM content_reviews WHERE id = 'r1' FOR UPDATE");
        locked.resolve();
        await letGo.promise;
      });
      await locked.promise;
      const edited = codeOf(store.editReview('r1', { ...edit, text: 'y'.repeat(rated) }, change));
      await eventually(
        async () =>
          (
            await execute(
              url,
              "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%content_change_review%'",
            )
          ).length > 0,
        { what: 'the change waits for the lock' },
      );
      proxy.cut();
      expect(await edited).toBe('store_unknown');
      letGo.resolve();
      await holding;
      await holder.close();
      const again = await eventually(() => store.editReview('r1', { ...edit, text: 'y'.repeat(rated) }, change), {
        what: 'it is taken again',
      });
      expect(again).toMatchObject({ outcome: 'done', review: { rating: rated, revision: rated - 4 } });
      expect(await direct.vote('f', 1, like)).toMatchObject({ vote: 1 });
    }
    expect((await drained(direct)).filter(({ type }) => type === 'review_edited')).toHaveLength(3);
    await store.close();
    await direct.close();
    await proxy.close();
  });

  test('not there at the start: it says so, and works once it is there', async () => {
    const [port = 0] = await freePorts(1);
    const nowhere = open(`postgres://postgres@127.0.0.1:${port}/postgres`);
    expect(['store_unavailable', 'store_unknown']).toContain(await codeOf(nowhere.counts('f')));
    expect(nowhere.problem()).toBeString();
    await nowhere.close();

    const url = await postgres.freshDatabase();
    const proxy = await tcpProxy({ target: postgres.port, random: Math.random });
    proxy.refuse();
    const store = open(through(url, proxy.port));
    expect(await codeOf(store.vote('f', 1, by('ann')))).toBe('store_unavailable');
    expect(store.problem()).toBeString();
    const waiting = store.lead(AbortSignal.timeout(60_000));
    proxy.heal();
    await eventually(() => store.problem() === null, { what: 'the problem is gone, though nobody asks' });
    expect(await store.vote('f', 1, by('ann'))).toEqual({ vote: 1, revision: 1 });
    expect(await (await waiting)?.read(9)).toHaveLength(1);
    await store.close();
    await proxy.close();
  });

  test('a silent server costs the question that asks, not those after it', async () => {
    const url = await postgres.freshDatabase();
    const proxy = await tcpProxy({ target: postgres.port, random: Math.random });
    const store = open(through(url, proxy.port));
    await store.vote('f', 1, by('ann'));
    proxy.hang();
    expect(await codeOf(store.vote('f', -1, by('ann')))).toBe('store_unknown');
    expect(store.problem()).toBeString();
    proxy.heal();
    await eventually(() => store.vote('f', 0, by('ann')).then(() => true), { what: 'it answers again' });
    await store.close();
    await proxy.close();
  });

  test('a leader that was cut off is not it any more; another is, within seconds; nothing is taken out by both', async () => {
    const url = await postgres.freshDatabase();
    const proxy = await tcpProxy({ target: postgres.port, random: Math.random });
    const [cutOff, other] = [open(through(url, proxy.port)), open(url)];
    await other.vote('f', 1, by('ann'));
    const first = await leadOf(cutOff);
    const events = await first.read(9);
    expect(events).toHaveLength(1);
    const next = leadOf(other);
    proxy.hang(); // its session lives on at the server, silent
    const second = await next;
    expect(await Promise.race([first.lost, Promise.resolve(null)])).toBeString();
    expect(await codeOf(first.published(events))).toBe('store_unavailable');
    expect(await second.read(9)).toHaveLength(1);
    await second.published(events);
    expect(await second.read(9)).toEqual([]);
    proxy.heal();
    await Promise.all([cutOff.close(), other.close()]);
    await proxy.close();
  });

  test('a leader whose session is ended is followed by one, and by one alone', async () => {
    const url = await postgres.freshDatabase();
    const stores = Array.from({ length: 3 }, () => open(url, 2));
    const aborting = new AbortController();
    let leaders = 0;
    let elections = 0;
    const following = stores.map(async store => {
      for (;;) {
        const outbox = await store.lead(aborting.signal);
        if (outbox === null) return;
        elections++;
        leaders++;
        expect(leaders).toBe(1);
        const aborted = new Promise<string>(resolve => aborting.signal.addEventListener('abort', () => resolve('')));
        await Promise.race([outbox.lost, aborted]);
        leaders--;
        await outbox.close();
      }
    });
    for (let round = 1; round <= 4; round++) {
      await eventually(() => elections === round, { what: `leader ${round}` });
      await execute(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ugc content leader'",
      );
      await eventually(() => leaders === 0 || elections > round, { what: 'it is lost' });
    }
    aborting.abort();
    await Promise.all(following);
    await Promise.all(stores.map(store => store.close()));
  });

  test('counts are folded by the leader while they grow, and are the same at every moment', async () => {
    const url = await postgres.freshDatabase();
    const store = open(url);
    const outbox = await leadOf(store);
    for (let at = 1; at <= 300; at++) {
      await store.vote('hot', 1, by(`u${at}`));
      expect((await store.counts('hot')).likes).toBe(at);
    }
    await eventually(async () => (await execute(url, 'SELECT 1 FROM content_deltas LIMIT 1')).length === 0, {
      what: 'all is folded',
    });
    expect((await store.counts('hot')).likes).toBe(300);
    await outbox.close();
    await store.close();
  });

  test('a schema that is newer, or not ours, is refused in words; one that was dropped is made again', async () => {
    const url = await postgres.freshDatabase();
    const store = open(url);
    await store.vote('f', 1, by('ann'));
    await execute(url, "INSERT INTO content_migrations VALUES (99, 'later', '')");
    const older = open(url);
    expect(await codeOf(older.counts('f'))).toBe('store_halted');
    expect(older.problem()).toContain('newer ugc');
    await execute(
      url,
      'DELETE FROM content_migrations WHERE version = 99',
      "UPDATE content_migrations SET checksum = 'x' WHERE version = 1",
    );
    await eventually(() => older.problem()?.includes('migration 1') === true, { what: 'the other one is told of' });
    await execute(url, 'DROP SCHEMA public CASCADE', 'CREATE SCHEMA public');
    await eventually(() => older.vote('f', 1, by('ann')).then(() => true), { what: 'it is made anew' });
    expect(await codeOf(store.counts('f'))).toBe('done');
    await Promise.all([store.close(), older.close()]);
  });

  test('who may not come in is told that somebody has to do something', async () => {
    const missing = new URL(postgres.url);
    missing.pathname = '/nowhere';
    const store = open(missing.href);
    expect(await codeOf(store.counts('f'))).toBe('store_halted');
    expect(store.problem()).toContain('nowhere');
    await store.close();
    const url = await postgres.freshDatabase();
    const strict = open(url);
    expect(
      await codeOf(
        strict.postReview({ id: 'r', filmId: 'f', rating: 1, text: 'a\u0000b', state: 'approved' }, by('ann')),
      ),
    ).toBe('invalid');
    expect(strict.problem()).toBeNull();
    await strict.close();
  });
});

describe.skipIf(await isWithoutPostgres('own'))('the content store in PostgreSQL over TLS', () => {
  let folder: string;
  let postgres: TestPostgres;
  let plain: TestPostgres;
  let ca: string;
  let stranger: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ugc-postgres-tls-'));
    chmodSync(folder, 0o755);
    const authority = authorityIn(folder);
    const { cert, key } = authority.issue('server', { names: 'DNS:localhost' });
    ca = authority.pem;
    stranger = authorityIn(folder, 'stranger').pem;
    const ownKey = join(folder, 'server.key');
    copyFileSync(key, ownKey);
    chmodSync(ownKey, 0o600);
    if (userInfo().uid === 0) Bun.spawnSync(['chown', 'postgres', ownKey]);
    chmodSync(cert, 0o644);
    postgres = await startPostgres({
      isSynced: false,
      settings: { ssl: 'on', ssl_cert_file: cert, ssl_key_file: ownKey },
    });
    plain = await startPostgres({ isSynced: false });
  });
  afterAll(async () => {
    await postgres.stopForGood();
    await plain.stopForGood();
    rmSync(folder, { recursive: true });
  });

  const tries = (of: () => TestPostgres, mode: string, host: string, given: () => string | null, expected: RegExp) =>
    test(`sslmode=${mode} to ${host}: ${expected.source}`, async () => {
      const url = `postgres://postgres@${host}:${of().port}/postgres${mode === '' ? '' : `?sslmode=${mode}`}`;
      const store = open(url, 2, given());
      const outcome = await codeOf(store.counts('f'));
      const encrypted =
        outcome === 'done'
          ? await execute(
              postgres.url,
              "SELECT bool_and(ssl) AS ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'ugc content'",
            )
          : [];
      await store.close();
      expect(`${outcome} ${(encrypted[0] as { ssl: boolean | null } | undefined)?.ssl ?? ''}`).toMatch(expected);
    });

  tries(
    () => postgres,
    'disable',
    '127.0.0.1',
    () => null,
    /^done false$/,
  );
  tries(
    () => postgres,
    '',
    '127.0.0.1',
    () => null,
    /^done true$/,
  );
  tries(
    () => postgres,
    'require',
    '127.0.0.1',
    () => null,
    /^done true$/,
  );
  tries(
    () => postgres,
    'require',
    '127.0.0.1',
    () => stranger,
    /^store_/,
  );
  tries(
    () => postgres,
    'verify-ca',
    '127.0.0.1',
    () => ca,
    /^done true$/,
  );
  tries(
    () => postgres,
    'verify-ca',
    'localhost',
    () => stranger,
    /^store_/,
  );
  tries(
    () => postgres,
    'verify-full',
    'localhost',
    () => ca,
    /^done true$/,
  );
  tries(
    () => postgres,
    'verify-full',
    '127.0.0.1',
    () => ca,
    /^store_/,
  );
  tries(
    () => postgres,
    'verify-full',
    'localhost',
    () => null,
    /^store_/,
  );
  tries(
    () => plain,
    '',
    '127.0.0.1',
    () => null,
    /^done $/,
  );
  tries(
    () => plain,
    'require',
    '127.0.0.1',
    () => null,
    /^store_/,
  );
  tries(
    () => plain,
    'verify-full',
    'localhost',
    () => ca,
    /^store_/,
  );
});
