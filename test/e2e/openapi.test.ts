// The document the compiled binary serves, held to its word: every example in it is posted as it stands and accepted;
// the page over it names nothing that is not served here.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { catalogue } from '../../schemas/catalogue.ts';
import type { OpenApi } from '../../src/http/openapi.ts';
import { streamPath } from '../../src/tap/route.ts';
import { startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

let ugc: Ugc;
let api: OpenApi;
beforeAll(async () => {
  ugc = await startUgc({ dataDir: temporaryFolder(), flags: ['--request-log=false'] });
  api = (await (await fetch(`${ugc.url}/openapi.json`)).json()) as OpenApi;
});
afterAll(async () => {
  expect(await ugc.stop()).toBe(0);
});

interface Example {
  readonly path: string;
  readonly contentType: string;
  readonly body: string;
}

const examples = (): Example[] =>
  Object.entries(api.paths).flatMap(([path, { post }]) =>
    Object.entries(post?.requestBody?.content ?? {}).flatMap(([contentType, media]) =>
      Object.values(media.examples ?? {}).map(({ value }) => ({
        path,
        contentType,
        body: typeof value === 'string' ? value : JSON.stringify(value),
      })),
    ),
  );

test('every example is accepted as it stands, in every form', async () => {
  const all = examples();
  expect(all.length).toBeGreaterThan(catalogue.types.length * 7);
  for (const { path, contentType, body } of all) {
    const response = await fetch(ugc.url + path, { method: 'POST', headers: { 'content-type': contentType }, body });
    expect({ path, contentType, answer: await response.text(), status: response.status }).toMatchObject({
      status: 200,
    });
  }
});

test('and compressed, in every way it names', async () => {
  const { path, contentType, body } = examples()[0]!;
  const ways = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync, zstd: zstdCompressSync };
  for (const [encoding, compress] of Object.entries(ways)) {
    const headers = { 'content-type': contentType, 'content-encoding': encoding };
    const response = await fetch(ugc.url + path, { method: 'POST', headers, body: compress(body) });
    expect({ encoding, status: response.status }).toEqual({ encoding, status: 200 });
    expect(JSON.stringify(api)).toContain(encoding);
  }
});

test('every route that is only read answers as the document says', async () => {
  for (const [path, { get }] of Object.entries(api.paths)) {
    if (get === undefined || path.includes('{')) continue;
    const response = await fetch(ugc.url + path);
    expect({ path, status: response.status }).toEqual({ path, status: 200 });
    const { content } = get.responses['200'] as { content: Record<string, unknown> };
    expect(Object.keys(content)).toContain((response.headers.get('content-type') ?? '').split(';', 1)[0]!);
    if (path === streamPath) await response.body?.cancel();
    else await response.arrayBuffer();
  }
});

describe('the page', () => {
  /** Attributes that load or lead somewhere. */
  const named = (html: string): string[] => [...html.matchAll(/\b(?:src|href)="([^"]*)"/g)].map(found => found[1]!);

  test('names assets that are served here, and nothing of another host', async () => {
    const html = await (await fetch(`${ugc.url}/apidocs`)).text();
    const assets = named(html).filter(name => !name.startsWith('data:'));
    expect(assets.length).toBeGreaterThanOrEqual(4);
    for (const asset of assets) {
      expect(asset).toStartWith('/');
      expect(asset).not.toStartWith('//');
      const response = await fetch(ugc.url + asset);
      expect({ asset, status: response.status }).toEqual({ asset, status: 200 });
      expect((await response.text()).length).toBeGreaterThan(100);
    }
  });

  test('may talk to nobody but this server', async () => {
    for (const path of ['/apidocs', '/apidocs/start.js', '/apidocs/swagger-ui.css']) {
      const policy = (await fetch(ugc.url + path)).headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toMatch(/https?:|\*/);
    }
  });
});
