// The Kafka source before a broker that asks who it is: TLS, passwords, ACLs.

import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import {
  type AclEntry,
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  type Admin,
  ResourcePatternTypes,
} from 'kafkajs';
import { ensureTopics } from '../../src/adapters/kafka/connect/ensure-topics.ts';
import { kafkaClient, type Secure, startKafka, type TestKafka } from '../support/kafka.ts';
import { bytesMax, commitAll, namesOf, nothingPaused, read, sourcesOf, stamped } from '../support/kafka-source.ts';
import { eventually } from '../support/ugc.ts';

let kafka: TestKafka;
let secure: Secure;
let admin: Admin;
beforeAll(async () => {
  kafka = await startKafka({ isSecure: true });
  if (kafka.secure === null) throw new Error('this test needs a broker of its own: unset UGC_TEST_KAFKA_BROKERS');
  secure = kafka.secure;
  await ensureTopics({ brokers: kafka.brokers, clientId: 'test', requestTimeoutMs: 30_000 }, ['open', 'forbidden'], {
    partitions: 1,
    replicas: 1,
  });
  const client = kafkaClient(kafka.brokers, 10);
  admin = client.admin();
  const producer = client.producer();
  await Promise.all([admin.connect(), producer.connect()]);
  for (const topic of ['open', 'forbidden']) await producer.send({ topic, messages: [{ value: stamped(topic) }] });
  await producer.disconnect();
});
afterAll(async () => {
  await admin.disconnect();
  await kafka.stopForGood();
});
const login = (password = secure.password) => ({
  brokers: secure.brokers,
  ssl: { ca: secure.ca },
  sasl: { mechanism: 'plain', username: secure.username, password } as const,
});
const sources = sourcesOf(login);
afterEach(() => sources.closeAll());

const pollFor = (source: ReturnType<typeof sources.open>, ms: number) =>
  source.poll({ paused: nothingPaused, bytesMax }, AbortSignal.timeout(ms));

test('TLS and a password: it reads and commits', async () => {
  const source = sources.open('welcome', ['open']);
  await commitAll(source, await read(source, 1));
  const [offsets] = await admin.fetchOffsets({ groupId: 'welcome', topics: ['open'] });
  expect(offsets!.partitions).toMatchObject([{ offset: '1' }]);
});

test('a wrong password is said, and does not end it', async () => {
  const source = sources.open('stranger', ['open'], login('wrong'));
  await eventually(() => source.problem()?.match(/refused the user or password/));
  expect(await pollFor(source, 300)).toEqual([]);
});

test('ClickHouse#33433: a topic and a group that may not be read are said with the ACL, stop nobody else, and are read once they may', async () => {
  const deny = (resourceType: AclResourceTypes, resourceName: string): AclEntry => ({
    resourceType,
    resourceName,
    resourcePatternType: ResourcePatternTypes.LITERAL,
    principal: `User:${secure.username}`,
    host: '*',
    operation: AclOperationTypes.READ,
    permissionType: AclPermissionTypes.DENY,
  });
  const [topic, group] = [deny(AclResourceTypes.TOPIC, 'forbidden'), deny(AclResourceTypes.GROUP, 'outsiders')];
  await admin.createAcls({ acl: [topic, group] });
  const allow = async (acl: AclEntry): Promise<void> => void (await admin.deleteAcls({ filters: [acl] }));

  const outside = sources.open('outsiders', ['open']);
  await eventually(() => outside.problem()?.match(/ACL: Read on the group/));
  await allow(group);
  expect(namesOf(await read(outside, 1))).toEqual(['open']);

  const source = sources.open('insiders', ['forbidden', 'open']);
  expect(namesOf(await read(source, 1))).toEqual(['open']);
  await eventually(() => source.problem()?.match(/may not read the topic \(ACL: Read, Describe\)/));
  await allow(topic);
  expect(namesOf(await read(source, 1))).toEqual(['forbidden']);
  await eventually(() => source.problem() === null);
});
