import { afterAll, beforeAll, expect, test } from 'bun:test';
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ResourcePatternTypes,
  type SASLOptions,
} from 'kafkajs';
import { ensureTopics } from '../../src/adapters/kafka/connect/ensure-topics.ts';
import type { KafkaLogOptions } from '../../src/adapters/kafka/connect/options.ts';
import { kafkaLog } from '../../src/adapters/kafka/write/log.ts';
import { envelope } from '../support/buffer.ts';
import { kafkaClient, type Secure, startKafka, type TestKafka } from '../support/kafka.ts';
import { until } from '../support/until.ts';

let kafka: TestKafka;
let secure: Secure;
beforeAll(async () => {
  kafka = await startKafka({ isSecure: true });
  if (kafka.secure === null) throw new Error('this test needs a broker of its own: unset UGC_TEST_KAFKA_BROKERS');
  secure = kafka.secure;
  await ensureTopics({ brokers: kafka.brokers, clientId: 'test', requestTimeoutMs: 30_000 }, ['secure'], {
    partitions: 2,
    replicas: 1,
  });
});
afterAll(() => kafka.stopForGood());

const login = (password = secure.password): SASLOptions => ({
  mechanism: 'plain',
  username: secure.username,
  password,
});

/** What becomes of one event. */
async function published(how: Partial<KafkaLogOptions>, topic = 'secure'): Promise<string> {
  const log = kafkaLog({
    brokers: secure.brokers,
    clientId: 'ugc',
    requestTimeoutMs: 20_000,
    connectionTimeoutMs: 10_000,
    ...how,
  });
  const [outcome] = await log.publish([{ ...envelope('a'), topic }]);
  await log.close();
  return outcome!.ok ? outcome!.stored : `${outcome!.error.code}: ${outcome!.error.message}`;
}

test('TLS with PLAIN and with SCRAM-SHA-256 stores', async () => {
  const ssl = { ca: secure.ca };
  const { username, password } = secure;
  expect(await published({ ssl, sasl: login() })).toBe('kafka');
  expect(await published({ ssl, sasl: { mechanism: 'scram-sha-256', username, password } })).toBe('kafka');
});

test('a wrong password halts and is said', async () => {
  expect(await published({ ssl: { ca: secure.ca }, sasl: login('wrong') })).toMatch(/^log_halted: .*user or password/);
  const { username } = secure;
  const sasl: SASLOptions = { mechanism: 'scram-sha-256', username, password: 'wrong' };
  expect(await published({ ssl: { ca: secure.ca }, sasl })).toMatch(/^log_halted: .*user or password/);
});

test('an authority that is not trusted halts and is said', async () => {
  expect(await published({ ssl: {}, sasl: login() })).toMatch(/^log_halted: .*TLS does not work/);
});

test('a user without the right to write, or to see the topic, halts and the ACL is named', async () => {
  const forbidden = { 'no.write': AclOperationTypes.WRITE, 'no.describe': AclOperationTypes.ALL };
  const names = Object.keys(forbidden);
  await ensureTopics({ brokers: kafka.brokers, clientId: 'test', requestTimeoutMs: 30_000 }, names, {
    partitions: 1,
    replicas: 1,
  });
  const admin = kafkaClient(kafka.brokers, 5).admin();
  await admin.connect();
  const acl = Object.entries(forbidden).flatMap(([resourceName, denied]) =>
    [
      [AclPermissionTypes.DENY, denied],
      [AclPermissionTypes.ALLOW, AclOperationTypes.DESCRIBE],
    ].map(([permissionType, operation]) => ({
      resourceType: AclResourceTypes.TOPIC,
      resourceName,
      resourcePatternType: ResourcePatternTypes.LITERAL,
      principal: `User:${secure.username}`,
      host: '*',
      operation: operation as AclOperationTypes,
      permissionType: permissionType as AclPermissionTypes,
    })),
  );
  await admin.createAcls({ acl });
  await admin.disconnect();
  const how = { ssl: { ca: secure.ca }, sasl: login() };
  for (const topic of names)
    await until(
      async () => /^log_halted: .*ACL: Write.*TOPIC_AUTHORIZATION_FAILED/.test(await published(how, topic)),
      `${topic} is forbidden`,
    );
  expect(await published(how)).toBe('kafka');
});

test('where a certificate is asked for, ours is shown, and without one nothing is stored', async () => {
  const { mutualBrokers: brokers, ca, key } = secure;
  expect(await published({ brokers, ssl: { ca, cert: ca, key } })).toBe('kafka');
  expect(await published({ brokers, ssl: { ca } })).toMatch(/^log_(halted|unavailable|unknown): /);
});

test('plain text to a TLS port is not stored', async () => {
  expect(await published({})).toMatch(/^log_unavailable: /);
});

test('topics are looked for as the same user', async () => {
  const options = {
    brokers: secure.brokers,
    clientId: 'ugc',
    requestTimeoutMs: 30_000,
    ssl: { ca: secure.ca },
    sasl: login(),
  };
  expect(await ensureTopics(options, ['secure', 'secure.more'], { partitions: 1, replicas: 1 })).toEqual([
    'secure.more',
  ]);
});
