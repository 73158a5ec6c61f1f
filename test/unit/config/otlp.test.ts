// The settings of the collector, and what is refused of them.

import { expect, test } from 'bun:test';
import { plainHopsOf } from '../../../src/config/plain-hops.ts';
import { readConfig } from '../../../src/config/read.ts';

const read = (...flags: readonly string[]) => readConfig({ flags: ['--auth=none', ...flags], env: {} });

function configOf(...flags: readonly string[]) {
  const config = read(...flags);
  if (!config.ok) throw new Error(config.problems.join('\n'));
  return config.config;
}

function problemsOf(...flags: readonly string[]): string {
  const config = read(...flags);
  return config.ok ? '' : config.problems.join('\n');
}

test('the address is of a folder, whatever its end', () => {
  expect(configOf().otlpUrl).toBe('');
  for (const url of ['http://c:4318', 'http://c:4318/', 'https://c/otlp//'])
    expect(configOf(`--otlp-url=${url}`).otlpUrl).toBe(url.replace(/\/+$/, ''));
});

test.each(['c:4318', 'grpc://c:4317', 'http://', 'http://c?key=1', 'http://c#x'])('%s is no collector', url => {
  expect(problemsOf(`--otlp-url=${url}`)).toContain('UGC_OTLP_URL (--otlp-url) must be the address of a collector');
});

test('a password in the address is not repeated', () => {
  const said = problemsOf('--otlp-url=http://me:hidden@c:4318');
  expect(said).toContain('set UGC_OTLP_HEADERS');
  expect(said).not.toContain('hidden');
});

test('headers are read as OpenTelemetry’s own setting has them', () => {
  const { otlpHeaders } = configOf('--otlp-url=http://c', '--otlp-headers=Authorization=Bearer%20a%3D%2C, x-b=c=d');
  expect(otlpHeaders).toEqual({ authorization: 'Bearer a=,', 'x-b': 'c=d' });
});

test.each(['hidden', '=hidden', 'a=', 'a b=hidden', 'a=hidden%', 'a=hidden%0d%0ax:y', 'a=hidden,', 'a=%20hidden'])(
  'the headers %s are refused, and not repeated',
  headers => {
    const said = problemsOf('--otlp-url=http://c', `--otlp-headers=${headers}`);
    expect(said).toContain('UGC_OTLP_HEADERS (--otlp-headers) must be name=value');
    expect(said).not.toContain('hidden');
  },
);

test('headers need a collector', () => {
  expect(problemsOf('--otlp-headers=a=b')).toContain('UGC_OTLP_HEADERS needs UGC_OTLP_URL');
});

test('a collector elsewhere is told of in plain', () => {
  const hops = (url: string) => plainHopsOf(configOf(`--otlp-url=${url}`));
  expect(hops('http://collector:4318')).toEqual([expect.stringContaining('(collector:4318): set UGC_OTLP_URL')]);
  for (const url of ['https://collector', 'http://127.0.0.1:4318']) expect(hops(url)).toEqual([]);
});
