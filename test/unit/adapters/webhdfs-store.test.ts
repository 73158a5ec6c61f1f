// The cold store in HDFS against servers that answer as no good one does.

import { afterEach, describe, expect, test } from 'bun:test';
import { placeOf } from '../../../src/adapters/webhdfs/options.ts';
import { webHdfsStore } from '../../../src/adapters/webhdfs/store.ts';
import { PipelineError } from '../../../src/errors.ts';

interface Asked {
  readonly op: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Uint8Array;
  readonly self: string;
}
type Answer = (asked: Asked) => Response;

const servers: Bun.Server<undefined>[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop(true);
});

/** host:port */
function serve(answer: Answer): string {
  const server: Bun.Server<undefined> = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request): Promise<Response> => {
      const { pathname, searchParams: query } = new URL(request.url);
      const path = decodeURIComponent(pathname.replace('/webhdfs/v1', ''));
      const op = pathname.startsWith('/data/') ? 'DATA' : (query.get('op') ?? '');
      return answer({ op, path, query, body: await request.bytes(), self: `http://127.0.0.1:${server.port}` });
    },
  });
  servers.push(server);
  return `127.0.0.1:${server.port}`;
}

const storeOf = (hosts: string, user = 'ugc') =>
  webHdfsStore({ url: `webhdfs://${hosts}/root`, user, timeoutMs: 10_000 });

const refusal = (status: number, exception: string, message = 'words'): Response =>
  Response.json({ RemoteException: { exception, message } }, { status });

const failed = async (promise: Promise<unknown>): Promise<PipelineError> => {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(PipelineError);
  return error as PipelineError;
};

/** A small HDFS in memory; `HttpFS` says of a rename only whether it was done. */
function memoryServer({
  isHttpFs = false,
  replaces = false,
  cuts = 0,
} = {}): Answer & { files: Map<string, Uint8Array> } {
  const files = new Map<string, Uint8Array>();
  const missing = (): Response => refusal(404, 'FileNotFoundException');
  const located = (self: string, path: string, op: string): Response => {
    const location = `${self}/data${path}?of=${op}`;
    return isHttpFs
      ? new Response(null, { status: 307, headers: { location } })
      : Response.json({ Location: location });
  };
  const noFiles = { partialListing: { FileStatuses: { FileStatus: [] } }, remainingEntries: 0 };
  const answers: Readonly<Record<string, Answer>> = {
    MKDIRS: () => Response.json({ boolean: true }),
    CREATE: ({ self, path }) => located(self, path, 'CREATE'),
    OPEN: ({ self, path }) => (files.has(path) ? located(self, path, 'OPEN') : missing()),
    DATA({ path, query, body }) {
      const name = path.replace('/data', '');
      if (query.get('of') === 'OPEN') return new Response(files.get(name)! as Uint8Array<ArrayBuffer>);
      files.set(name, body.subarray(0, body.length - cuts));
      return new Response(null, { status: 201 });
    },
    LISTSTATUS_BATCH: () => Response.json({ DirectoryListing: noFiles }),
    DELETE: ({ path }) => Response.json({ boolean: files.delete(path) }),
    RENAME({ path, query }) {
      const to = query.get('destination')!;
      if (files.has(to) && !replaces)
        return isHttpFs ? Response.json({ boolean: false }) : refusal(403, 'FileAlreadyExistsException');
      files.set(to, files.get(path)!);
      files.delete(path);
      return isHttpFs ? Response.json({ boolean: true }) : new Response();
    },
    GETFILESTATUS({ path }) {
      const found = files.get(path);
      if (!found) return missing();
      return Response.json({ FileStatus: { type: 'FILE', length: found.length, modificationTime: 1 } });
    },
  };
  const answer: Answer = asked => answers[asked.op]!(asked);
  return Object.assign(answer, { files });
}

test('several hosts are one place', () => {
  expect(placeOf({ url: 'webhdfs://a:1,[::1]:2/x/y/' })).toEqual({
    title: 'webhdfs://a:1,[::1]:2/x/y',
    hosts: ['http://a:1', 'http://[::1]:2'],
    root: '/x/y',
  });
  expect(placeOf({ url: 'webhdfss://a:1/' })).toEqual({ title: 'webhdfss://a:1', hosts: ['https://a:1'], root: '' });
});

