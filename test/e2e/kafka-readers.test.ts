// What docs/use/kafka.md promises to whoever else uses the topics, taken from it word for word: the consumer runs on records the
// binary wrote, and the rights it names are enough, and all that are needed.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from 'kafkajs';
import { catalogue } from '../../schemas/catalogue.ts';
import { edgeColumns } from '../../schemas/columns.ts';
import { clientEvent, typeOf } from '../support/events.ts';
import { kafkaClient, type Secure, startKafka, type TestKafka } from '../support/kafka.ts';
import { metric } from '../support/oracle.ts';
import { randomOf } from '../support/random.ts';
import { eventually, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const readme = readFileSync(join(import.meta.dir, '../../docs/use/kafka.md'), 'utf8');
const random = randomOf('kafka-readers');

let kafka: TestKafka;
let secure: Secure;
beforeAll(async () => {
  // Nobody may do anything that was not allowed, but for those without a name on the plain listener.
  kafka = await startKafka({ isSecure: true, properties: { 'allow.everyone.if.no.acl.found': 'false' } });
  if (kafka.secure === null) throw new Error('this test needs a broker of its own: unset UGC_TEST_KAFKA_BROKERS');
  secure = kafka.secure;
});
afterAll(() => kafka.stopForGood());

/** The page's consumer as a program of its own, beside a kafkajs as npm would have put it. */
function startConsumer(): { readonly events: Record<string, unknown>[]; end(): Promise<void> } {
  const code = /<!-- consumer:.*?-->\s*```js\n([\s\S]*?)```/.exec(readme)![1]!;
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(dirname(require.resolve('kafkajs/package.json')), join(folder, 'node_modules/kafkajs'));
  writeFileSync(join(folder, 'consumer.mjs'), code.replace('localhost:19092', kafka.brokers[0]!));
  const child = Bun.spawn([process.execPath, 'consumer.mjs'], { cwd: folder, stdout: 'pipe', stderr: 'ignore' });
  const events: Record<string, unknown>[] = [];
  const reading = (async () => {
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of child.stdout) {
      const lines = (text + decoder.decode(chunk, { stream: true })).split('\n');
      text = lines.pop()!;
      // kafkajs writes its own lines there too.
      events.push(...lines.map(line => JSON.parse(line)).filter(line => 'event_id' in line));
    }
  })();
  return {
    events,
    async end() {
      child.kill('SIGKILL');
      await reading;
    },
  };
}

/** Posts events and waits until Kafka has them; the first may go by way of the disk, as Kafka is cold. */
async function post(ugc: Ugc, events: readonly object[]): Promise<void> {
  expect((await ugc.post(events)).status).toBe(200);
  await eventually(async () => (await metric(ugc.url, 'ugc_buffer_events')) === 0, { what: 'all of it in Kafka' });
}

test('the consumer of the page reads every event once, as the page describes it', async () => {
  const ugc = await startUgc({
    dataDir: temporaryFolder(),
    flags: ['--role=ingest', `--kafka-brokers=${kafka.brokers}`],
  });
  const given = Array.from({ length: 200 }, () => clientEvent(random));
  await post(ugc, given);
  await post(ugc, given.slice(0, 50)); // repetitions
  await post(ugc, [{ ...given[0]!, event_id: Bun.randomUUIDv7(), properties: { a: [1], b: 'ü' } }]);
  await ugc.stop();

  const consumer = startConsumer();
  await eventually(() => consumer.events.length >= 201, { what: '201 events read' });
  await consumer.end();
  const read = new Map(consumer.events.map(event => [event.event_id, event]));
  expect(consumer.events.length).toBe(201);
  expect(read.size).toBe(201);
  for (const event of given) {
    const found = read.get(event.event_id)!;
    const type = catalogue.find(event.event_type)!;
    expect(Object.keys(found)).toEqual([...edgeColumns, ...type.allFields].map(({ name }) => name));
    expect(found).toMatchObject({ ...event, event_type: typeOf(event), sent_at: null, source: '', ip: '127.0.0.1' });
    expect(found.properties).toBeObject();
    for (const time of [found.received_at, found.timestamp])
      expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  }
  expect(consumer.events.filter(({ properties }) => JSON.stringify(properties) === '{"a":[1],"b":"ü"}').length).toBe(1);
});

