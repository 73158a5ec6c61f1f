// The cold store in a real HDFS: what it keeps, whatever dies, and what it says of one that takes nothing.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { catalogue } from '../../schemas/catalogue.ts';
import type { WebHdfsOptions } from '../../src/adapters/webhdfs/options.ts';
import { webHdfsStore } from '../../src/adapters/webhdfs/store.ts';
import { readHoldings } from '../../src/archive/holdings.ts';
import { coldStoreContract } from '../contract/cold-store.contract.ts';
import { failureOf } from '../contract/sink.contract.ts';
import { playTargetChaos, type TargetFault } from '../support/archive-target-chaos.ts';
import { isWithoutHdfs, startHdfs, type TestHdfs, type TestNode } from '../support/hdfs.ts';
import { seeded } from '../support/random.ts';
import { seedsOf } from '../support/seeds.ts';
import { runUgc, startUgc, temporaryFolder } from '../support/ugc.ts';
import { eventually } from '../support/until.ts';

const exampleFilm = catalogue.find('film_closed')!.example;
const without = await isWithoutHdfs();
let hdfs: TestHdfs;
let roots = 0;

const options = (others: Partial<WebHdfsOptions> = {}): WebHdfsOptions => ({
  url: `webhdfs://${hdfs.host}/ugc/root-${++roots}`,
  user: hdfs.user,
  timeoutMs: 60_000,
  ...others,
});
const rootOf = ({ url }: WebHdfsOptions): string => url.replace(/^webhdfs:\/\/[^/]+/, '');

/** WebHDFS past the store. */
const ask = (method: string, path: string, op: string, user = hdfs.user): Promise<Response> =>
  fetch(`http://${hdfs.host}/webhdfs/v1${path}?op=${op}&user.name=${user}`, { method });

