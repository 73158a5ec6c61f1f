// The cold store in S3 against servers that answer as no good one does.

import { afterEach, describe, expect, test } from 'bun:test';
import { placeOf, type S3Options } from '../../../src/adapters/s3/options.ts';
import { s3Store } from '../../../src/adapters/s3/store.ts';
import { PipelineError } from '../../../src/errors.ts';

type Answer = (request: Request, body: Uint8Array) => Response | Promise<Response>;

let server: Bun.Server<undefined> | null = null;
afterEach(() => server?.stop(true));

const base: S3Options = {
  url: 's3://bucket/prefix',
  endpoint: '',
  region: 'eu-west-1',
  accessKey: 'key',
  secretKey: 'secret',
  sessionToken: '',
  addressing: 'auto',
  isSingleWriter: false,
  timeoutMs: 10_000,
};

function storeOf(answer: Answer, others: Partial<S3Options> = {}) {
  server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async request => answer(request, await request.bytes()),
  });
  return s3Store({ ...base, endpoint: `http://127.0.0.1:${server.port}`, ...others });
}

const failed = async (promise: Promise<unknown>): Promise<PipelineError> => {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(PipelineError);
  return error as PipelineError;
};

const refusal = (status: number, code: string, headers: Record<string, string> = {}): Response =>
  new Response(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>words</Message></Error>`, { status, headers });

/** Keeps objects, and any condition or none. */
function memoryServer(doesKeep: boolean): Answer & { readonly objects: Map<string, Uint8Array> } {
  const objects = new Map<string, Uint8Array>();
  const answer: Answer = (request, body) => {
    const { pathname } = new URL(request.url);
    const found = objects.get(pathname);
    if (request.method === 'PUT') {
      if (doesKeep && request.headers.get('if-none-match') === '*' && found) return refusal(412, 'PreconditionFailed');
      objects.set(pathname, body);
      return new Response();
    }
    if (request.method === 'DELETE') return new Response(null, { status: objects.delete(pathname) ? 204 : 204 });
    if (new URL(request.url).searchParams.has('list-type'))
      return new Response('<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>');
    return found ? new Response(found as Uint8Array<ArrayBuffer>) : refusal(404, 'NoSuchKey');
  };
  return Object.assign(answer, { objects });
}

describe('where a bucket is', () => {
  const at = (others: Partial<S3Options>): string => placeOf({ ...base, ...others }).base;

  test('is in its host at AWS, and in the path elsewhere, unless it is said', () => {
    expect(at({})).toBe('https://bucket.s3.eu-west-1.amazonaws.com');
    expect(at({ url: 's3://dotted.bucket' })).toBe('https://s3.eu-west-1.amazonaws.com/dotted.bucket');
    expect(at({ endpoint: 'https://minio:9000/' })).toBe('https://minio:9000/bucket');
    expect(at({ endpoint: 'https://minio:9000', addressing: 'host' })).toBe('https://bucket.minio:9000');
    expect(at({ addressing: 'path' })).toBe('https://s3.eu-west-1.amazonaws.com/bucket');
  });

  test('and its prefix', () => {
    const prefixOf = (url: string): string => placeOf({ ...base, url }).prefix;
    expect(['s3://b', 's3://b/', 's3://b/a', 's3://b/a/b/'].map(prefixOf)).toEqual(['', '', 'a/', 'a/b/']);
  });
});

describe('a server without If-None-Match', () => {
  test('is refused at the start, and nothing is left there', async () => {
    const answer = memoryServer(false);
    const { code, message } = await failed(storeOf(answer).prepare());
    expect(code).toBe('archive_halted');
    expect(message).toContain('UGC_ARCHIVE_SINGLE_WRITER=true');
    expect(answer.objects.size).toBe(0);
  });

  test('is refused, too, where it says that it does not know it', async () => {
    const keeps = memoryServer(true);
    const answer: Answer = (request, body) =>
      request.headers.has('if-none-match') ? refusal(501, 'NotImplemented') : keeps(request, body);
    expect((await failed(storeOf(answer).prepare())).message).toContain('UGC_ARCHIVE_SINGLE_WRITER=true');
  });

  test('is taken where one process alone writes; what is there stays then, too', async () => {
    const answer = memoryServer(false);
    const store = storeOf(answer, { isSingleWriter: true });
    await store.prepare();
    expect(await store.create('a', Buffer.from('1'))).toBe(true);
    expect(await store.create('a', Buffer.from('2'))).toBe(false);
    expect(String(Buffer.from((await store.read('a'))!))).toBe('1');
  });
});

describe('an answer', () => {
  test('that another was in the way is no proof that there is a file: it is asked for, and sent again', async () => {
    const keeps = memoryServer(true);
    let conflicts = 2;
    const store = storeOf((request, body) =>
      request.method === 'PUT' && conflicts-- > 0 ? refusal(409, 'ConditionalRequestConflict') : keeps(request, body),
    );
    expect(await store.create('a', Buffer.from('1'))).toBe(true);
    expect(conflicts).toBe(-1);
    const never = storeOf(request =>
      request.method === 'PUT' ? refusal(409, 'ConditionalRequestConflict') : refusal(404, 'NoSuchKey'),
    );
    expect((await failed(never.create('a', Buffer.from('1')))).code).toBe('archive_unavailable');
  });

  test('that is lost is a rejection, and who asks again finds the file', async () => {
    const keeps = memoryServer(true);
    let isLost = true;
    const store = storeOf(async (request, body) => {
      const answer = await keeps(request, body);
      if (request.method !== 'PUT' || !isLost) return answer;
      isLost = false;
      return refusal(500, 'InternalError');
    });
    expect((await failed(store.create('a', Buffer.from('1')))).code).toBe('archive_unavailable');
    expect(await store.create('a', Buffer.from('1'))).toBe(false);
    expect(String(Buffer.from((await store.read('a'))!))).toBe('1');
  });

  test('that it cannot be done just now is no end of what may be asked again', async () => {
    const keeps = memoryServer(true);
    const refused: string[] = [];
    const store = storeOf((request, body) => {
      if (request.method === 'PUT' || refused.includes(request.method)) return keeps(request, body);
      refused.push(request.method);
      return refusal(503, 'SlowDown');
    });
    expect(await store.create('a', Buffer.from('1'))).toBe(true);
    expect(String(Buffer.from((await store.read('a'))!))).toBe('1');
    await store.remove('a');
    expect(refused).toEqual(['HEAD', 'GET', 'DELETE']);
  });

  test('of a server that never can is told after a few', async () => {
    let asked = 0;
    const store = storeOf(() => {
      asked++;
      return refusal(503, 'SlowDown');
    });
    expect((await failed(store.read('a'))).message).toContain('503 SlowDown');
    expect(asked).toBe(4);
  });

  test('of a server that fails once keeps no archive from starting', async () => {
    const keeps = memoryServer(true);
    let isFirst = true;
    const store = storeOf((request, body) => {
      if (request.method !== 'PUT' || !isFirst) return keeps(request, body);
      isFirst = false;
      return refusal(500, 'InternalError');
    });
    await store.prepare();
    expect(keeps.objects.size).toBe(0);
  });

  test('of another size than was sent is not believed', async () => {
    const keeps = memoryServer(true);
    const store = storeOf((request, body) => keeps(request, request.method === 'PUT' ? body.subarray(1) : body));
    const { code, message } = await failed(store.create('a', Buffer.from('123')));
    expect(code).toBe('archive_halted');
    expect(message).toContain('3 bytes were sent and taken, and 2 are there');
  });

  test('is said in the words of what to do', async () => {
    const said = async (answer: Response): Promise<string> => {
      const { status, headers } = answer;
      const text = await answer.text();
      const { code, message } = await failed(
        storeOf(() => new Response(text, { status, headers: new Headers([...headers]) })).read('a'),
      );
      server?.stop(true);
      return `${code}: ${message}`;
    };
    expect(await said(refusal(403, 'RequestTimeTooSkewed'))).toMatch(/^archive_halted: the clock of this machine/);
    expect(await said(refusal(403, 'AccessDenied'))).toMatch(/^archive_halted: .*s3:GetObject/);
    expect(await said(refusal(403, 'ExpiredToken'))).toMatch(/^archive_halted: UGC_ARCHIVE_SESSION_TOKEN/);
    expect(await said(refusal(301, 'PermanentRedirect', { 'x-amz-bucket-region': 'eu-central-1' }))).toMatch(
      /^archive_halted: .*UGC_ARCHIVE_REGION=eu-central-1/,
    );
    expect(await said(refusal(404, 'NoSuchBucket'))).toMatch(/^archive_halted: there is no such bucket/);
    expect(await said(refusal(507, 'XMinioStorageFull'))).toMatch(/^archive_halted: .*make room/);
    expect(await said(new Response('', { status: 507 }))).toMatch(/^archive_halted: .*make room/);
    expect(await said(refusal(503, 'SlowDown'))).toMatch(/^archive_unavailable: /);
    expect(await said(new Response('<html>gateway</html>', { status: 502 }))).toMatch(
      /^archive_unavailable: .*gateway/,
    );
  });

  test('in pages is read to its end, names unescaped, what consoles call folders left out', async () => {
    const page = (keys: readonly string[], next: string): Response =>
      new Response(
        `<ListBucketResult>${keys.map(key => `<Contents><Key>prefix/${key}</Key><Size>3</Size><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>`).join('')}<IsTruncated>${next !== ''}</IsTruncated><NextContinuationToken>${next}</NextContinuationToken></ListBucketResult>`,
      );
    const store = storeOf(request => {
      const token = new URL(request.url).searchParams.get('continuation-token');
      return token === null ? page(['b&amp;c', 'a/'], 'to&#x2f;ken+') : page([token === 'to/ken+' ? 'a' : 'lost'], '');
    });
    expect(await store.list('')).toEqual([
      { path: 'a', bytes: 3 },
      { path: 'b&c', bytes: 3 },
    ]);
  });
});

test('a session token and the hash of the body are signed', async () => {
  let seen = new Headers();
  const store = storeOf(
    request => {
      if (request.method === 'PUT') seen = request.headers;
      return refusal(request.method === 'PUT' ? 412 : 404, 'X');
    },
    { sessionToken: 'session' },
  );
  expect(await store.create('a', new Uint8Array())).toBe(false);
  expect(seen.get('x-amz-security-token')).toBe('session');
  expect(seen.get('x-amz-content-sha256')).toStartWith('e3b0c442');
  for (const name of ['if-none-match', 'x-amz-content-sha256', 'x-amz-security-token', 'x-amz-checksum-sha256'])
    expect(seen.get('authorization')).toContain(name);
});
