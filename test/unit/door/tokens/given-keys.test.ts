import { describe, expect, test } from 'bun:test';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publicKeyAlgorithms } from '../../../../src/config/jwt.ts';
import { readGivenKeys } from '../../../../src/door/tokens/given-keys.ts';
import { remembered } from '../../../../src/process/remembered.ts';
import { ecKey, edKey, rsaKey, type TestKey } from '../../../support/tokens.ts';
import { temporaryFolder } from '../../../support/ugc.ts';

const [ec, rsa, ed] = [ecKey('ec'), rsaKey('rsa'), edKey('ed')];
const pemOf = ({ publicKey }: TestKey, type: 'spki' | 'pkcs1' = 'spki') =>
  String(publicKey.export({ type, format: 'pem' }));
const nameless = ({ jwk: { kid: _, ...jwk } }: TestKey) => jwk;
const read = (given: string, algorithms: readonly string[] = publicKeyAlgorithms) => readGivenKeys(given, algorithms);

describe('public keys are given', () => {
  test('as PEM, one or several, with line breaks or \\n', () => {
    expect(read(pemOf(ec))).toEqual([nameless(ec)]);
    expect(read(pemOf(rsa, 'pkcs1'))).toEqual([nameless(rsa)]);
    expect(read(`# of the shop\n${pemOf(ec)}`.slice(14) + pemOf(ed))).toEqual([nameless(ec), nameless(ed)]);
    expect(read(pemOf(ec).replaceAll('\n', '\\n'))).toEqual([nameless(ec)]);
    expect(read(`\n  ${pemOf(ec).replaceAll('\n', '\r\n')}`)).toEqual([nameless(ec)]);
  });

  test('as a JWK or a JWKS', () => {
    expect(read(JSON.stringify(ec.jwk))).toEqual([ec.jwk]);
    expect(read(JSON.stringify({ keys: [ec.jwk, rsa.jwk] }))).toEqual([ec.jwk, rsa.jwk]);
  });

  test('in files', () => {
    const folder = temporaryFolder();
    const [pem, json] = [join(folder, 'a.pem'), join(folder, 'b.json')];
    writeFileSync(pem, `some words in front\n${pemOf(ec)}`);
    writeFileSync(json, JSON.stringify({ keys: [rsa.jwk] }));
    expect(read(`${pem}, ${json}`)).toEqual([nameless(ec), rsa.jwk]);
  });

  test('as a certificate', () => {
    const folder = temporaryFolder();
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
    const made = Bun.spawnSync(
      [
        'openssl',
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        key,
        '-out',
        certificate,
        '-subj',
        '/CN=x',
      ],
      { stderr: 'ignore' },
    );
    expect(made.exitCode).toBe(0);
    expect(read(certificate)).toMatchObject([{ kty: 'RSA', e: 'AQAB' }]);
    expect(() => read(key)).toThrow('it holds a PRIVATE KEY');
  });
});

describe('what is no public key is refused in words that hold nothing of it', () => {
  const privatePem = String(ec.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const privateJwk = ec.privateKey.export({ format: 'jwk' });
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
  const cases: readonly (readonly [string, string, string])[] = [
    ['a private key', privatePem, 'it holds a PRIVATE KEY'],
    ['a private JWK', JSON.stringify(privateJwk), 'key 1 is a private or a secret key'],
    [
      'a secret among others',
      JSON.stringify({ keys: [ec.jwk, { kty: 'oct', k: 'AAAA' }] }),
      'key 2 is a private or a secret',
    ],
    ['a short RSA key', String(short.export({ type: 'spki', format: 'pem' })), 'less than 2048 bits'],
    ['a damaged key', pemOf(ec).replace(/\nM[^-]{40}/, '\nAAAA'), 'cannot be read'],
    ['a key cut short', pemOf(ec).slice(0, 60), 'it is neither PEM nor JSON'],
    ['an empty set', '{"keys":[]}', 'there is no key in it'],
    ['an object', '{}', 'key 1 is no key'],
    ['half of JSON', '{"keys":', 'begins like JSON and is none'],
    ['a file that is not there', '/nowhere/key.pem', 'ENOENT'],
    ['a set of nulls', '{"keys":[null]}', 'key 1 is no key'],
  ];
  test.each(cases)('%s', (_, given, words) => {
    let said = '';
    try {
      read(given);
    } catch (error) {
      said = (error as Error).message;
    }
    expect(said).toContain(words);
    for (const part of [String(privateJwk.d), privatePem.split('\n')[1]!]) expect(said).not.toContain(part);
  });

  test('a key that no allowed algorithm fits', () => {
    expect(() => read(pemOf(ec), ['RS256'])).toThrow(
      'key 1 can sign with ES256 alone, which UGC_JWT_ALGORITHMS has not',
    );
    expect(() => read(JSON.stringify({ ...rsa.jwk, alg: 'RS512' }), ['RS256'])).toThrow('RS512 alone');
  });
});

describe('what is remembered', () => {
  test('is bounded in number: the oldest fall out, what is asked for stays', () => {
    const memory = remembered<number>({ numberMax: 10, charactersMax: 1_000 });
    for (let at = 0; at < 100; at++) {
      memory.set(`t${at}`, at);
      expect(memory.get('t0')).toBe(0);
    }
    const kept = Array.from({ length: 100 }, (_, at) => memory.get(`t${at}`)).filter(value => value !== undefined);
    expect(kept.length).toBeLessThanOrEqual(10);
    expect(memory.get('t99')).toBe(99);
    expect(memory.get('t5')).toBeUndefined();
  });

  test('is bounded in characters', () => {
    const memory = remembered<number>({ numberMax: 1_000, charactersMax: 1_000 });
    const texts = Array.from({ length: 100 }, (_, at) => `${at}`.padEnd(100));
    for (const [at, text] of texts.entries()) memory.set(text, at);
    expect(texts.filter(text => memory.get(text) !== undefined).length).toBeLessThanOrEqual(10);
    expect(memory.get(texts.at(-1)!)).toBe(99);
  });
});
