// Tokens at the door: which count, for what, and in which words the others are refused.

import { beforeEach, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { JWTVerifyGetKey } from 'jose';
import { admitBy } from '../../../../src/door/admit.ts';
import { byKey } from '../../../../src/door/keys/by-key.ts';
import { newKey } from '../../../../src/door/keys/key.ts';
import { type ByTokenOptions, byToken } from '../../../../src/door/tokens/by-token.ts';
import { type FindKey, findersOf, secretFinder } from '../../../../src/door/tokens/key-finders.ts';
import { fixedKeys } from '../../../../src/door/tokens/key-set.ts';
import { arrivalOf } from '../../../../src/http/arrival.ts';
import type { Admission, Admit } from '../../../../src/http/route.ts';
import { ecKey, edKey, hmacTokenOf, rsaKey, type TestKey, tokenOf } from '../../../support/tokens.ts';

const [ec, rsa, ed, stranger] = [ecKey('ec'), rsaKey('rsa'), edKey('ed'), ecKey('stranger')];
const finders = findersOf([ec.jwk, rsa.jwk, ed.jwk]);
const found = finders[0] as JWTVerifyGetKey;
const secret = 'a secret of thirty-two bytes or more';
const nowS = Date.parse('2026-11-28T12:00:00Z') / 1000;
let nowMs: number;
beforeEach(() => {
  nowMs = nowS * 1000;
});

const rules = {
  issuer: 'https://issuer.example',
  audiences: ['urn:ugc', 'urn:other'],
  algorithms: ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'],
  toleranceMs: 30_000,
};
const good = {
  iss: 'https://issuer.example',
  aud: 'urn:ugc',
  sub: 'user-1',
  exp: nowS + 300,
  scope: 'openid events:write',
  azp: 'shop',
};
const without = (...names: readonly string[]) =>
  Object.fromEntries(Object.entries(good).filter(([name]) => !names.includes(name)));

const doorOf = (more: Partial<ByTokenOptions> = {}): Admit =>
  admitBy({ byToken: byToken({ keys: fixedKeys(finders), rules, scopes: [], now: () => nowMs, ...more }) });

interface Asking {
  readonly needs?: string;
  readonly query?: string;
}

function ask(door: Admit, shown: string | Record<string, string>, { needs = 'events:write', query = '' }: Asking = {}) {
  const headers = typeof shown === 'string' ? { authorization: `Bearer ${shown}` } : shown;
  const request = new Request(`http://test/v1/events${query}`, { method: 'POST', headers });
  return door({ request, params: {}, arrival: arrivalOf(request), address: '127.0.0.1' }, needs);
}

function told(admission: Admission) {
  if (admission.ok) return admission.caller;
  const { status, headers, body } = admission.answer;
  const { detail } = JSON.parse(body) as { detail: string };
  return { status, detail, asks: headers['www-authenticate'] };
}

describe('a token', () => {
  test.each<[string, TestKey]>([
    ['ES256', ec],
    ['RS256', rsa],
    ['EdDSA', ed],
  ])('of %s lets its subject in, by the name of its program', async (_, key) => {
    expect(told(await ask(doorOf(), tokenOf(key, good)))).toEqual({
      id: 'sub:user-1',
      name: 'shop',
      userId: 'user-1',
      scopes: new Set(['events:write']),
    });
  });

  test.each<[string, object, object]>([
    ['a list of audiences', { aud: ['a', 'urn:other'] }, {}],
    ['client_id', { azp: undefined, client_id: 'back end' }, { name: 'back end' }],
    ['a program that calls itself as what ugc writes', { azp: 'UGC:content' }, { name: '' }],
    ['no program', { azp: undefined }, { name: '' }],
    ['programs that are no text', { azp: 7, client_id: {} }, { name: '' }],
    ['scopes as a list', { scope: ['events:write'] }, {}],
    ['scp', { scope: undefined, scp: ['events:write', 7] }, {}],
    ['scp as text', { scope: 7, scp: 'a events:write' }, {}],
    ['a start that is only just to come', { nbf: nowS + 29 }, {}],
    ['an end that is only just over', { exp: nowS - 29 }, {}],
    ['an end that is no whole number', { exp: nowS + 0.5 }, {}],
    ['a long subject', { sub: 'x'.repeat(256) }, { userId: 'x'.repeat(256) }],
    ['a strange subject', { sub: '"\\\u0000😀' }, { userId: '"\\\u0000😀' }],
  ])('may have %s', async (_, changes, expected) => {
    expect(told(await ask(doorOf(), tokenOf(ec, { ...good, ...changes })))).toMatchObject(expected);
  });

  test('of another case of Bearer, and with spaces behind it, is one', async () => {
    const token = tokenOf(ec, good);
    for (const authorization of [`bearer ${token}`, `BEARER  ${token} `])
      expect((await ask(doorOf(), { authorization })).ok).toBe(true);
  });

  test('needs no kid where one key fits, nor where several do', async () => {
    const nameless = (key: TestKey) => tokenOf(key, good, { alg: key.alg });
    expect((await ask(doorOf(), nameless(ec))).ok).toBe(true);
    const keys = fixedKeys(findersOf([stranger.jwk, ecKey('third').jwk, ec.jwk]));
    expect((await ask(doorOf({ keys }), nameless(ec))).ok).toBe(true);
    expect(told(await ask(doorOf({ keys }), nameless(ecKey('fourth'))))).toMatchObject({ status: 401 });
  });

  test('may have a kid where the keys have none', async () => {
    const { kid: _, ...jwk } = ec.jwk;
    for (const list of [[jwk], [rsa.jwk, jwk], [{ ...stranger.jwk, kid: 'else' }, jwk]]) {
      const door = doorOf({ keys: fixedKeys(findersOf(list)) });
      expect((await ask(door, tokenOf(ec, good))).ok).toBe(true);
      expect(told(await ask(door, tokenOf(stranger, good)))).toMatchObject({ status: 401 });
    }
  });

  test('of a secret counts where there is one, and with public keys never', async () => {
    const token = hmacTokenOf(secret, good);
    const keys = fixedKeys(secretFinder(secret));
    const door = doorOf({ keys, rules: { ...rules, algorithms: ['HS256'] } });
    expect((await ask(door, token)).ok).toBe(true);
    expect(told(await ask(door, hmacTokenOf(`${secret}!`, good)))).toMatchObject({ status: 401 });
    expect(told(await ask(door, tokenOf(ec, good)))).toMatchObject({ status: 401 });
    expect(told(await ask(doorOf(), token))).toMatchObject({ status: 401 });
  });

  test('is asked for nothing that no rule names', async () => {
    const door = doorOf({ rules: { ...rules, issuer: '', audiences: [] } });
    expect((await ask(door, tokenOf(ec, without('iss', 'aud')))).ok).toBe(true);
  });
});

describe('a token does not count', () => {
  const pem = String(ec.publicKey.export({ type: 'spki', format: 'pem' }));
  const p384 = ecKey('ec', 'P-384');
  const signature = tokenOf(ec, good).split('.')[2]!;
  const evil = { alg: 'ES256', kid: 'stranger' };
  const part = (text: string) => Buffer.from(text).toString('base64url');
  const cases: readonly (readonly [string, string, string])[] = [
    ['that is unsigned', `${part('{"alg":"none"}')}.${part(JSON.stringify(good))}.`, 'its algorithm (alg)'],
    ['that is unsigned and yet has a signature', tokenOf(ec, good, { alg: 'none', kid: 'ec' }), 'its algorithm (alg)'],
    ['of an algorithm in other letters', tokenOf(ec, good, { alg: 'es256', kid: 'ec' }), 'its algorithm (alg)'],
    ['of an algorithm that is no text', tokenOf(ec, good, { alg: ['ES256'], kid: 'ec' }), 'its algorithm (alg)'],
    ['of no algorithm', tokenOf(ec, good, { kid: 'ec' }), 'its algorithm (alg)'],
    ['of an algorithm that is not allowed', tokenOf(rsa, good, { alg: 'RS512', kid: 'rsa' }), 'its algorithm (alg)'],
    [
      'with two algorithms, of which the second counts',
      tokenOf(ec, good, '{"alg":"ES256","alg":"none"}'),
      'its algorithm',
    ],
    ['of a public key taken for a secret', hmacTokenOf(pem, good, { alg: 'HS256', kid: 'ec' }), 'its algorithm (alg)'],
    ['of a JWK taken for a secret', hmacTokenOf(JSON.stringify(ec.jwk), good), 'its algorithm (alg)'],
    ['of an unknown key', tokenOf(stranger, good), 'no key of the name that it gives (kid)'],
    ['of a key under another’s name', tokenOf(stranger, good, { alg: 'ES256', kid: 'ec' }), 'its signature is wrong'],
    ['of a key of another kind', tokenOf(ec, good, { alg: 'ES256', kid: 'rsa' }), 'no key of the name'],
    ['of a kid that is no text', tokenOf(ec, good, { alg: 'ES256', kid: 7 }), 'no key of the name'],
    ['of the wrong curve', tokenOf(p384, good, { alg: 'ES256', kid: 'ec' }), 'its signature is wrong'],
    ['of another algorithm of the curve', tokenOf(p384, good, { alg: 'ES384', kid: 'ec' }), 'no key of the name'],
    ['that brings its key (jwk)', tokenOf(stranger, good, { ...evil, jwk: stranger.jwk }), 'no key of the name'],
    ['that says where its key is (jku)', tokenOf(stranger, good, { ...evil, jku: 'http://127.0.0.1:1/' }), 'no key of'],
    ['that says where its key is (x5u)', tokenOf(stranger, good, { ...evil, x5u: 'http://127.0.0.1:1/' }), 'no key of'],
    [
      'that brings a certificate',
      tokenOf(stranger, good, { ...evil, kid: 'ec', x5c: ['AAAA'] }),
      'its signature is wrong',
    ],
    [
      'that asks for what is unknown (crit)',
      tokenOf(ec, good, { alg: 'ES256', kid: 'ec', crit: ['x'], x: 1 }),
      '(crit)',
    ],
    ['whose payload is not encoded', tokenOf(ec, good, { alg: 'ES256', kid: 'ec', crit: ['b64'], b64: false }), 'it'],
    ['with its signature cut short', tokenOf(ec, good).slice(0, -4), 'its signature is wrong'],
    ['without its signature', `${tokenOf(ec, good).slice(0, -signature.length)}`, 'it'],
    [
      'with another’s signature',
      `${tokenOf(ec, { ...good, sub: 'root' }).slice(0, -signature.length)}${signature}`,
      'its signature is wrong',
    ],
    ['that is changed', tokenOf(ec, good).replace(/^(.+?\.)./, '$1f'), 'it'],
    [
      'of another issuer',
      tokenOf(ec, { ...good, iss: 'https://issuer.example/' }),
      'another issuer (iss) than https://issuer.example',
    ],
    ['of no issuer', tokenOf(ec, without('iss')), 'another issuer (iss)'],
    ['of a list of issuers', tokenOf(ec, { ...good, iss: [good.iss] }), 'another issuer (iss)'],
    [
      'meant for others',
      tokenOf(ec, { ...good, aud: 'urn:ugc2' }),
      'meant for others (aud), not for urn:ugc or urn:other',
    ],
    ['meant for nobody', tokenOf(ec, without('aud')), 'meant for others'],
    ['meant for a list of others', tokenOf(ec, { ...good, aud: ['x', 7, null] }), 'meant for others'],
    ['that has expired', tokenOf(ec, { ...good, exp: nowS - 30 }), 'it expired at 2026-11-28T11:59:30.000Z'],
    ['that ended before time began', tokenOf(ec, { ...good, exp: -1e20 }), 'it expired at -100000000000000000000 s'],
    ['that never ends', tokenOf(ec, without('exp')), 'does not say when it ends (exp)'],
    ['that ends in words', tokenOf(ec, { ...good, exp: '9999999999' }), 'its end (exp) is no number'],
    ['that begins later', tokenOf(ec, { ...good, nbf: nowS + 60 }), 'it counts from 2026-11-28T12:01:00.000Z on'],
    ['that begins in words', tokenOf(ec, { ...good, nbf: 'now' }), 'its start (nbf) is no number'],
    [
      'whose last claim is the one that counts',
      tokenOf(ec, JSON.stringify(good).replace(/\}$/, ',"exp":1}')),
      'it expired',
    ],
    ['of nobody', tokenOf(ec, without('sub')), 'it names no subject (sub)'],
    ['of an empty subject', tokenOf(ec, { ...good, sub: '' }), 'it names no subject (sub)'],
    ['of a subject that is a number', tokenOf(ec, { ...good, sub: 7 }), 'it names no subject (sub)'],
    ['of a huge subject', tokenOf(ec, { ...good, sub: 'x'.repeat(257) }), 'longer than 256 characters'],
    [
      'of half a character',
      tokenOf(ec, '{"sub":"\\ud800","exp":9999999999,"iss":"https://issuer.example","aud":"urn:ugc"}'),
      'half of a surrogate pair',
    ],
    ['that is huge', tokenOf(ec, { ...good, junk: 'x'.repeat(6_200) }), 'longer than 8192 characters'],
    ['of four parts', `${tokenOf(ec, good)}.x`, 'three parts'],
    ['of five parts', 'a.b.c.d.e', 'three parts'],
    ['of two parts', 'a.b', 'three parts'],
    ['of dots', '...', 'three parts'],
    ['of one part', 'hello', 'three parts'],
    ['that is no base64url', tokenOf(ec, good).replace('.', '=.'), 'three parts'],
    ['that is no JSON', 'aaaa.bbbb.cccc', 'what is in it cannot be read'],
    ['whose claims are a list', tokenOf(ec, '[]'), 'what is in it cannot be read'],
    ['whose claims are text', tokenOf(ec, '"x"'), 'what is in it cannot be read'],
    ['whose claims are null', tokenOf(ec, 'null'), 'what is in it cannot be read'],
    ['whose header is a list', tokenOf(ec, good, '[]'), 'it'],
    ['that is as deep as it can be', tokenOf(ec, `{"a":${'['.repeat(2_500)}${']'.repeat(2_500)}}`), 'it'],
  ];

  test.each(cases)('%s', async (_, token, words) => {
    const answer = told(await ask(doorOf(), token));
    const { status, detail, asks } = answer as { status: number; detail: string; asks: string };
    const [said, why] = detail.split(/(?<=^the token does not count: )/);
    expect({ status, said }).toEqual({ status: 401, said: 'the token does not count: ' });
    expect(why).toContain(words);
    expect(asks).toMatch(
      /^Bearer realm="ugc", error="invalid_token", error_description="[\x20\x21\x23-\x5b\x5d-\x7e]{20,}"$/,
    );
    for (const piece of token.split('.').filter(piece => piece.length > 8))
      expect(JSON.stringify(answer)).not.toContain(piece);
  });

  test('with any character changed, lost or added', async () => {
    const door = doorOf();
    const tokens = [ec, rsa, ed].map(key => tokenOf(key, good));
    // Of the last character of a signature some bits are none of its.
    const change = fc.record({
      token: fc.constantFrom(...tokens),
      place: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      kind: fc.constantFrom('changed', 'lost', 'added'),
      character: fc.constantFrom(...'Aa0-_.=+/%é '),
    });
    await fc.assert(
      fc.asyncProperty(change, async ({ token, place, kind, character }) => {
        const at = Math.floor(place * (token.length - 1));
        const middle = { changed: character, lost: '', added: character + token[at] }[kind];
        const other = token.slice(0, at) + middle + token.slice(at + 1);
        if (other === token) return;
        const request = { headers: new Headers({ authorization: `Bearer ${encodeURI(other)}` }), url: '' };
        const admission = await door(
          { request: request as Request, params: {}, arrival: arrivalOf(new Request('http://test')), address: '' },
          'events:write',
        );
        expect(told(admission)).toMatchObject({ status: 401 });
      }),
      { numRuns: 500 },
    );
  });

  test('in any place but Authorization: Bearer', async () => {
    const token = tokenOf(ec, good);
    const asked: readonly (readonly [Record<string, string>, string])[] = [
      [{ authorization: `Basic ${btoa(`${token}:`)}` }, ''],
      [{ 'x-api-key': token }, ''],
      [{}, `?key=${token}`],
      [{}, `?access_token=${token}`],
      [{ authorization: `Token ${token}` }, ''],
      [{ authorization: token }, ''],
      [{ authorization: `Bearer ${token}, Bearer ${token}` }, ''],
    ];
    for (const [headers, query] of asked)
      expect(told(await ask(doorOf(), headers, { query }))).toEqual({
        status: 401,
        detail: expect.stringContaining('send a token: Authorization: Bearer <JWT>'),
        asks: 'Bearer realm="ugc"',
      });
  });

  test('for what its scopes do not say; what every token may is a setting', async () => {
    const token = tokenOf(ec, { ...good, scope: 'events:writer EVENTS:WRITE events:write\t' });
    expect(told(await ask(doorOf(), token))).toEqual({
      status: 403,
      detail: 'the token may not events:write: its scope has to say so',
      asks: 'Bearer realm="ugc", error="insufficient_scope", scope="events:write"',
    });
    const door = doorOf({ scopes: ['events:write'] });
    expect((await ask(door, token)).ok).toBe(true);
    expect(told(await ask(door, token, { needs: 'events:read' }))).toMatchObject({ status: 403 });
  });
});

