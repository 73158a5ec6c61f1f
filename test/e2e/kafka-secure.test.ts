import { afterAll, beforeAll, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientEvent } from '../support/events.ts';
import { type Secure, startKafka, type TestKafka } from '../support/kafka.ts';
import { metric } from '../support/oracle.ts';
import { randomOf } from '../support/random.ts';
import { eventually, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

let kafka: TestKafka;
let secure: Secure;
let right: Record<string, string>;
const random = randomOf('kafka-secure');

beforeAll(async () => {
  kafka = await startKafka({ isSecure: true });
  if (kafka.secure === null) throw new Error('this test needs a broker of its own: unset UGC_TEST_KAFKA_BROKERS');
  secure = kafka.secure;
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'ca.pem'), secure.ca);
  writeFileSync(join(folder, 'password'), `${secure.password}\n`);
  right = {
    UGC_KAFKA_BROKERS: secure.brokers.join(','),
    UGC_KAFKA_TLS: 'true',
    UGC_KAFKA_TLS_CA: join(folder, 'ca.pem'),
    UGC_KAFKA_SASL: 'scram-sha-256',
    UGC_KAFKA_USER: secure.username,
    UGC_KAFKA_PASSWORD_FILE: join(folder, 'password'),
  };
});
afterAll(() => kafka.stopForGood());

async function stored(ugc: Ugc): Promise<string> {
  const answer = (await (await ugc.post(clientEvent(random))).json()) as { stored: string };
  return answer.stored;
}

/** At the first start Kafka makes a topic for each type, which can take it longer than ours waits for it. */
const reachesKafka = (ugc: Ugc) =>
  eventually(async () => (await stored(ugc)) === 'kafka', { what: 'an event in Kafka' });

const readiness = async (ugc: Ugc) => {
  const response = await fetch(`${ugc.url}/healthz/ready`);
  return { status: response.status, text: await response.text() };
};

/** Starts with these settings, and shows that events are taken, on the disk, and why. Then sets it right. */
async function heals(wrong: Record<string, string>, words: RegExp): Promise<void> {
  const dataDir = temporaryFolder();
  const ugc = await startUgc({ dataDir, flags: ['--role=ingest'], env: { ...right, ...wrong } });
  expect(await stored(ugc)).toBe('disk');
  const { status, text } = await eventually(async () => {
    const ready = await readiness(ugc);
    return words.test(ready.text) ? ready : null;
  });
  expect(status).toBe(200);
  expect(text).not.toContain(secure.password);
  expect(ugc.output()).toMatch(words);
  expect(ugc.output()).not.toContain(secure.password);
  expect(await ugc.stop()).toBe(0);

  const healed = await startUgc({ dataDir, flags: ['--role=ingest'], env: right });
  await eventually(async () => (await metric(healed.url, 'ugc_buffer_events')) === 0, { what: 'a drained buffer' });
  expect(await metric(healed.url, 'ugc_buffer_drained_total')).toBe(1);
  await reachesKafka(healed);
  expect(await healed.stop()).toBe(0);
}

test('over TLS as a user with a password from a file, events reach Kafka', async () => {
  const ugc = await startUgc({ dataDir: temporaryFolder(), flags: ['--role=ingest'], env: right });
  await reachesKafka(ugc);
  expect(await ugc.stop()).toBe(0);
});

test('a wrong password is said, events lie on the disk and reach Kafka once it is right', async () => {
  const { UGC_KAFKA_PASSWORD_FILE: _, ...others } = right;
  right = { ...others, UGC_KAFKA_PASSWORD: secure.password };
  await heals({ UGC_KAFKA_PASSWORD: 'wrong' }, /refused the user or password/);
});

test('an authority that is not trusted is said, events lie on the disk and reach Kafka once it is', async () => {
  await heals({ UGC_KAFKA_TLS_CA: '' }, /TLS does not work/);
});

test('a PEM file that cannot be read is said at once', async () => {
  const started = startUgc({ dataDir: temporaryFolder(), env: { ...right, UGC_KAFKA_TLS_CA: '/nowhere/ca.pem' } });
  expect(await started.catch(error => error.message)).toMatch(/UGC_KAFKA_TLS_CA names a file that cannot be read/);
});
