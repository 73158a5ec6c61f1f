// What a token costs: `bun run bench/tokens.bench.ts`. A new one by algorithm, one that is known, and one that is refused
// before its signature is looked at. Core-µs of the whole process, as its threads check signatures.

import { admitBy } from '../src/door/admit.ts';
import { byToken } from '../src/door/tokens/by-token.ts';
import { findersOf } from '../src/door/tokens/key-finders.ts';
import { fixedKeys } from '../src/door/tokens/key-set.ts';
import { arrivalOf } from '../src/http/arrival.ts';
import type { Admit } from '../src/http/route.ts';
import { ecKey, edKey, rsaKey, type TestKey, tokenOf } from '../test/support/tokens.ts';
import { usualClaims } from './door.ts';
import { machine } from './process.ts';
import { markdown, type Row } from './report.ts';

const count = 5_000;
const rules = { issuer: '', audiences: ['urn:ugc'], algorithms: ['RS256', 'ES256', 'EdDSA'], toleranceMs: 0 };

const doorOf = (key: TestKey): Admit =>
  admitBy({ byToken: byToken({ keys: fixedKeys(findersOf([key.jwk])), rules, scopes: [] }) });

async function measured(what: string, key: TestKey, tokens: readonly string[]): Promise<Row> {
  const requests = tokens.map(
    token => new Request('http://test/v1/events', { headers: { authorization: `Bearer ${token}` } }),
  );
  const arrival = arrivalOf(requests[0]!);
  const all = async (door: Admit) => {
    for (const request of requests) await door({ request, params: {}, arrival, address: '' }, 'events:write');
  };
  await all(doorOf(key)); // compiles what is hot
  const door = doorOf(key);
  const before = process.cpuUsage();
  await all(door);
  const { user, system } = process.cpuUsage(before);
  return { what, characters: tokens[0]!.length, 'core-µs': ((user + system) / tokens.length).toFixed(2) };
}

const many = (key: TestKey, more: object = {}): string[] =>
  Array.from({ length: count }, () => tokenOf(key, { ...usualClaims(), ...more }));

const table: Row[] = [];
for (const key of [rsaKey('rsa'), ecKey('ec'), edKey('ed')])
  table.push(await measured(`new, ${key.alg}`, key, many(key)));
const ec = ecKey('ec');
const [known] = many(ec);
table.push(
  await measured(
    'known',
    ec,
    Array.from({ length: count * 20 }, () => known!),
  ),
);
table.push(await measured('expired', ec, many(ec, { exp: 1 })));
console.log(`${machine()}\n\n${markdown(table)}`);
