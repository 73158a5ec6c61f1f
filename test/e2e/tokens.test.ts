// Tokens in the compiled binary, of a real issuer in a process of its own: found by discovery, checked, rotated while
// events come in, and known on while it is away, also to a process that starts meanwhile.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exampleClick } from '../support/events.ts';
import { type Issuer, startIssuer } from '../support/oidc.ts';
import { hmacTokenOf, rsaKey, tokenOf } from '../support/tokens.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer.kill());

const flagsOf = ({ url }: Issuer) => ['--auth=keys,jwt', `--jwt-issuer=${url}`, '--jwt-audience=urn:ugc'];
const event = { ...exampleClick, timestamp: new Date().toISOString(), user_id: 'somebody else' };

async function post(ugc: Ugc, token: string | null, body: object = event) {
  const headers = { 'content-type': 'application/json', ...(token !== null && { authorization: `Bearer ${token}` }) };
  const response = await fetch(`${ugc.url}/v1/events`, { method: 'POST', headers, body: JSON.stringify(body) });
  const text = await response.text();
  return { status: response.status, text, headers: response.headers };
}
const statusOf = async (...asked: Parameters<typeof post>): Promise<number> => (await post(...asked)).status;

const readyDetail = async (ugc: Ugc): Promise<Record<string, string>> =>
  ((await (await fetch(`${ugc.url}/healthz/ready`)).json()) as { detail: Record<string, string> }).detail;

/** What a process prints, and what it keeps, holds no token and no part of one. */
function expectUntold(ugc: Ugc, tokens: readonly string[]): void {
  for (const token of tokens)
    for (const part of [token.split('.')[1]!, token.split('.')[2]!]) expect(ugc.output()).not.toContain(part);
}

test('a token lets in whom it names, for what its scopes say, beside API keys', async () => {
  const dataDir = temporaryFolder();
  const ugc = await startUgc({ dataDir, flags: flagsOf(issuer) });
  const token = await issuer.token();
  expect(await statusOf(ugc, token)).toBe(200);
  expect(await statusOf(ugc, token)).toBe(200);
  await eventually(async () => (await ugc.query('SELECT 1 FROM ugc.click')).length === 2, { what: 'two rows' });
  expect(await ugc.query('SELECT DISTINCT user_id, source FROM ugc.click')).toEqual([
    { user_id: 'shop', source: 'shop' },
  ]);

  const readOnly = await issuer.token('app', 'events:read');
  const refused = await post(ugc, readOnly);
  expect(refused.status).toBe(403);
  expect(refused.headers.get('www-authenticate')).toBe(
    'Bearer realm="ugc", error="insufficient_scope", scope="events:write"',
  );
  const receipt = (shown: string) =>
    fetch(`${ugc.url}/v1/receipts/0190a0b1-c2d3-7e4f-8a5b-000000000001`, {
      headers: { authorization: `Bearer ${shown}` },
    });
  expect((await receipt(readOnly)).status).toBe(404);
  expect((await receipt(await issuer.token('app', 'events:write'))).status).toBe(403);

  const changed = token.replace(/.{8}$/, 'AAAAAAAA');
  const wrong = await post(ugc, changed);
  expect({ status: wrong.status, asks: wrong.headers.get('www-authenticate') }).toEqual({
    status: 401,
    asks: 'Bearer realm="ugc", error="invalid_token", error_description="the token does not count: its signature is wrong"',
  });
  expect(await statusOf(ugc, null)).toBe(401);
  const { stdout: key } = await runUgc(['keys', 'add', 'web', `--data-dir=${dataDir}`]);
  await eventually(async () => (await statusOf(ugc, key.trim())) === 200, { what: 'a key counts beside tokens' });

  const document = await (await fetch(`${ugc.url}/openapi.json`)).text();
  expect(document).toContain('"bearerFormat":"JWT"');
  expectUntold(ugc, [token, readOnly, changed]);
  expect(await ugc.stop()).toBe(0);
});

