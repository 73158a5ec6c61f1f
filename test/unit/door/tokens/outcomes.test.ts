// What is counted of tokens: one word a request, of a closed set, whatever the token says.

import { expect, test } from 'bun:test';
import { admitBy } from '../../../../src/door/admit.ts';
import { type ByTokenOptions, byToken, type TokenOutcome } from '../../../../src/door/tokens/by-token.ts';
import { findersOf } from '../../../../src/door/tokens/key-finders.ts';
import { fixedKeys } from '../../../../src/door/tokens/key-set.ts';
import { arrivalOf } from '../../../../src/http/arrival.ts';
import { ecKey, tokenOf } from '../../../support/tokens.ts';

const [key, impostor, stranger] = [ecKey('ec'), ecKey('ec'), ecKey('stranger')];
const finders = findersOf([key.jwk]);
const nowS = Date.parse('2026-11-28T12:00:00Z') / 1000;
const rules = { issuer: 'https://issuer.example', audiences: ['urn:ugc'], algorithms: ['ES256'], toleranceMs: 30_000 };
const good = { iss: rules.issuer, aud: 'urn:ugc', sub: 'user-1', exp: nowS + 300, scope: 'events:write' };

function door(more: Partial<ByTokenOptions> = {}) {
  const outcomes: TokenOutcome[] = [];
  const onOutcome = (outcome: TokenOutcome): void => void outcomes.push(outcome);
  const keys = fixedKeys(finders);
  const admit = admitBy({
    byToken: byToken({ keys, rules, scopes: [], now: () => nowS * 1000, onOutcome, ...more }),
  });
  return {
    outcomes,
    async ask(token: string): Promise<boolean> {
      const request = new Request('http://test/v1/events', {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
      });
      const call = { request, params: {}, arrival: arrivalOf(request), address: '127.0.0.1' };
      return (await admit(call, 'events:write')).ok;
    },
  };
}

test('a good token is checked once, and then remembered', async () => {
  const { ask, outcomes } = door();
  const token = tokenOf(key, good);
  expect([await ask(token), await ask(token), await ask(token)]).toEqual([true, true, true]);
  expect(outcomes).toEqual(['checked', 'remembered', 'remembered']);
});

test('one that may not do it is told by its scope, also when it is remembered', async () => {
  const { ask, outcomes } = door();
  const token = tokenOf(key, { ...good, scope: 'other' });
  expect([await ask(token), await ask(token)]).toEqual([false, false]);
  expect(outcomes).toEqual(['scope', 'scope']);
});

test.each<[TokenOutcome, string]>([
  ['malformed', 'a.b.c'],
  ['malformed', 'nothing'],
  ['malformed', 'x'.repeat(10_000)],
  ['malformed', tokenOf(key, { ...good, exp: undefined })],
  ['malformed', tokenOf(key, { ...good, exp: 'soon' })],
  ['malformed', tokenOf(key, { ...good, nbf: 'soon' })],
  ['expired', tokenOf(key, { ...good, exp: nowS - 31 })],
  ['not_yet', tokenOf(key, { ...good, nbf: nowS + 31 })],
  ['issuer', tokenOf(key, { ...good, iss: 'https://other.example' })],
  ['audience', tokenOf(key, { ...good, aud: 'urn:other' })],
  ['subject', tokenOf(key, { ...good, sub: '' })],
  ['subject', tokenOf(key, { ...good, sub: 'x'.repeat(257) })],
  ['signature', tokenOf(impostor, good)],
  ['unknown_key', tokenOf(stranger, good)],
])('%s', async (outcome, token) => {
  const { ask, outcomes } = door();
  expect(await ask(token)).toBe(false);
  expect(outcomes).toEqual([outcome]);
});

test('algorithm', async () => {
  const { ask, outcomes } = door({ rules: { ...rules, algorithms: ['EdDSA'] } });
  expect(await ask(tokenOf(key, good))).toBe(false);
  expect(outcomes).toEqual(['algorithm']);
});

test('unavailable, while nobody knows whether it counts', async () => {
  const { ask, outcomes } = door({ keys: { finders: () => [], renew: async () => false } });
  expect(await ask(tokenOf(key, good))).toBe(false);
  expect(outcomes).toEqual(['unavailable']);
});
