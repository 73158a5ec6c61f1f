// The cold store in a real S3, and what it says of servers that it cannot use.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { S3Options } from '../../src/adapters/s3/options.ts';
import { s3Store } from '../../src/adapters/s3/store.ts';
import { playTargetChaos } from '../support/archive-target-chaos.ts';
import { authorityIn } from '../support/certificates.ts';
import { seeded } from '../support/random.ts';
import { isWithoutS3, startS3, type TestS3 } from '../support/s3.ts';
import { seedsOf } from '../support/seeds.ts';
import { smallDisk } from '../support/small-disk.ts';
import { tlsProxy } from '../support/tls-proxy.ts';
import { coldStoreContract } from './cold-store.contract.ts';
import { failureOf } from './sink.contract.ts';

const without = await isWithoutS3();
let server: TestS3;
let roots = 0;

const options = (others: Partial<S3Options> = {}, { bucket, endpoint, accessKey, secretKey } = server): S3Options => ({
  url: `s3://${bucket}/root-${++roots}`,
  endpoint,
  region: 'us-east-1',
  accessKey,
  secretKey,
  sessionToken: '',
  addressing: 'auto',
  isSingleWriter: false,
  timeoutMs: 60_000,
  ...others,
});

describe.skipIf(without)('S3', () => {
  beforeAll(async () => {
    server = await startS3();
  });
  afterAll(() => server?.stopForGood());

  coldStoreContract('S3', {
    open: async () => {
      const own = options();
      const [store, beside] = [s3Store(own), s3Store(own)];
      await store.prepare();
      return { store, beside, dispose: async () => {} };
    },
    largeBytes: 100_000_000,
  });

  test('is one file for one of many, a hundred times over, and through processes of their own', async () => {
    const own = options();
    const stores = Array.from({ length: 8 }, () => s3Store(own));
    for (let round = 0; round < 100; round++) {
      const made = await Promise.all(stores.map((store, at) => store.create(`race/${round}`, Buffer.alloc(500, at))));
      expect(made.filter(Boolean)).toHaveLength(1);
      expect((await stores[0]!.read(`race/${round}`))![0]).toBe(made.indexOf(true));
    }
    const code = `const { s3Store } = await import(${JSON.stringify(join(import.meta.dir, '../../src/adapters/s3/store.ts'))});
      const store = s3Store(JSON.parse(process.argv[1]));
      const made = [];
      for (let at = 0; at < 50; at++) made.push(await store.create('two/' + at, Buffer.from(String(process.pid))));
      console.log(JSON.stringify(made));`;
    const children = [1, 2].map(() =>
      Bun.spawn([process.execPath, '-e', code, JSON.stringify(own)], { stdout: 'pipe', stderr: 'inherit' }),
    );
    const [one, other] = (await Promise.all(
      children.map(async child => JSON.parse(await new Response(child.stdout).text())),
    )) as [boolean[], boolean[]];
    expect(one.map((made, at) => made !== other[at])).toEqual(Array(50).fill(true));
  });

  test('lists more than fit in one page', async () => {
    const store = s3Store(options());
    const paths = Array.from({ length: 1_050 }, (_, at) => `many/${String(at).padStart(5, '0')}`);
    for (let at = 0; at < paths.length; at += 50)
      await Promise.all(paths.slice(at, at + 50).map(path => store.create(path, Buffer.from('1'))));
    expect((await store.list('many')).map(({ path }) => path)).toEqual(paths);
  });

  test('has names that no path of files would have', async () => {
    const store = s3Store(options());
    const paths = ["a b+c&d=e'f(g)!h*~", '%2F%20', '日本/🎬.csv', '"<>\\^`{|}'];
    for (const path of paths) await store.create(path, Buffer.from(path));
    expect(new Set((await store.list('')).map(({ path }) => path))).toEqual(new Set(paths));
    for (const path of paths) expect(String(Buffer.from((await store.read(path))!))).toBe(path);
  });

  test('has what it has answered for, whatever kills it', async () => {
    const own = options();
    const store = s3Store(own);
    const known = new Map<string, Buffer>();
    for (let round = 0; round < 5; round++) {
      const writing = Promise.allSettled(
        Array.from({ length: 8 }, async (_, at) => {
          const [path, bytes] = [`kill/${round}-${at}`, randomBytes(300_000)];
          if (await store.create(path, bytes)) known.set(path, bytes);
        }),
      );
      await Promise.race([writing, Bun.sleep(5 + round * 15)]);
      await server.kill();
      await writing;
      await server.restart();
      for (const { path, bytes } of await store.list('kill')) {
        expect(bytes).toBe(300_000); // also of those nobody was told of
        if (known.has(path)) expect(Buffer.compare((await store.read(path))!, known.get(path)!)).toBe(0);
      }
      const names = new Set((await store.list('kill')).map(({ path }) => path));
      expect([...known.keys()].filter(path => !names.has(path))).toEqual([]);
    }
    expect(await store.create('kill/after', Buffer.from('1'))).toBe(true);
  });

  test('is given up when told so, and when it does not answer in time', async () => {
    const store = s3Store(options({ timeoutMs: 1_000 }));
    const patient = s3Store(options());
    server.stop();
    try {
      expect((await failureOf(store.create('late', Buffer.from('1')))).code).toBe('archive_unavailable');
      const told = new AbortController();
      const failure = failureOf(patient.create('told', Buffer.from('1'), told.signal));
      told.abort();
      expect((await failure).code).toBe('archive_unavailable');
      const closed = failureOf(patient.read('told'));
      await patient.close();
      expect((await closed).code).toBe('archive_unavailable');
    } finally {
      server.cont();
    }
  });

  test('says in words what an operator has to do', async () => {
    const said = async (others: Partial<S3Options>): Promise<string> => {
      const { code, message } = await failureOf(s3Store(options(others)).prepare());
      return `${code} ${message}`;
    };
    expect(await said({ accessKey: 'nobody' })).toMatch(/^archive_halted S3 does not know UGC_ARCHIVE_ACCESS_KEY/);
    expect(await said({ secretKey: 'wrong' })).toMatch(/^archive_halted .*UGC_ARCHIVE_SECRET_KEY/);
    expect(await said({ url: 's3://no-such-bucket/x' })).toMatch(/^archive_halted .*UGC_ARCHIVE_URL/);
    expect(await said({ endpoint: 'http://127.0.0.1:1' })).toMatch(/^archive_unavailable .*UGC_ARCHIVE_ENDPOINT/);
  });

  test('is reached over TLS by an authority of its own, and by no other', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ugc-s3-tls-'));
    const authority = authorityIn(folder);
    const proxy = await tlsProxy({ target: server.port, pair: authority.issue('s3') });
    const endpoint = `https://localhost:${proxy.port}`;
    try {
      const store = s3Store(options({ endpoint, ca: authority.pem }));
      await store.prepare();
      expect(await store.create('x', Buffer.from('1'))).toBe(true);
      const { code, message } = await failureOf(s3Store(options({ endpoint })).prepare());
      expect(code).toBe('archive_halted');
      expect(message).toContain('UGC_ARCHIVE_TLS_CA');
    } finally {
      await proxy.close();
      rmSync(folder, { recursive: true });
    }
  });
});

