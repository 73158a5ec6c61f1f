import { expect, test } from 'bun:test';
import { hostPorts } from '../../../src/config/kinds.ts';
import { parseHostPort, spellHostPort } from '../../../src/process/address.ts';

test('a name, an IPv4 and an IPv6 address with a port are read, and spelled as they were', () => {
  for (const [text, host, port] of [
    ['kafka-1:9092', 'kafka-1', 9_092],
    ['127.0.0.1:1', '127.0.0.1', 1],
    ['[::1]:9092', '::1', 9_092],
    ['[fd00::a:2]:65535', 'fd00::a:2', 65_535],
  ] as const) {
    expect(parseHostPort(text)).toEqual({ host, port });
    expect(spellHostPort({ host, port })).toBe(text);
  }
});

test('what is neither is none', () => {
  for (const text of [
    '',
    'kafka',
    'kafka:',
    ':9092',
    '::1:9092',
    '[::1]',
    '[kafka]:9092',
    'a b:1',
    'kafka:0',
    'kafka:65536',
    'http://kafka:1',
    '[::1]:9092:1',
    'user@kafka:1',
  ])
    expect(parseHostPort(text)).toBeNull();
});

test('a setting takes several and says what is wrong with one', () => {
  const { parse } = hostPorts({ help: '' });
  expect(parse('')).toBe('');
  expect(parse('kafka-1:9092 , [::1]:9092')).toBe('kafka-1:9092,[::1]:9092');
  expect(() => parse('kafka-1:9092,::1:9092')).toThrow('must have an IPv6 address in brackets, e.g. [::1]:9092');
  expect(() => parse('kafka-1')).toThrow('must be host:port, several with commas');
  expect(() => parse('kafka-1:9092,')).toThrow('must be host:port');
});
