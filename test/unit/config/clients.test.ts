// The settings of what is known of clients: what they take, and what they say against each other.

import { expect, test } from 'bun:test';
import { readConfig } from '../../../src/config/read.ts';

const read = (...flags: string[]) => readConfig({ flags, env: {} });
function problemsOf(...flags: string[]): string {
  const result = read(...flags);
  return result.ok ? '' : result.problems.join('\n');
}

test('nothing is derived, marked or kept back unless it is asked for', () => {
  const result = read();
  expect(result.ok && result.config).toMatchObject({
    ip: 'keep',
    userAgentParse: false,
    geoipPath: '',
    bots: 'keep',
    privacySignals: 'ignore',
    ownNetworks: null,
    ownCookie: '',
    ownHeader: '',
  });
});

test.each([
  ['--ip=hash', 'UGC_IP (--ip) must be keep or truncate or drop'],
  ['--bots=block', 'must be keep or mark or drop'],
  ['--privacy-signals=obey', 'must be ignore or mark or drop-identity or drop'],
  ['--own-networks=office', 'must be addresses or networks'],
  ['--own-cookie=a b', 'must be name or name=value'],
  ['--own-cookie=a=b;c=d', 'must be name or name=value'],
  ['--own-header=X Staff', 'must be name or name=value'],
  ['--own-header==x', 'must be name or name=value'],
])('%s is refused', (flag, words) => {
  expect(problemsOf(flag)).toContain(words);
});

test('own traffic can be dropped only where something says which it is', () => {
  expect(problemsOf('--own-traffic=drop')).toContain('UGC_OWN_TRAFFIC=drop needs UGC_OWN_NETWORKS');
  for (const by of ['--own-networks=10.0.0.0/8,fd00::/8', '--own-cookie=staff', '--own-header=x-staff=a b=c'])
    expect(problemsOf('--own-traffic=drop', by)).toBe('');
});
