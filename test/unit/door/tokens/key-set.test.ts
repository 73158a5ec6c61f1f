// The keys of an issuer: loaded, kept, renewed for tokens of unknown keys, and never asked for too often.

import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { admitBy } from '../../../../src/door/admit.ts';
import { byToken } from '../../../../src/door/tokens/by-token.ts';
import { type KeySet, type LoadedKeysOptions, loadedKeys } from '../../../../src/door/tokens/key-set.ts';
import { arrivalOf } from '../../../../src/http/arrival.ts';
import { quietLogger } from '../../../support/quiet.ts';
import { ecKey, type TestKey, tokenOf } from '../../../support/tokens.ts';
import { temporaryFolder } from '../../../support/ugc.ts';
import { until } from '../../../support/until.ts';

const [first, second] = [ecKey('first'), ecKey('second')];
const day = 86_400_000;

let path: string;
let nowMs: number;
/** What the issuer answers, and how often it was asked. */
let answer: () => unknown;
let asked: number;
const opened: KeySet[] = [];

beforeEach(() => {
  path = join(temporaryFolder(), 'issuer-keys.json');
  nowMs = Date.parse('2026-11-28T12:00:00Z');
  asked = 0;
  serve(first);
});
afterEach(async () => {
  for (const keys of opened.splice(0)) await keys.close();
});

const serve = (...keys: readonly TestKey[]): void => {
  answer = () => ({ keys: keys.map(({ jwk }) => jwk) });
};
const away = (): void => {
  answer = () => {
    throw new Error('it cannot be reached');
  };
};

function open(more: Partial<LoadedKeysOptions> = {}) {
  const keys = loadedKeys({
    from: 'https://issuer.example',
    load: async () => {
      asked++;
      return answer();
    },
    path,
    reloadEveryMs: day,
    logger: quietLogger,
    now: () => nowMs,
    ...more,
  });
  opened.push(keys);
  return { keys, ask: askerOf(keys) };
}

/** Opened, and loaded once, or failed to. */
async function settled(more: Partial<LoadedKeysOptions> = {}) {
  const open1 = open(more);
  const before = asked;
  await until(() => asked > before || asked > 0, 'it was asked');
  await open1.keys.renew(); // joins what is under way
  return open1;
}

/** The status that a new token of a key is answered with; 200 = let in. */
function askerOf(keys: KeySet) {
  let id = 0;
  const rules = { issuer: '', audiences: [], algorithms: ['ES256'], toleranceMs: 0 };
  const door = admitBy({ byToken: byToken({ keys, rules, scopes: ['events:write'], now: () => nowMs }) });
  return async (key: TestKey): Promise<number> => {
    const token = tokenOf(key, { sub: 'u', exp: nowMs / 1000 + 60, jti: ++id });
    const request = new Request('http://test/v1/events', { headers: { authorization: `Bearer ${token}` } });
    const admission = await door({ request, params: {}, arrival: arrivalOf(request), address: '' }, 'events:write');
    return admission.ok ? 200 : admission.answer.status;
  };
}

describe('at the start', () => {
  test('the first requests wait for the keys that are being loaded', async () => {
    const gate = Promise.withResolvers<void>();
    const { ask } = open({ load: () => gate.promise.then(() => answer()) });
    const asking = [ask(first), ask(first)];
    gate.resolve();
    expect(await Promise.all(asking)).toEqual([200, 200]);
  });

  test('without any keys a request is told to try again, and readiness why and since when', async () => {
    away();
    const { keys, ask } = await settled();
    expect(await ask(first)).toBe(503);
    expect(keys.problem()).toBe(
      'the keys of https://issuer.example cannot be loaded since 2026-11-28T12:00:00.000Z: it cannot be reached; until then no token can be checked',
    );
  });

  test('they come as soon as the issuer is there', async () => {
    away();
    const { keys, ask } = await settled();
    serve(first);
    nowMs += 5_000;
    expect(await ask(first)).toBe(200);
    expect(keys.problem()).toBeNull();
  });

  test('those of the last time count while the issuer is away', async () => {
    await settled();
    await opened.pop()!.close();
    away();
    const { keys, ask } = await settled();
    expect(await ask(first)).toBe(200);
    expect(keys.problem()).toContain('those of before still count');
    nowMs += 5_000;
    expect(await ask(second)).toBe(503); // it may be good: nobody can say
  });
});

describe('an issuer that is away', () => {
  test('takes nothing from keys that are known, after weeks', async () => {
    const { keys, ask } = await settled();
    away();
    nowMs += 30 * day;
    expect(await keys.renew()).toBe(false);
    expect(await ask(first)).toBe(200);
    nowMs += 30 * day;
    expect(await ask(first)).toBe(200);
    expect(keys.problem()).toContain('since 2026-12-28T12:00:00.000Z');
  });

  test.each<[string, unknown, string]>([
    ['text', 'oops', 'no JSON Web Key Set'],
    ['null', null, 'no JSON Web Key Set'],
    ['a list', [], 'no JSON Web Key Set'],
    ['no keys', {}, 'no JSON Web Key Set'],
    ['keys that are no list', { keys: {} }, 'no JSON Web Key Set'],
    ['too many keys', { keys: Array.from({ length: 101 }, () => first.jwk) }, 'more than 100'],
  ])('or answers %s, changes nothing', async (_, given, words) => {
    const { keys, ask } = await settled();
    answer = () => given;
    nowMs += day;
    await keys.renew();
    expect(keys.problem()).toContain(words);
    expect(await ask(first)).toBe(200);
  });

  test('is asked again by itself, sooner than usual', async () => {
    away();
    await settled({ reloadEveryMs: 1 });
    await until(() => asked >= 3, 'it was asked again');
  });
});