describe.skipIf(without)('HDFS', () => {
  beforeAll(async () => {
    hdfs = await startHdfs();
  });
  afterAll(() => hdfs?.stopForGood());

  coldStoreContract('HDFS', {
    open: async () => {
      const own = options();
      const [store, beside] = [webHdfsStore(own), webHdfsStore(own)];
      await store.prepare();
      return { store, beside, dispose: async () => {} };
    },
    largeBytes: 100_000_000,
  });

  test('leaves nothing in its folder of what is being written, and no list has it', async () => {
    const own = options();
    const store = webHdfsStore(own);
    await store.prepare();
    await store.create('a', Buffer.from('1'));
    await store.create('a', Buffer.from('2'));
    await Promise.all([store, webHdfsStore(own)].map(each => each.create('b', Buffer.from('1'))));
    const left = async () =>
      (
        (await (await ask('GET', `${rootOf(own)}/_ugc/tmp`, 'LISTSTATUS')).json()) as {
          FileStatuses: { FileStatus: { pathSuffix: string }[] };
        }
      ).FileStatuses.FileStatus;
    expect(await left()).toEqual([]);
    for (const name of ['old', 'young']) {
      await fetch(`http://${hdfs.host}/webhdfs/v1${rootOf(own)}/_ugc/tmp/${name}?op=CREATE&user.name=${hdfs.user}`, {
        method: 'PUT',
        body: 'half',
      });
    }
    expect((await ask('PUT', `${rootOf(own)}/_ugc/tmp/old`, 'SETTIMES&modificationtime=1')).status).toBe(200);
    expect((await store.list('')).map(({ path }) => path)).toEqual(['a', 'b']);
    await webHdfsStore(own).prepare();
    expect((await left()).map(({ pathSuffix }) => pathSuffix)).toEqual(['young']);
  });

  test('is one file for one of two processes', async () => {
    const own = options();
    const code = `const { webHdfsStore } = await import(${JSON.stringify(join(import.meta.dir, '../../src/adapters/webhdfs/store.ts'))});
      const store = webHdfsStore(JSON.parse(process.argv[1]));
      const made = [];
      for (let at = 0; at < 15; at++) made.push(await store.create('two/' + at, Buffer.from(String(process.pid))));
      console.log(JSON.stringify(made));`;
    const children = [1, 2].map(() =>
      Bun.spawn([process.execPath, '-e', code, JSON.stringify(own)], { stdout: 'pipe', stderr: 'inherit' }),
    );
    const said = await Promise.all(children.map(async child => JSON.parse(await new Response(child.stdout).text())));
    const [one, other] = said as [boolean[], boolean[]];
    expect(one.map((made, at) => made !== other[at])).toEqual(Array(15).fill(true));
  });

  test('makes its folders anew where somebody has removed them', async () => {
    const own = options();
    const store = webHdfsStore(own);
    await store.prepare();
    await store.create('deep/er/a', Buffer.from('1'));
    await ask('DELETE', rootOf(own), 'DELETE&recursive=true');
    // The first may find out, the next has to do it.
    const made = await eventually(() => store.create('deep/er/b', Buffer.from('1')));
    expect(made).toBe(true);
  });

  test('has what it has answered for, whatever kills either node', async () => {
    const store = webHdfsStore(options({ timeoutMs: 60_000 }));
    await store.prepare();
    const known = new Map<string, Buffer>();
    for (const node of [hdfs.data, hdfs.name]) {
      const before = known.size;
      const writing = Promise.allSettled(
        Array.from({ length: 8 }, async (_, at) => {
          const [path, bytes] = [`kill/${known.size}-${at}-${randomBytes(2).toString('hex')}`, randomBytes(300_000)];
          if (await store.create(path, bytes)) known.set(path, bytes);
        }),
      );
      // Some are made, the others are under way.
      await eventually(() => known.size > before);
      await node.kill();
      await writing;
      node.start();
      await hdfs.ready();
      for (const { bytes } of await store.list('kill')) expect(bytes).toBe(300_000);
      for (const [path, bytes] of known)
        expect(Buffer.compare((await eventually(() => store.read(path))) as Uint8Array, bytes)).toBe(0);
      expect(await store.create(`kill/after-${crypto.randomUUID()}`, randomBytes(300_000))).toBe(true);
    }
  });

  test('is given up when told so, and when it does not answer in time; then it goes on', async () => {
    const [store, patient] = [webHdfsStore(options({ timeoutMs: 2_000 })), webHdfsStore(options())];
    await patient.prepare();
    for (const node of [hdfs.name, hdfs.data]) {
      node.stop();
      try {
        expect((await failureOf(store.create('late', Buffer.from('1')))).code).toBe('archive_unavailable');
        const told = new AbortController();
        const failure = failureOf(patient.create('told', Buffer.from('1'), told.signal));
        told.abort();
        expect((await failure).code).toBe('archive_unavailable');
      } finally {
        node.cont();
      }
      await hdfs.ready();
      const again = `again-${node === hdfs.name}`;
      await eventually(
        async () => (await patient.create(again, Buffer.from('1'))) || (await patient.read(again)) !== null,
      );
    }
  });

  test('asks the other NameNode where one is not there', async () => {
    const own = options();
    const store = webHdfsStore({ ...own, url: own.url.replace('webhdfs://', 'webhdfs://127.0.0.1:1,') });
    await store.prepare();
    expect(await store.create('a', Buffer.from('1'))).toBe(true);
  });

  test('is archived into by the binary, and compacted: each event once, and nothing beside what the manifest names', async () => {
    const own = options();
    const cold = [`--archive-url=${own.url}`, `--archive-user=${own.user}`, '--archive-file-seconds=1'];
    const flags = ['--rejections-seconds=0', '--ledger=false', '--request-log=false', ...cold];
    const ugc = await startUgc({ dataDir: temporaryFolder(), flags });
    const store = webHdfsStore(own);
    const held = async () => (await readHoldings(store, new AbortController().signal)).files;
    const rowsIn = (files: readonly { readonly rows: number }[]) => files.reduce((sum, { rows }) => sum + rows, 0);
    const sent: string[] = [];
    for (let batch = 1; batch <= 3; batch++) {
      const events = Array.from({ length: 7 }, () => ({ ...exampleFilm, event_id: Bun.randomUUIDv7() }));
      expect((await ugc.post(events)).status).toBe(200);
      sent.push(...events.map(({ event_id: id }) => id));
      await eventually(async () => rowsIn(await held()) === sent.length, { what: 'it is archived' });
    }
    expect(await ugc.stop()).toBe(0);
    expect((await held()).length).toBe(3);
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
    const compact = () =>
      runUgc(['archive', 'compact', ...cold, `--to=${tomorrow}`, '--files-min=2', '--grace=0', '--json']);
    const [first, second] = [await compact(), await compact()];
    expect([first.code, second.code, JSON.parse(second.stdout).problems]).toEqual([0, 0, []]);
    const files = await held();
    expect([files.length, rowsIn(files)]).toEqual([1, sent.length]);
    const there = (await store.list('')).map(({ path }) => path).filter(path => !path.startsWith('_'));
    expect(there).toEqual(files.map(({ path }) => path));
    const restored = await runUgc(['archive', 'restore', '--stdout', ...cold]);
    const ids = restored.stdout.trim().split('\n').map(line => JSON.parse(line).event_id); // biome-ignore format: short
    expect(ids.toSorted()).toEqual(sent.toSorted());
    await store.close();
  }, 300_000);

  test('says in words what an operator has to do', async () => {
    const said = async (others: Partial<WebHdfsOptions>): Promise<string> => {
      const { code, message } = await failureOf(webHdfsStore(options(others)).prepare());
      return `${code} ${message}`;
    };
    const own = options();
    await webHdfsStore(own).prepare();
    expect(await said({ user: 'stranger' })).toMatch(/^archive_halted HDFS refuses UGC_ARCHIVE_USER/);
    expect(await said({ url: 'webhdfs://127.0.0.1:1/x' })).toMatch(/^archive_unavailable .*127\.0\.0\.1:1/);
    await hdfs.admin('-safemode', 'enter');
    try {
      expect(await said({})).toMatch(/^archive_(halted|unavailable) HDFS is in safe mode/);
    } finally {
      await hdfs.admin('-safemode', 'leave');
    }
    await hdfs.admin('-setQuota', '4', rootOf(own));
    const full = await failureOf(webHdfsStore(own).create('a/b/c/d/e/f', Buffer.from('1')));
    expect(`${full.code} ${full.message}`).toMatch(/^archive_halted the quota/);
    await hdfs.admin('-clrQuota', rootOf(own));
    await hdfs.admin('-setSpaceQuota', '1m', rootOf(own));
    const spaceless = await failureOf(webHdfsStore(own).create('a', randomBytes(2_000_000)));
    expect(`${spaceless.code} ${spaceless.message}`).toMatch(/^archive_halted the quota/);
  });

  test('waits for a DataNode, in words', async () => {
    const store = webHdfsStore(options({ timeoutMs: 60_000 }));
    await store.prepare();
    await hdfs.data.kill();
    const { code } = await failureOf(store.create('a', Buffer.from('1')));
    expect(code).toBe('archive_unavailable');
    await eventually(async () => {
      const { message } = await failureOf(store.create('b', Buffer.from('1')));
      return /no DataNode/.test(message);
    });
    hdfs.data.start();
    await hdfs.ready();
    await eventually(() => store.create('c', Buffer.from('1')).catch(() => false));
  });
});

const rounds = Number(process.env.UGC_TEST_TARGET_ROUNDS ?? 4);

describe.skipIf(without).each(seedsOf('hdfs chaos'))('HDFS whose nodes die and hang, seed %d', seed => {
  test('has in the manifest what the log has', async () => {
    const own = await startHdfs();
    const dies = (name: string, node: TestNode): TargetFault => ({
      name: `${name} killed`,
      begin: async () => {
        await node.kill();
        return async () => {
          node.start();
          await own.ready();
        };
      },
    });
    const hangs = (name: string, node: TestNode): TargetFault => ({
      name: `${name} hung`,
      begin: async () => {
        node.stop();
        return async () => node.cont();
      },
    });
    const [name, data] = [own.name, own.data];
    const faults = [dies('NameNode', name), dies('DataNode', data), hangs('NameNode', name), hangs('DataNode', data)];
    const target = { url: `webhdfs://${own.host}/chaos`, user: own.user, timeoutMs: 10_000 };
    try {
      await playTargetChaos({
        open: () => webHdfsStore(target),
        rounds,
        random: seeded(seed),
        lastsMsMax: 2_000,
        faults,
      });
    } finally {
      await own.stopForGood();
    }
  });
});
