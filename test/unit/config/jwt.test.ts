// The settings of tokens: what they take, and what they say against each other.

import { describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../../../src/config/read.ts';
import { temporaryFolder } from '../../support/ugc.ts';

const read = (flags: readonly string[], env: Record<string, string> = {}) => readConfig({ flags, env });
function configOf(...flags: string[]) {
  const result = read(flags);
  if (!result.ok) throw new Error(result.problems.join('\n'));
  return result.config;
}
function problemsOf(flags: readonly string[], env: Record<string, string> = {}): string {
  const result = read(flags, env);
  return result.ok ? '' : result.problems.join('\n');
}

const issuer = '--jwt-issuer=https://issuer.example';
const audience = '--jwt-audience=urn:ugc';
const secret = `--jwt-secret=${'s'.repeat(32)}`;

describe('who may send', () => {
  test('is said by words that go together', () => {
    expect(configOf('--auth=keys, jwt', secret).auth).toEqual(['keys', 'jwt']);
    expect(problemsOf(['--auth=none,keys'])).toContain('UGC_AUTH=none lets everybody in');
    expect(problemsOf(['--auth=none,jwt', secret])).toContain('UGC_AUTH=none lets everybody in');
    expect(problemsOf(['--auth='])).toContain('must be none or keys or jwt');
    expect(problemsOf(['--auth=jtw'])).toContain('must be none or keys or jwt');
  });
});

describe('tokens are taken', () => {
  test.each([
    [[issuer, audience]],
    [[issuer, '--jwt-audience=*']],
    [['--jwt-jwks-url=https://issuer.example/keys?app=1', audience]],
    [[issuer, '--jwt-jwks-url=https://issuer.example/keys', audience]],
    [['--jwt-public-key=/etc/key.pem']],
    [['--jwt-public-key=/etc/key.pem', issuer, audience]],
    [[secret]],
    [[secret, issuer, audience, '--jwt-algorithms=HS256']],
    [[issuer, audience, '--jwt-algorithms=ES256, RS256']],
    [['--jwt-issuer=http://127.0.0.1:8080/realms/x', audience]],
    [['--jwt-issuer=http://[::1]:8080', audience]],
    [['--jwt-issuer=http://localhost', audience]],
  ])('with %j', flags => {
    expect(problemsOf(['--auth=jwt', ...flags])).toBe('');
  });

  test('with all that can be said, as it was said', () => {
    const config = configOf(
      '--auth=jwt',
      issuer,
      '--jwt-audience=a, b,a',
      '--jwt-scopes=events:write,events:read',
      '--jwt-user=reject',
      '--jwt-clock-tolerance-seconds=0',
    );
    expect(config).toMatchObject({
      jwtAudience: ['a', 'b'],
      jwtScopes: ['events:write', 'events:read'],
      jwtUser: 'reject',
      jwtAlgorithms: [],
      jwtClockToleranceSeconds: 0,
    });
  });
});

describe('a start is refused', () => {
  test.each<[string, readonly string[], string]>([
    ['without any keys', [audience], 'UGC_AUTH=jwt needs the keys of tokens'],
    [
      'with a secret beside a set',
      [secret, '--jwt-jwks-url=https://a.example', audience],
      'UGC_JWT_SECRET goes with no public keys',
    ],
    ['with a secret beside a key', [secret, '--jwt-public-key=/a'], 'UGC_JWT_SECRET goes with no public keys'],
    [
      'with a set beside a key',
      ['--jwt-jwks-url=https://a.example', '--jwt-public-key=/a', audience],
      'exclude each other',
    ],
    ['without a word on whom tokens are meant for', [issuer], 'UGC_JWT_AUDIENCE must say whom'],
    ['the same, with a set', ['--jwt-jwks-url=https://a.example'], 'UGC_JWT_AUDIENCE must say whom'],
    ['with everybody among the audiences', [issuer, '--jwt-audience=*,a'], 'or * alone'],
    ['with an empty audience', [issuer, '--jwt-audience=a,'], 'must be names'],
    [
      'with an issuer that others could play',
      ['--jwt-issuer=http://issuer.example', audience],
      'UGC_JWT_ISSUER must begin with https',
    ],
    [
      'the same by an address like loopback',
      ['--jwt-issuer=http://127.0.0.1.evil.example', audience],
      'must begin with https',
    ],
    [
      'with a set that others could write',
      ['--jwt-jwks-url=http://10.0.0.1/keys', audience],
      'UGC_JWT_JWKS_URL must begin with https',
    ],
    ['with an issuer that is no address', ['--jwt-issuer=issuer.example', audience], 'must be http(s)://host/path'],
    ['with a name and a password in it', ['--jwt-issuer=https://a:b@issuer.example', audience], 'must be http(s)://'],
    ['with a public key’s algorithm for a secret', [secret, '--jwt-algorithms=RS256'], 'UGC_JWT_ALGORITHMS=RS256'],
    [
      'with a secret’s algorithm for public keys',
      [issuer, audience, '--jwt-algorithms=RS256,HS256'],
      'UGC_JWT_ALGORITHMS=HS256',
    ],
    ['with none for an algorithm', [issuer, audience, '--jwt-algorithms=none'], 'must be RS256 or'],
    ['with a scope nobody asks for', [secret, '--jwt-scopes=events:wirte'], 'must be events:write or'],
  ])('%s', (_, flags, words) => {
    expect(problemsOf(['--auth=jwt', ...flags])).toContain(words);
  });

  test('with a short secret, of which nothing is told', () => {
    for (const short of ['hunter2', 's'.repeat(31), 'é'.repeat(15)]) {
      const problems = problemsOf(['--auth=jwt', `--jwt-secret=${short}`]);
      expect(problems).toContain('UGC_JWT_SECRET (--jwt-secret) must have 32 bytes or more');
      expect(problems).not.toContain(short);
    }
    expect(problemsOf(['--auth=jwt', `--jwt-secret=${'é'.repeat(16)}`])).toBe('');
  });

  test.each(['none', 'keys'])('with settings of tokens under UGC_AUTH=%s, each by its name', auth => {
    const env = {
      UGC_AUTH: auth,
      UGC_JWT_ISSUER: 'https://a.example',
      UGC_JWT_SECRET: 's'.repeat(32),
      UGC_JWT_USER: 'reject',
      UGC_JWT_CLOCK_TOLERANCE_SECONDS: '5',
      UGC_JWT_SCOPES: 'admin',
    };
    const problems = problemsOf([], env);
    for (const name of Object.keys(env).slice(1))
      expect(problems).toContain(`${name} needs UGC_AUTH=jwt, or UGC_AUTH=keys,jwt`);
    expect(problems).not.toContain('sss');
  });
});

test('the secret can be in a file', () => {
  const path = join(temporaryFolder(), 'secret');
  writeFileSync(path, `${'s'.repeat(32)}\n`);
  const result = read([], { UGC_AUTH: 'jwt', UGC_JWT_SECRET_FILE: path });
  expect(result).toMatchObject({ ok: true, config: { jwtSecret: 's'.repeat(32) } });
});