describe('a good token', () => {
  /** Keys that tell how often one of them was looked for. */
  function counted() {
    const seen = { looks: 0, finders };
    const change = (): void => {
      const find: FindKey = (header, token) => {
        seen.looks++;
        return found(header, token);
      };
      seen.finders = [find];
    };
    change();
    return { seen, change };
  }

  test('is checked once, and answered at once from then on', async () => {
    const { seen } = counted();
    const door = doorOf({ keys: { finders: () => seen.finders, renew: async () => true } });
    const token = tokenOf(ec, good);
    const first = await ask(door, token);
    const second = ask(door, token);
    expect(second).toBe(first); // no promise, and nothing made anew
    expect(seen.looks).toBe(1);
    expect(told(await ask(door, token, { needs: 'admin' }))).toMatchObject({ status: 403 });
    expect(seen.looks).toBe(1);
  });

  test('counts until it ends and no longer', async () => {
    const door = doorOf();
    const token = tokenOf(ec, good);
    expect((await ask(door, token)).ok).toBe(true);
    nowMs = (good.exp + 30) * 1000 - 1;
    expect((await ask(door, token)).ok).toBe(true);
    nowMs += 1;
    expect(told(await ask(door, token))).toMatchObject({
      status: 401,
      detail: expect.stringContaining('it expired at 2026-11-28T12:05:00.000Z'),
    });
  });

  test('is checked anew once the keys are others', async () => {
    const { seen, change } = counted();
    const door = doorOf({ keys: { finders: () => seen.finders, renew: async () => true } });
    const token = tokenOf(ec, good);
    await ask(door, token);
    change();
    expect((await ask(door, token)).ok).toBe(true);
    expect(seen.looks).toBe(2);
    seen.finders = findersOf([rsa.jwk]);
    expect(told(await ask(door, token))).toMatchObject({ status: 401 });
  });

  test('that was being checked while its key went is not remembered', async () => {
    const gate = Promise.withResolvers<void>();
    const slow: FindKey = async (header, token) => {
      await gate.promise;
      return found(header, token);
    };
    let current: readonly FindKey[] = [slow];
    const door = doorOf({ keys: { finders: () => current, renew: async () => true } });
    const token = tokenOf(ec, good);
    const asked = ask(door, token);
    current = findersOf([rsa.jwk]);
    gate.resolve();
    await asked;
    expect(told(await ask(door, token))).toMatchObject({ status: 401 });
  });
});

