// Keys, tokens and passwords of every place a client or an operator may show them: none stands in anything the binary
// prints, answers or keeps, in the finest log there is.

import { expect, test } from 'bun:test';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { exampleClick } from '../support/events.ts';
import { rawHttp } from '../support/raw-http.ts';
import { hmacTokenOf } from '../support/tokens.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';
import { soon } from '../support/until.ts';

const tokenSecret = 'a-secret-of-tokens-that-is-long-enough-to-count';
const event = { ...exampleClick, timestamp: new Date().toISOString() };
const good = JSON.stringify(event);
const bodies = [good, '{"event_type":', '[1,null,{"event_type":"click"}]', '', 'x'.repeat(3_000_000)];
const targets = [
  '/v1/events',
  '/v1/events/click',
  '/v1/events/nothing',
  '/nowhere',
  '/healthz/live',
  '/',
  '/v1/track',
  '/v1/batch',
];

/** Where a client may put it, and where it may put it by mistake. */
const headersWith = (secret: string): readonly Record<string, string>[] => [
  { authorization: `Bearer ${secret}` },
  { authorization: `Basic ${btoa(`${secret}:`)}` },
  { authorization: `Basic ${btoa(`:${secret}`)}` },
  { authorization: secret },
  { 'x-api-key': secret },
  { cookie: `key=${secret}` },
  { origin: 'https://elsewhere.example', 'x-api-key': secret },
];

/** Every text that shows it: as it is and as Basic has it. */
const spellingsOf = (secret: string): readonly string[] => [
  secret,
  secret.slice(-24),
  btoa(`${secret}:`).replace(/=+$/, '').slice(4, -4),
  btoa(`:${secret}`).replace(/=+$/, '').slice(4, -4),
];

/** What was answered, status, headers and body. */
async function ask(url: string, init: RequestInit): Promise<string> {
  const response = await fetch(url, { ...init, redirect: 'manual' });
  return `${response.status} ${JSON.stringify([...response.headers])} ${await response.text()}`;
}

async function showEverywhere(ugc: Ugc, secret: string): Promise<string[]> {
  const answers: string[] = [];
  const jsonType = { 'content-type': 'application/json' };
  for (const headers of headersWith(secret))
    for (const target of targets)
      for (const body of bodies)
        answers.push(await ask(ugc.url + target, { method: 'POST', headers: { ...jsonType, ...headers }, body }));
  for (const name of ['key', 'writeKey', 'token'])
    for (const target of [...targets, '/v1/pixel.gif'])
      for (const method of ['POST', 'GET', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'])
        answers.push(
          await ask(`${ugc.url}${target}?${name}=${secret}&event_type=click`, {
            method,
            ...((method === 'POST' || method === 'PUT') && { headers: jsonType, body: good }),
          }),
        );
  for (const target of ['/v1/track', '/v1/batch', '/v1/t'])
    for (const body of [
      { writeKey: secret, event: 'click', type: 'track', userId: 'a' },
      { writeKey: secret, batch: [{ type: 'track', event: 'click', userId: 'a' }, 1, null] },
    ])
      answers.push(await ask(ugc.url + target, { method: 'POST', headers: jsonType, body: JSON.stringify(body) }));
  // The one answer that says a key again, to who showed it: what SDKs in pages read their own from. A secret one has no
  // place there; of the others only the log must have nothing.
  for (const target of [`/v1/projects/${secret}/settings`, `/segment/v1/projects/${secret}/settings`]) {
    const told = await ask(ugc.url + target, {});
    const isForServers = secret.startsWith('ugc_sk_');
    expect(told).toMatch(isForServers ? /^400 / : /^200 .*no-store/);
    if (isForServers) answers.push(told);
  }
  for (const head of [
    [`GET /v1/events?key=${secret}\x01 HTTP/1.1`, 'Host: a'],
    ['POST /v1/events HTTP/1.1', 'Host: a', `Authorization: Bearer ${secret}\0`],
    ['POST /v1/events HTTP/1.1', 'Host: a', `X-Api-Key: ${secret}`, 'Content-Length: 1', 'Transfer-Encoding: chunked'],
  ]) {
    const exchange = await rawHttp(ugc.url, head);
    await soon(exchange.closed, 'the end of the connection');
    answers.push(exchange.received());
  }
  return answers;
}

/** Every file below, as text. */
function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).flatMap(name => {
    const path = join(folder, name);
    try {
      return statSync(path).isFile() ? [`${name}: ${readFileSync(path, 'latin1')}`] : [];
    } catch {
      return []; // merged or removed by the engine meanwhile
    }
  });
}

