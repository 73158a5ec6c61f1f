// RabbitMQ that lets nobody in without a certificate, a password and a right: the binary over amqps, what it says when one of
// them is wrong, where events are meanwhile, and an event that the node will never take.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { authorityIn, type Pair } from '../support/certificates.ts';
import { exampleClick } from '../support/events.ts';
import { freePorts } from '../support/free-ports.ts';
import { drained } from '../support/oracle.ts';
import { isWithoutRabbitmq, startRabbitmq, type TestRabbitmq } from '../support/rabbitmq.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const eventOf = (more: object = {}) => ({
  ...exampleClick,
  ...{ event_id: crypto.randomUUID(), timestamp: new Date().toISOString() },
  ...more,
});

const storedOf = async (ugc: Ugc, event: object = eventOf()): Promise<string> =>
  ((await (await ugc.post(event)).json()) as { stored: string }).stored;

describe.skipIf(isWithoutRabbitmq('own'))('RabbitMQ over TLS', () => {
  const folder = temporaryFolder();
  const authority = authorityIn(folder);
  const stranger = authorityIn(folder, 'stranger');
  let client: Pair;
  let rabbitmq: TestRabbitmq;
  let port: number;

  beforeAll(async () => {
    const server = authority.issue('rabbit');
    client = authority.issue('ugc');
    [port] = (await freePorts(1)) as [number];
    rabbitmq = await startRabbitmq('own', {
      conf: [
        `listeners.ssl.local = 127.0.0.1:${port}`,
        `ssl_options.cacertfile = ${authority.ca}`,
        `ssl_options.certfile = ${server.cert}`,
        `ssl_options.keyfile = ${server.key}`,
        'ssl_options.verify = verify_peer',
        'ssl_options.fail_if_no_peer_cert = true',
        'max_message_size = 20000',
      ],
    });
    await rabbitmq.control('add_vhost', 'events');
    for (const user of ['ugc', 'guard']) {
      await rabbitmq.control('add_user', user, 'right');
      await rabbitmq.control('set_permissions', '-p', 'events', user, ...rights[user]!);
    }
  });
  afterAll(() => rabbitmq?.stopForGood());

  /** As docs/operate/rabbitmq.md has them; the other may write to nothing. */
  const rights: Readonly<Record<string, readonly string[]>> = {
    ugc: [String.raw`^ugc\..*`, String.raw`^(ugc\..*|amq\.default)$`, String.raw`^ugc\..*`],
    guard: [String.raw`^ugc\..*`, '^$', String.raw`^ugc\..*`],
  };

  const urlOf = (user = 'ugc:right', vhost = 'events'): string => `amqps://${user}@localhost:${port}/${vhost}`;
  const certified = (): string[] => [
    ...[`--rabbitmq-tls-ca=${authority.ca}`, `--rabbitmq-tls-cert=${client.cert}`, `--rabbitmq-tls-key=${client.key}`],
  ];
  const flags = (more: readonly string[]): string[] => [
    ...['--transport=rabbitmq', '--auth=none', '--request-log=false', '--topic=ugc.{family}'],
    ...['--rabbitmq-connect-timeout-ms=10000', ...more],
  ];
  const start = (url: string, more: readonly string[], dataDir = temporaryFolder()): Promise<Ugc> =>
    startUgc({ dataDir, flags: flags(more), env: { UGC_RABBITMQ_URL: url } });

  test('with its authority, a certificate and the rights of the page events are rows by way of RabbitMQ', async () => {
    const ugc = await start(urlOf(), certified());
    await eventually(async () => (await storedOf(ugc)) === 'rabbitmq', { what: 'an event in RabbitMQ' });
    await eventually(async () => (await ugc.query('SELECT 1 FROM ugc.click LIMIT 1')).length === 1, { what: 'a row' });
    expect(ugc.output()).not.toContain('in plain');
    expect(await ugc.stop()).toBe(0);
  });

  const wrong: Readonly<Record<string, () => { url?: string; more?: readonly string[]; says: RegExp }>> = {
    'an authority that is not known': () => ({
      more: [`--rabbitmq-tls-ca=${stranger.ca}`, ...certified().slice(1)],
      says: /TLS does not work, see UGC_RABBITMQ_TLS_CA/,
    }),
    'no certificate': () => ({ more: certified().slice(0, 1), says: /UGC_RABBITMQ_TLS_CERT .*client certificate/ }),
    'a wrong password': () => ({ url: urlOf('ugc:wrong'), says: /password is refused, see UGC_RABBITMQ_URL/ }),
    'a wrong vhost': () => ({ url: urlOf(undefined, 'nowhere'), says: /vhost of UGC_RABBITMQ_URL/ }),
    'a vhost that is not for it': () => ({ url: urlOf(undefined, '%2F'), says: /vhost of UGC_RABBITMQ_URL/ }),
    'no right to write': () => ({ url: urlOf('guard:right'), says: /lacks a right, see rabbitmqctl set_permissions/ }),
  };

  test.each(Object.keys(wrong))(
    '%s is told by the name of its setting, events are on the disk and come later',
    async what => {
      const { url = urlOf(), more = certified(), says } = wrong[what]!();
      const dataDir = temporaryFolder();
      const barred = await start(url, [...more, '--role=ingest'], dataDir);
      const event = eventOf();
      expect(await storedOf(barred, event)).toBe('disk');
      await eventually(async () => says.test(barred.output()), { msMax: 20_000, what: `the words ${says}` });
      expect(barred.output()).not.toMatch(/right@|wrong@/);
      expect(await barred.stop()).toBe(0);
      const mended = await start(urlOf(), certified(), dataDir);
      await drained(mended);
      const id = event.event_id;
      await eventually(
        async () => (await mended.query(`SELECT 1 FROM ugc.click WHERE event_id = '${id}'`)).length === 1,
        { what: 'its row' },
      );
      expect(await mended.stop()).toBe(0);
    },
  );

  test('an event that is larger than the node takes is set aside with its reason, and those beside it flow', async () => {
    const dataDir = temporaryFolder();
    const ugc = await start(urlOf(), [...certified(), '--role=ingest'], dataDir);
    await eventually(async () => (await storedOf(ugc)) === 'rabbitmq', { what: 'an event in RabbitMQ' });
    const large = eventOf({ properties: { text: 'x'.repeat(30_000) } });
    expect(await storedOf(ugc, large)).toBe('disk');
    await eventually(async () => (await storedOf(ugc)) === 'rabbitmq', { what: 'the others flow' });
    await drained(ugc);
    const { code, stdout } = await runUgc(['buffer', 'inspect', '--quarantine', `--data-dir=${dataDir}`]);
    expect(code).toBe(0);
    expect(stdout).toContain(large.event_id);
    expect(ugc.output()).toContain('max_message_size is 20000');
    expect(await ugc.stop()).toBe(0);
  });
});