describe('beside API keys', () => {
  const key = newKey('public');
  const stored = {
    id: 'a',
    name: 'web',
    kind: 'public',
    sha256: '',
    scopes: ['events:write'],
    created_at: '',
  } as const;
  const keyring = {
    find: (text: string) => (text === key ? { ...stored, scopes: [...stored.scopes] } : 'it is not known here'),
  };
  const both = admitBy({
    byKey: byKey(keyring),
    byToken: byToken({ keys: fixedKeys(finders), rules, scopes: [], now: () => nowMs }),
  });

  test('what looks like a key is one, another bearer is a token, and the rest are keys', async () => {
    expect(told(await ask(both, key))).toMatchObject({ name: 'web' });
    expect(told(await ask(both, tokenOf(ec, good)))).toMatchObject({ name: 'shop' });
    expect(told(await ask(both, `ugc_pk_${tokenOf(ec, good)}`))).toMatchObject({
      status: 401,
      detail: expect.stringContaining('the API key does not count'),
    });
    expect(told(await ask(both, { 'x-api-key': tokenOf(ec, good) }))).toMatchObject({
      detail: expect.stringContaining('the API key does not count'),
    });
    expect(told(await ask(both, {}))).toMatchObject({
      status: 401,
      detail: expect.stringMatching(/an API key.*or a token/),
    });
  });

  test('where keys do not count, they are told so', async () => {
    expect(told(await ask(doorOf(), { 'x-api-key': key }))).toMatchObject({
      status: 401,
      detail: expect.stringContaining('API keys do not count here'),
    });
  });
});