test.each([false, true])('a file is made once, also where HttpFS is in front (%p)', async isHttpFs => {
  const store = storeOf(serve(memoryServer({ isHttpFs })));
  await store.prepare();
  expect(await store.create('a', Buffer.from('1'))).toBe(true);
  expect(await store.create('a', Buffer.from('2'))).toBe(false);
  expect(String(Buffer.from((await store.read('a'))!))).toBe('1');
  expect(await store.read('b')).toBeNull();
});

test('what renames onto a file is refused at the start, and nothing is left there', async () => {
  const answer = memoryServer({ replaces: true });
  const { code, message } = await failed(storeOf(serve(answer)).prepare());
  expect(code).toBe('archive_halted');
  expect(message).toContain('renames a file onto another');
  expect([...answer.files.keys()]).toEqual([]);
});

test('an upload that ended short makes no file', async () => {
  const answer = memoryServer({ cuts: 1 });
  const store = storeOf(serve(answer));
  for (const size of [3, 2_000_000])
    expect((await failed(store.create('a', new Uint8Array(size)))).message).toContain('other bytes');
  expect([...answer.files.keys()]).toEqual([]);
});

describe('of several NameNodes', () => {
  const standby: Answer = () =>
    refusal(403, 'StandbyException', 'Operation category READ is not supported in state standby');

  test('the active one is found, and asked first from then on', async () => {
    let asked = 0;
    const hosts = [
      serve(one => {
        asked++;
        return standby(one);
      }),
      '127.0.0.1:1',
      serve(memoryServer()),
    ].join(',');
    const store = storeOf(hosts);
    expect(await store.create('a', Buffer.from('1'))).toBe(true);
    expect(asked).toBe(1);
  });

  test('none that is active is waited for', async () => {
    const { code, message } = await failed(storeOf([serve(standby), serve(standby)].join(',')).read('a'));
    expect(code).toBe('archive_unavailable');
    expect(message).toMatch(/^no NameNode is active: .*UGC_ARCHIVE_URL/);
  });

  test('another is not asked for what the first may have done', async () => {
    let renames = 0;
    const hides: Answer = () => {
      renames++;
      return refusal(500, 'RuntimeException');
    };
    const hosts = [serve(hides), serve(hides)].join(',');
    expect((await failed(storeOf(hosts).remove('a'))).code).toBe('archive_unavailable');
    expect(renames).toBe(1);
  });
});

test('what goes wrong is said in the words of what to do', async () => {
  const said = async (answer: () => Response): Promise<string> => {
    const { code, message } = await failed(storeOf(serve(answer)).read('a'));
    return `${code}: ${message}`;
  };
  const remote = (status: number, exception: string, message?: string) =>
    said(() => refusal(status, exception, message));
  expect(await remote(403, 'AccessControlException')).toMatch(/^archive_halted: HDFS refuses UGC_ARCHIVE_USER/);
  expect(await remote(403, 'DSQuotaExceededException')).toMatch(/^archive_halted: the quota/);
  expect(await remote(403, 'SafeModeException', 'Name node is in safe mode.')).toMatch(
    /^archive_unavailable: HDFS is in safe/,
  );
  expect(await remote(403, 'SafeModeException', 'It was turned on manually.')).toMatch(
    /^archive_halted: .*-safemode leave/,
  );
  expect(await remote(403, 'IOException', 'Failed to find datanode, suggest to check cluster health.')).toMatch(
    /^archive_unavailable: HDFS has no DataNode/,
  );
  expect(await remote(403, 'IOException', 'File /x could only be written to 0 of the 1 minReplication nodes.')).toMatch(
    /^archive_halted: no DataNode takes a block/,
  );
  expect(await said(() => new Response('<h1>Authentication required</h1>', { status: 401 }))).toMatch(
    /^archive_halted: .*Kerberos/,
  );
  expect(await said(() => new Response('It looks like you are making an HTTP request to a Hadoop IPC port.'))).toMatch(
    /^archive_unavailable: .*did not answer in JSON/,
  );
  expect(await said(() => Response.json({ Location: 'http://127.0.0.1:1/data' }))).toMatch(/dfs\.datanode\.hostname/);
});

test('no name is sent where none is set', async () => {
  const seen: (string | null)[] = [];
  const memory = memoryServer();
  const host = serve(asked => {
    if (asked.op !== 'DATA') seen.push(asked.query.get('user.name'));
    return memory(asked);
  });
  await storeOf(host, '').read('a');
  await storeOf(host, 'somebody').read('a');
  expect(seen).toEqual([null, 'somebody']);
});