test('keys change while events come in: no good token is refused for good, and what was acked is a row', async () => {
  const ugc = await startUgc({ dataDir: temporaryFolder(), flags: [...flagsOf(issuer), '--request-log=false'] });
  const acked = new Set<string>();
  const others = new Map<number, number>();
  const tokens: string[] = [];
  let isOver = false;
  /** Each takes a token of its own now and then, as clients do. */
  async function send(): Promise<void> {
    while (!isOver) {
      const token = await issuer.token();
      tokens.push(token);
      for (let times = 0; times < 20 && !isOver; times++) {
        const id = crypto.randomUUID();
        const { status, headers } = await post(ugc, token, { ...event, event_id: id });
        if (status === 200) acked.add(id);
        else {
          others.set(status, (others.get(status) ?? 0) + 1);
          expect(headers.get('retry-after')).toBe('5');
          await eventually(async () => (await statusOf(ugc, token, { ...event, event_id: id })) === 200, {
            what: 'the token counts once the keys may be loaded again',
            pauseMs: 200,
          });
          acked.add(id);
        }
      }
    }
  }
  const sending = Promise.all(Array.from({ length: 8 }, send));
  for (let rotations = 1; rotations <= 3; rotations++) {
    const before = acked.size;
    await eventually(() => acked.size > before + 300, { what: 'events are taken' });
    await issuer.rotate();
  }
  const after = acked.size;
  await eventually(() => acked.size > after + 300, { what: 'events are taken after the last change' });
  isOver = true;
  await sending;
  expect([...others.keys()].filter(status => status !== 503)).toEqual([]);
  const stored = async () =>
    new Set((await ugc.query<{ event_id: string }>('SELECT event_id FROM ugc.click')).map(({ event_id: id }) => id));
  await eventually(async () => (await stored()).size >= acked.size, { what: 'every event is a row' });
  const rows = await stored();
  expect([...acked].filter(id => !rows.has(id))).toEqual([]);
  expectUntold(ugc, tokens.slice(-20));
  expect(await ugc.stop()).toBe(0);
});

test('while the issuer is away its keys count on, over a restart; without any, senders are told to try again', async () => {
  const own = await startIssuer();
  const [dataDir, fresh] = [temporaryFolder(), temporaryFolder()];
  const first = await startUgc({ dataDir, flags: flagsOf(own) });
  const [used, unused, late] = [await own.token(), await own.token(), await own.token('app')];
  expect(await statusOf(first, used)).toBe(200);
  await own.kill();
  expect(await statusOf(first, used)).toBe(200);
  expect(await statusOf(first, unused)).toBe(200);
  expect(await first.stop()).toBe(0);

  const second = await startUgc({ dataDir, flags: flagsOf(own) });
  expect(await statusOf(second, late)).toBe(200);
  await eventually(async () => (await readyDetail(second)).jwt, { what: 'readiness says it' });
  expect((await readyDetail(second)).jwt).toMatch(
    /^the keys of http:.* cannot be loaded since \d{4}-.*; those of before still count$/,
  );

  const third = await startUgc({ dataDir: fresh, flags: flagsOf(own) });
  const answer = await post(third, used);
  expect({ status: answer.status, wait: answer.headers.get('retry-after') }).toEqual({ status: 503, wait: '5' });
  expect(answer.text).toContain('urn:ugc:problem:auth-unavailable');
  const back = await startIssuer(own.port); // with keys of its own
  const newest = await back.token();
  for (const ugc of [third, second])
    await eventually(async () => (await statusOf(ugc, newest)) === 200, { what: 'the issuer is back' });
  await eventually(async () => (await readyDetail(second)).jwt === undefined, { what: 'readiness is well again' });
  await eventually(async () => (await statusOf(second, used)) === 401, { what: 'what it has not any more is refused' });
  for (const ugc of [second, third]) {
    expectUntold(ugc, [used, unused, late, newest]);
    expect(await ugc.stop()).toBe(0);
  }
  await back.kill();
});

test('a given public key, and a secret, take tokens without an issuer', async () => {
  const rsa = rsaKey('a');
  const path = join(temporaryFolder(), 'key.pem');
  writeFileSync(path, String(rsa.publicKey.export({ type: 'spki', format: 'pem' })));
  const secret = 'a secret of thirty-two bytes or more';
  const claims = { sub: 'u1', exp: Date.now() / 1000 + 3_600 };
  const asked = [
    { env: { UGC_JWT_PUBLIC_KEY: path }, good: tokenOf(rsa, claims), bad: hmacTokenOf(secret, claims) },
    { env: { UGC_JWT_SECRET: secret }, good: hmacTokenOf(secret, claims), bad: tokenOf(rsa, claims) },
  ];
  for (const { env, good, bad } of asked) {
    const ugc = await startUgc({
      dataDir: temporaryFolder(),
      flags: ['--role=ingest', '--auth=jwt', '--jwt-scopes=events:write', '--jwt-user=reject'],
      env,
    });
    expect(await statusOf(ugc, good)).toBe(403);
    expect(await statusOf(ugc, good, { ...event, user_id: 'u1' })).toBe(200);
    expect(await statusOf(ugc, bad)).toBe(401);
    expect(ugc.output()).not.toContain(secret);
    expect(await ugc.stop()).toBe(0);
  }
});

test('a start with keys that cannot be used is refused in words', async () => {
  const run = (...flags: string[]) =>
    runUgc(['--role=ingest', '--port=0', `--data-dir=${temporaryFolder()}`, '--auth=jwt', ...flags]);
  expect(await run()).toMatchObject({ code: 2, stderr: expect.stringContaining('needs the keys of tokens') });
  expect(await run('--jwt-public-key=/nowhere.pem')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('UGC_JWT_PUBLIC_KEY: ENOENT'),
  });
});
