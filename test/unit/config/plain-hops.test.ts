// Which hops are said to be plain, and which contradictions of TLS are refused.

import { expect, test } from 'bun:test';
import { plainHopsOf } from '../../../src/config/plain-hops.ts';
import { readConfig } from '../../../src/config/read.ts';

function hopsOf(...flags: readonly string[]): readonly string[] {
  const read = readConfig({ flags: ['--auth=none', ...flags], env: {} });
  if (!read.ok) throw new Error(read.problems.join('\n'));
  return plainHopsOf(read.config);
}

test('nothing is said of what stays on this machine, or is encrypted', () => {
  expect(hopsOf()).toEqual([]);
  for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '[::1]'])
    expect(
      hopsOf(
        `--host=${host.replace(/[[\]]/g, '')}`,
        `--kafka-brokers=${host}:9092`,
        `--clickhouse-url=http://${host}:8123`,
      ),
    ).toEqual([]);
  const safe = ['--tls-cert=a', '--tls-key=b', '--kafka-tls', '--clickhouse-url=https://ch:8443'];
  expect(hopsOf('--host=0.0.0.0', '--kafka-brokers=kafka:9093', ...safe)).toEqual([]);
  expect(hopsOf('--clickhouse-http-host=0.0.0.0', '--clickhouse-http-port=-1')).toEqual([]);
});

test('each plain hop is said once, with what to set', () => {
  const brokers = '--kafka-brokers=localhost:9092,kafka-1:9092,[fd00::2]:9092';
  const hops = hopsOf('--host=::', brokers, '--clickhouse-url=http://me:secret@ch:8123/path');
  expect(hops).toEqual([
    expect.stringContaining('UGC_TLS_CERT and UGC_TLS_KEY'),
    expect.stringContaining('(kafka-1:9092, [fd00::2]:9092): set UGC_KAFKA_TLS=true'),
    expect.stringContaining('in plain (ch:8123): set UGC_CLICKHOUSE_URL'),
  ]);
  expect(hops.join()).not.toContain('secret');
  expect(hopsOf('--transport=pulsar', '--pulsar-url=http://pulsar:8080')).toEqual([
    expect.stringContaining('in plain (pulsar:8080): set UGC_PULSAR_URL'),
  ]);
  for (const url of ['https://pulsar:8443', 'http://localhost:8080'])
    expect(hopsOf('--transport=pulsar', `--pulsar-url=${url}`)).toEqual([]);
  expect(hopsOf('--clickhouse-http-host=::')).toEqual([expect.stringContaining('UGC_CLICKHOUSE_HTTP_HOST')]);
});

test('settings that cannot be meant together are refused', () => {
  const pair = ['--tls-cert=a', '--tls-key=b'];
  const cases: readonly (readonly [readonly string[], string])[] = [
    [['--transport=pulsar'], 'UGC_TRANSPORT=pulsar needs UGC_PULSAR_URL'],
    [['--pulsar-url=pulsar:8080'], 'must be http://host:8080 or https://host:8443'],
    [['--pulsar-url=http://me:secret@pulsar:8080'], 'must be http://host:8080 or https://host:8443'],
    [['--pulsar-namespace=public'], 'must be tenant/namespace'],
    [['--tls-cert=a'], 'UGC_TLS_CERT and UGC_TLS_KEY need each other'],
    [['--tls-key=a'], 'UGC_TLS_CERT and UGC_TLS_KEY need each other'],
    [['--tls-client-ca=a'], 'UGC_TLS_CLIENT_CA needs UGC_TLS_CERT'],
    [['--hsts-seconds=1'], 'UGC_HSTS_SECONDS needs UGC_TLS_CERT'],
    [['--http-redirect-port=0'], 'UGC_HTTP_REDIRECT_PORT needs UGC_TLS_CERT'],
    [[...pair, '--http-redirect-to=https://a'], 'UGC_HTTP_REDIRECT_TO needs UGC_HTTP_REDIRECT_PORT'],
    [[...pair, '--http-redirect-port=0', '--http-redirect-to=http://a'], 'must be https://host[:port]'],
    [[...pair, '--http-redirect-port=0', '--http-redirect-to=https://a/b'], 'must be https://host[:port]'],
    [[...pair, '--admin-tls'], 'UGC_ADMIN_TLS needs UGC_ADMIN_PORT'],
    [['--admin-tls', '--admin-port=0'], 'UGC_ADMIN_TLS needs UGC_TLS_CERT'],
    [['--clickhouse-tls-ca=a', '--clickhouse-url=http://ch:8123'], 'need UGC_CLICKHOUSE_URL to be https://…'],
    [['--clickhouse-tls-ca=a'], 'need UGC_CLICKHOUSE_URL to be https://…'],
    [['--clickhouse-tls-key=a', '--clickhouse-url=https://ch'], 'UGC_CLICKHOUSE_TLS_KEY need each other'],
  ];
  for (const [flags, words] of cases) {
    const read = readConfig({ flags, env: {} });
    expect(read.ok ? [] : read.problems).toEqual([expect.stringContaining(words)]);
  }
});