describe('a token of an unknown key', () => {
  const soon = { ...good, exp: nowS + 3_600 };

  test('is looked for once more, and lets in when its key has come', async () => {
    let current = finders;
    const keys = {
      finders: () => current,
      renew: async () => {
        current = findersOf([stranger.jwk]);
        return true;
      },
    };
    expect((await ask(doorOf({ keys }), tokenOf(stranger, soon))).ok).toBe(true);
  });

  test('is not refused while nobody knows: its sender is to try again', async () => {
    for (const list of [finders, []]) {
      const answer = await ask(
        doorOf({ keys: { finders: () => list, renew: async () => false } }),
        tokenOf(stranger, soon),
      );
      expect(answer).toMatchObject({ ok: false, answer: { status: 503, headers: { 'retry-after': '5' } } });
      if (!answer.ok) expect(answer.answer.body).toContain('urn:ugc:problem:auth-unavailable');
    }
  });

  test('that could not count anyway asks the issuer nothing', async () => {
    const keys = {
      finders: () => finders,
      renew: async (): Promise<boolean> => {
        throw new Error('it was asked');
      },
    };
    for (const claims of [
      { ...soon, exp: 1 },
      { ...soon, iss: 'x' },
      { ...soon, aud: 'x' },
      { ...soon, sub: '' },
    ])
      expect(told(await ask(doorOf({ keys }), tokenOf(stranger, claims)))).toMatchObject({ status: 401 });
  });
});
