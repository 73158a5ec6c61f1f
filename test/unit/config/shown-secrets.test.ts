// Which flags are said to show a secret, and that the words do not show it again.

import { expect, test } from 'bun:test';
import { shownSecretsOf } from '../../../src/config/shown-secrets.ts';

test('each secret given as a flag is said, with where it belongs and without its value', () => {
  const said = shownSecretsOf([
    '--port=0',
    '--clickhouse-password=hush',
    '--kafka-password=hush',
    '--jwt-secret=hush',
    '--clickhouse-url=http://me:hush@ch:8123',
  ]);
  expect(said).toHaveLength(4);
  for (const name of ['CLICKHOUSE_PASSWORD', 'KAFKA_PASSWORD', 'JWT_SECRET', 'CLICKHOUSE_URL'])
    expect(said.join('\n')).toContain(`UGC_${name}_FILE or UGC_${name} instead`);
  expect(said.join('\n')).not.toContain('hush');
});

test('nothing is said of what is no secret, or is empty', () => {
  expect(
    shownSecretsOf(['--port=0', '--kafka-user=me', '--clickhouse-password=', '--clickhouse-url=http://ch:8123']),
  ).toEqual([]);
});