test('the table of fields in the page is the one of the schemas, of every type', () => {
  const table = readme.slice(readme.indexOf('| Field | JSON |'), readme.indexOf('A consumer with kafkajs'));
  const named = [...table.matchAll(/^\| `(\w+)` \| ([\w ,]+) \|/gm)].map(([, name, json]) => [name, json]);
  const [text, number] = ['text', 'number'].map(word => new RegExp(`\\b${word}\\b`)) as [RegExp, RegExp];
  for (const type of catalogue.types) {
    const fields = [...edgeColumns, ...type.allFields.map(({ name, column }) => ({ name, type: column }))];
    const shared = fields.filter(({ name }) => !(name in type.fields) || name === 'user_id');
    expect(shared.map(({ name }) => name)).toEqual(named.map(([name]) => name!));
    shared.forEach(({ name, type: column }, at) => {
      const json = named[at]![1]!;
      if (name === 'properties') expect(json).toBe('object');
      else expect(json).toMatch(/Int\d+/.test(column) ? number : text);
      if (column.startsWith('Nullable')) expect(json).toEndWith('or null');
    });
  }
});

/** The lines of kafka-acls.sh in the page, as kafkajs would ask for them. */
function aclsOfReadme() {
  const commands = readme.matchAll(/^kafka-acls\.sh (?:.*\\\n)*.*$/gm);
  const upper = (word: string) => word.toUpperCase() as keyof typeof AclOperationTypes;
  return [...commands].flatMap(([command]) => {
    const one = (name: string) => new RegExp(`--${name} (\\S+)`).exec(command)?.[1];
    const operations = [...command.matchAll(/--operation (\w+)/g)].map(([, operation]) => operation!);
    expect(one('resource-pattern-type')).toBe('prefixed');
    return (['topic', 'group'] as const)
      .filter(resource => one(resource) !== undefined)
      .flatMap(resource =>
        operations.map(operation => ({
          resourceType: resource === 'topic' ? AclResourceTypes.TOPIC : AclResourceTypes.GROUP,
          resourceName: one(resource)!,
          resourcePatternType: ResourcePatternTypes.PREFIXED,
          principal: `User:${secure.username}`,
          host: '*',
          operation: AclOperationTypes[upper(operation)],
          permissionType: AclPermissionTypes.ALLOW,
        })),
      );
  });
}

test('the rights named in the page are enough; without one of them events wait on the disk and it is said which', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'ca.pem'), secure.ca);
  const env = {
    UGC_TOPIC: 'ugc.acl.{event_type}',
    UGC_KAFKA_BROKERS: secure.brokers.join(','),
    UGC_KAFKA_TLS: 'true',
    UGC_KAFKA_TLS_CA: join(folder, 'ca.pem'),
    UGC_KAFKA_SASL: 'scram-sha-256',
    UGC_KAFKA_USER: secure.username,
    UGC_KAFKA_PASSWORD: secure.password,
  };
  const ugc = await startUgc({ dataDir: temporaryFolder(), env });
  let posted = 0;
  const storedNow = async () => {
    posted++;
    return ((await (await ugc.post(clientEvent(random))).json()) as { stored: string }).stored;
  };
  const admin = kafkaClient(kafka.brokers, 5).admin();
  await admin.connect();
  const acl = aclsOfReadme();
  const only = (operation: AclOperationTypes) => acl.filter(each => each.operation === operation);
  expect(acl.map(({ operation }) => operation)).toEqual([
    AclOperationTypes.WRITE,
    AclOperationTypes.CREATE,
    AclOperationTypes.READ,
    AclOperationTypes.READ,
  ]);
  const says = (words: RegExp) =>
    eventually(async () => words.test(await (await fetch(`${ugc.url}/healthz/ready`)).text()), { what: String(words) });

  await says(/TOPIC_AUTHORIZATION_FAILED/);
  expect(await storedNow()).toBe('disk');
  await admin.createAcls({ acl: only(AclOperationTypes.WRITE) });
  await says(/These topics are missing, create them:.*kafka-topics\.sh --bootstrap-server/);
  expect(await storedNow()).toBe('disk');
  await admin.createAcls({ acl: only(AclOperationTypes.CREATE) });
  await eventually(async () => (await storedNow()) === 'kafka', { what: 'an event in Kafka' });
  await eventually(async () => (await metric(ugc.url, 'ugc_buffer_events')) === 0, { what: 'a drained buffer' });
  expect((await admin.listTopics()).filter(name => name.startsWith('ugc.acl.')).length).toBe(
    catalogue.types.length + 1,
  );
  await admin.createAcls({ acl: only(AclOperationTypes.READ) });
  await eventually(
    async () => Number((await ugc.query<{ n: string }>('SELECT count() AS n FROM ugc.events'))[0]!.n) === posted,
    {
      what: 'every event in ClickHouse',
      msMax: 60_000,
    },
  );
  await admin.deleteAcls({ filters: only(AclOperationTypes.WRITE) });
  await eventually(async () => (await storedNow()) === 'disk', { what: 'an event on the disk' });
  await says(/TOPIC_AUTHORIZATION_FAILED/);
  await admin.disconnect();
  expect(await ugc.stop()).toBe(0);
});