/** Where one of them stands, with some of what is around it, so that a failure says where. */
function found(texts: readonly string[], secrets: readonly string[]): string[] {
  return texts.flatMap(text =>
    secrets.flatMap(secret => {
      const at = text.indexOf(secret);
      return at < 0 ? [] : [text.slice(Math.max(0, at - 200), at + secret.length)];
    }),
  );
}

test('keys and tokens are in nothing that is printed, answered or kept, in the finest log there is', async () => {
  const dataDir = temporaryFolder();
  const add = async (...args: string[]) =>
    (await runUgc(['keys', 'add', ...args, `--data-dir=${dataDir}`])).stdout.trim();
  const keys = [await add('shop'), await add('back-end', '--kind=secret')];
  const inAnHour = Math.floor(Date.now() / 1000) + 3_600;
  const token = hmacTokenOf(tokenSecret, { sub: 'a', exp: inAnHour, scope: 'events:write' });
  const shown = [...keys, `${keys[0]!.slice(0, -3)}zzz`, token, `${token.slice(0, -3)}zzz`];
  const ugc = await startUgc({
    dataDir,
    flags: ['--auth=keys,jwt', '--log-level=debug', '--request-log=true'],
    env: { UGC_JWT_SECRET: tokenSecret },
  });
  expect(keys.every(key => /^ugc_[ps]k_\w{33}$/.test(key))).toBe(true);
  await eventually(
    async () => (await ask(`${ugc.url}/v1/events?key=${keys[0]}`, { method: 'POST', body: good })).startsWith('200'),
    { what: 'the key counts' },
  );
  const answers: string[] = [];
  for (const secret of shown) answers.push(...(await showEverywhere(ugc, secret)));
  for (const path of ['/metrics', '/openapi.json', '/healthz/live', '/healthz/ready', '/', '/apidocs'])
    answers.push(await ask(ugc.url + path, {}));
  expect(answers.filter(answer => answer.startsWith('200')).length).toBeGreaterThan(20);
  expect(answers.filter(answer => answer.startsWith('401')).length).toBeGreaterThan(20);
  await eventually(async () => (await ugc.query('SELECT 1 FROM ugc.click')).length > 0, { what: 'rows' });
  const listed = ['cmdline', 'status'].map(name => readFileSync(`/proc/${ugc.pid}/${name}`, 'utf8'));
  const kept = filesIn(dataDir);
  const secrets = [...shown.flatMap(spellingsOf), tokenSecret];
  expect(found([...answers, ...listed, ...kept], secrets)).toEqual([]);
  expect(await ugc.stop()).toBe(0);
  expect(ugc.output().length).toBeGreaterThan(1_000);
  expect(found([ugc.output(), ...filesIn(dataDir)], secrets)).toEqual([]);
}, 300_000);

test('secrets given as flags are said at the start, without their values', async () => {
  const flags = ['--role=ingest', '--auth=jwt', '--jwt-scopes=events:write', `--jwt-secret=${tokenSecret}`];
  const ugc = await startUgc({ dataDir: temporaryFolder(), flags });
  expect(ugc.output()).toContain(
    '--jwt-secret shows a secret to everybody who can list processes: set UGC_JWT_SECRET_FILE',
  );
  expect(ugc.output()).not.toContain(tokenSecret);
  expect(await ugc.stop()).toBe(0);
});