describe('a set without a usable key', () => {
  test.each<[string, readonly unknown[]]>([
    ['empty', []],
    ['of a private key', [{ ...first.jwk, d: 'x' }]],
    ['of a secret', [{ kty: 'oct', k: 'c2VjcmV0', kid: 'first' }]],
    ['of a key for encryption', [{ ...first.jwk, use: 'enc' }]],
    ['of a short RSA key', [{ kty: 'RSA', n: 'x'.repeat(171), e: 'AQAB' }]],
    ['of a curve nobody knows', [{ ...first.jwk, crv: 'P-192' }]],
    ['of half a key', [{ kty: 'EC', crv: 'P-256', x: 'x' }]],
    ['of junk', [null, 7, 'x', [], {}]],
  ])('%s lets nobody in, and refuses nobody for good', async (_, list) => {
    const { keys, ask } = await settled();
    expect(await ask(first)).toBe(200);
    answer = () => ({ keys: list });
    nowMs += day;
    await keys.renew();
    expect(await ask(first)).toBe(503);
    expect(keys.problem()).toContain('there is no key in the set');
  });
});

describe('a key that is not known', () => {
  test('is loaded at once, and those that are gone count no more', async () => {
    const { ask } = await settled();
    serve(second);
    nowMs += 5_000;
    expect([await ask(second), await ask(first)]).toEqual([200, 503]);
    nowMs += 5_000;
    expect(await ask(first)).toBe(401);
  });

  test('makes one load for all that ask at once', async () => {
    const { ask } = await settled();
    serve(first, second);
    nowMs += 5_000;
    const before = asked;
    expect(new Set(await Promise.all(Array.from({ length: 50 }, () => ask(second))))).toEqual(new Set([200]));
    expect(asked).toBe(before + 1);
  });

  test('asks the issuer no more often than every five seconds, and is not refused meanwhile', async () => {
    const { ask } = await settled();
    const junk = ecKey('junk');
    const before = asked;
    const answers: number[] = [];
    for (let times = 0; times < 100; times++) {
      nowMs += 100;
      answers.push(await ask(junk));
    }
    expect(asked - before).toBeLessThanOrEqual(2);
    expect(asked - before).toBeGreaterThanOrEqual(1);
    expect(answers.filter(status => status === 401)).toHaveLength(asked - before);
    expect(answers.filter(status => status === 503)).toHaveLength(100 - (asked - before));
  });

  test('that joins a load under way is not refused by it: the set may be older than the key', async () => {
    const { ask } = await settled();
    const gate = Promise.withResolvers<void>();
    const older = { keys: [first.jwk] };
    answer = () => gate.promise.then(() => older);
    nowMs += 5_000;
    const asking = [ask(second), ask(second)];
    gate.resolve();
    expect(await Promise.all(asking)).toEqual([401, 503]);
  });

  test('is found by the timed load, too', async () => {
    const { ask } = await settled({ reloadEveryMs: 1 });
    serve(second);
    const before = asked;
    await until(() => asked > before + 1, 'it was loaded again');
    expect(await ask(second)).toBe(200);
  });
});

describe('the file of kept keys', () => {
  test('holds public parts alone, is its owner’s, and is written when keys change', async () => {
    answer = () => ({ keys: [{ ...first.jwk, x5c: ['a certificate'], extra: { deep: true } }] });
    const { keys } = await settled();
    const text = readFileSync(path, 'utf8');
    expect(JSON.parse(text)).toEqual({ from: 'https://issuer.example', keys: [first.jwk] });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const { ino } = statSync(path);
    nowMs += day;
    await keys.renew();
    expect(statSync(path).ino).toBe(ino);
  });

  test.each<[string, string]>([
    ['of another issuer', JSON.stringify({ from: 'https://else.example', keys: [first.jwk] })],
    ['that is damaged', '{"from":'],
    ['that is empty', ''],
    ['of null', 'null'],
    ['without keys', '{"from":"https://issuer.example"}'],
  ])('%s counts for nothing and keeps nobody from starting', async (_, text) => {
    writeFileSync(path, text);
    away();
    const { ask } = await settled();
    expect(await ask(first)).toBe(503);
    serve(first);
    nowMs += 5_000;
    expect(await ask(first)).toBe(200);
    expect(readFileSync(path, 'utf8')).toContain('"first"');
  });

  test('that cannot be written is no reason not to let in', async () => {
    const { ask } = await settled({ path: join(path, 'no', 'folder') });
    expect(await ask(first)).toBe(200);
  });
});

test('a close ends a load that hangs', async () => {
  const keys = loadedKeys({
    from: 'x',
    load: signal =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true })),
    path,
    reloadEveryMs: day,
    logger: quietLogger,
  });
  await keys.close();
  expect(keys.problem()).toBeNull();
});