const rounds = Number(process.env.UGC_TEST_TARGET_ROUNDS ?? 15);

describe.skipIf(without).each(seedsOf('s3 chaos'))('S3 that dies, hangs and is full, seed %d', seed => {
  test('has in the manifest what the log has', async () => {
    const disk = smallDisk(64);
    const s3 = await startS3(disk === null ? {} : { data: join(disk.path, 'data') });
    const own = options({ timeoutMs: 10_000 }, s3);
    const filler = join(disk?.path ?? '', 'filler');
    try {
      await playTargetChaos({
        open: () => s3Store(own),
        rounds,
        random: seeded(seed),
        lastsMsMax: 1_000,
        faults: [
          { name: 'killed', begin: () => s3.kill().then(() => s3.restart) },
          {
            name: 'hung',
            begin: async () => {
              s3.stop();
              return async () => s3.cont();
            },
          },
          ...(disk === null
            ? []
            : [
                {
                  name: 'full',
                  begin: async () => {
                    try {
                      writeFileSync(filler, Buffer.alloc(80_000_000));
                    } catch {} // it is full then
                    return async () => rmSync(filler, { force: true });
                  },
                },
              ]),
          { name: 'whole', begin: async () => async () => {} },
        ],
      });
    } finally {
      await s3.stopForGood();
      disk?.unmount();
    }
  });
});
