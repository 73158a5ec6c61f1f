// What `docker compose up` would start is checked without Docker: settings against config.ts, names against each other.

import { afterAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import packageJson from '../../package.json' with { type: 'json' };
import { streams } from '../../schemas/event.ts';
import type { Config } from '../../src/config/config.ts';
import { readConfig } from '../../src/config/read.ts';
import {
  type ComposeService,
  composeVariables,
  composeWith,
  dockerfile,
  imageEnvironment,
  imageHealthcheck,
} from '../support/compose.ts';
import { kafkaVersion } from '../support/kafka-jars.ts';

const folder = mkdtempSync(join(tmpdir(), 'ugc-compose-'));
afterAll(() => rmSync(folder, { recursive: true }));

const three = {
  KAFKA_BROKERS: 'kafka:9092,kafka-2:9092,kafka-3:9092',
  KAFKA_REPLICATION: '3',
  KAFKA_MIN_INSYNC: '2',
};
const { services, volumes } = composeWith();
const named = Object.entries(services);
const ours = services.ugc!;
const targetOf = (mapping: string): string => mapping.split(':').at(-1)!;
const ports = ({ ports = [] }: ComposeService): string[] => ports.map(targetOf);
const secondsOf = (text = ''): number => Number(/^(\d+)s$/.exec(text)?.[1]);

/** As the first start of PostgreSQL writes it. */
const databaseUrl = 'postgres://ugc:made-at-first-start@postgres:5432/ugc?sslmode=disable';

/** What ugc would make of its environment in the container. */
function configOf(service: ComposeService): Config {
  const env = { ...imageEnvironment(), ...service.environment };
  const strings = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)]));
  const secrets = Object.fromEntries(
    Object.keys(strings)
      .filter(name => name.endsWith('_FILE'))
      .map(name => [name, join(folder, name)]),
  );
  for (const [name, path] of Object.entries(secrets))
    writeFileSync(path, name === 'UGC_DATABASE_URL_FILE' ? databaseUrl : 'made-at-first-start\n');
  const result = readConfig({ flags: [], env: { ...strings, ...secrets } });
  if (!result.ok) throw new Error(result.problems.join('\n'));
  return result.config;
}

describe('ugc in compose.yaml', () => {
  const config = configOf(ours);

  test('has settings that are settings, with values they take', () => {
    expect(config).toMatchObject({
      host: '0.0.0.0',
      dataDir: '/var/lib/ugc',
      role: ['all'],
      kafkaBrokers: 'kafka:9092',
      topicReplication: 1,
      clickhouseUrl: 'http://clickhouse:8123',
      clickhousePassword: 'made-at-first-start',
    });
  });

  test('an unknown setting would be noticed', () => {
    const wrong = { ...ours, environment: { ...ours.environment, UGC_KAFKA_BROKER: 'kafka:9092' } };
    expect(() => configOf(wrong)).toThrow('UGC_KAFKA_BROKER in the environment is not a setting');
  });

  test('is named for its version, and keeps its data in a volume where the image has it', () => {
    expect(ours.image).toBe(`ugc:${packageJson.version}`);
    expect(ours.build).toBe('.');
    expect(ours.volumes).toContain(`ugc-data:${config.dataDir}`);
    expect(dockerfile).toContain(`VOLUME ${config.dataDir}`);
  });

  test('reaches brokers and ClickHouse that are services listening there, one or three', () => {
    for (const env of [{}, three]) {
      const compose = composeWith(env);
      const { kafkaBrokers, topicReplication, clickhouseUrl } = configOf(compose.services.ugc!);
      const brokers = kafkaBrokers.split(',').map(address => address.split(':') as [string, string]);
      expect(brokers.length).toBe(topicReplication);
      for (const [host, port] of brokers) {
        const { environment, profiles } = compose.services[host]!;
        expect(environment.KAFKA_ADVERTISED_LISTENERS).toStartWith(`PLAINTEXT://${host}:${port},`);
        expect(environment.KAFKA_LISTENERS).toStartWith(`PLAINTEXT://:${port},`);
        expect(environment.KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR).toBe(String(brokers.length));
        expect(Number(environment.KAFKA_MIN_INSYNC_REPLICAS)).toBe(brokers.length === 3 ? 2 : 1);
        expect(profiles).toEqual(host === 'kafka' ? undefined : ['cluster']);
      }
      const clickhouse = new URL(clickhouseUrl);
      expect(ports(compose.services[clickhouse.hostname]!)).toContain(clickhouse.port);
    }
  });

  test('reads the password where ClickHouse writes it, and may only read it', () => {
    const file = String(ours.environment.UGC_CLICKHOUSE_PASSWORD_FILE);
    expect(services.clickhouse?.entrypoint?.at(-1)).toContain(`file=${file}\n`);
    expect(file).toStartWith('/run/ugc/');
    expect(services.clickhouse?.volumes).toContain('passwords:/run/ugc');
    expect(ours.volumes).toContain('passwords:/run/ugc:ro');
    expect(ours.environment.UGC_CLICKHOUSE_USER).toBe(services.clickhouse!.environment.CLICKHOUSE_USER!);
  });

  test('has more time to stop than it takes, and is not process 1, which cannot end itself', () => {
    expect(secondsOf(ours.stop_grace_period) * 1_000).toBeGreaterThan(config.shutdownTimeoutMs);
    expect(ours.init).toBe(true);
  });

  test('reads its file system but for its volume, and has no privilege', () => {
    expect(ours).toMatchObject({
      read_only: true,
      tmpfs: ['/tmp'],
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
  });

  test('is asked for its health where it listens', () => {
    expect(ours.healthcheck?.test.at(-1)).toContain(`/dev/tcp/127.0.0.1/${config.port} `);
    expect(ports(ours)).toEqual([String(config.port)]);
    expect(dockerfile).toContain(`EXPOSE ${config.port} ${config.clickhouseHttpPort}`);
  });
});

test('with the profile for streams every stream is moved by one service, and by no other', () => {
  const movers = named
    .filter(([, { profiles = [] }]) => profiles.includes('streams'))
    .map(([, mover]) => configOf(mover));
  expect(movers.map(({ role }) => role)).toEqual([['etl'], ['etl']]);
  expect(movers.flatMap(mover => mover.streams).toSorted()).toEqual([...streams].toSorted());
  expect(new Set(movers.map(({ kafkaGroup, topic }) => `${kafkaGroup} ${topic}`)).size).toBe(1);
  expect(configOf(composeWith({ UGC_ROLE: 'ingest' }).services.ugc!).role).toEqual(['ingest']);
});

test('with the profile for Pulsar events go there, to a service that is there, keeps them, and makes no topic unasked', () => {
  const { ugc, pulsar } = composeWith({ UGC_TRANSPORT: 'pulsar' }).services;
  const config = configOf(ugc!);
  expect([config.transport, config.pulsarUrl]).toEqual(['pulsar', 'http://pulsar:8080']);
  expect(pulsar!.profiles).toEqual(['pulsar']);
  expect(ports(pulsar!)).toEqual(['8080']);
  expect(pulsar!.environment).toMatchObject({
    webSocketServiceEnabled: 'true',
    allowAutoTopicCreation: 'false',
    defaultRetentionSizeInMB: -1,
  });
  expect(Number(pulsar!.environment.webSocketSessionIdleTimeoutMillis)).toBeGreaterThanOrEqual(10_000);
});

test('with the profile for content its service has a database that is there, an issuer of tokens, and a folder of its own', () => {
  const { content, postgres } = composeWith({ JWT_ISSUER: 'https://issuer.example', JWT_AUDIENCE: 'ugc' }).services;
  const config = configOf(content!);
  expect(config).toMatchObject({ role: ['content'], auth: ['jwt'], kafkaBrokers: 'kafka:9092', databaseUrl });
  expect([content!.profiles, postgres!.profiles]).toEqual([['content'], ['content']]);
  expect(content!.volumes).toContain(`content-data:${config.dataDir}`);
  expect(content!.volumes).toContain('passwords:/run/ugc:ro');
  expect(ports(content!)).toEqual([String(config.port)]);
  expect(() => configOf(composeWith().services.content!)).toThrow('UGC_JWT_ISSUER');
});

test('with the profile for the demo the site is what npm run demo starts, and the browser finds both by the ports outside', () => {
  const { demo, ugc } = composeWith({ DEMO_PORT: '9000', DEMO_UGC_PORT: '9001' }).services;
  expect(demo!.profiles).toEqual(['demo']);
  expect(demo!.build).toEqual({ context: '.', target: 'build' });
  expect(dockerfile).toMatch(/^FROM \S+ AS build$/m);
  expect(demo!.image).toBe(`ugc-demo:${packageJson.version}`);
  expect(demo!.command!.join(' ')).toBe(packageJson.scripts.demo);
  expect(demo!.ports).toEqual(['127.0.0.1:9000:9000', '127.0.0.1:9001:9001']);
  const { DEMO_HOST, DEMO_PORT, DEMO_UGC_PORT, DEMO_UGC_ROLE, ...environment } = demo!.environment;
  expect([DEMO_HOST, DEMO_PORT, DEMO_UGC_PORT]).toEqual(['0.0.0.0', '9000', '9001']);
  // Who may send is said by the program itself, and who its users are.
  const told = { UGC_AUTH: 'keys,jwt', UGC_JWT_SECRET: 'x'.repeat(32), UGC_ROLE: DEMO_UGC_ROLE! };
  const [config, main] = [configOf({ environment: { ...environment, ...told } }), configOf(ugc!)];
  expect(config.role).toEqual(['ingest', 'content']);
  for (const name of ['kafkaBrokers', 'topicReplication', 'topic', 'clickhouseUrl', 'clickhousePassword'] as const)
    expect(config[name]).toBe(main[name]);
  expect(demo!.volumes).toEqual(['passwords:/run/ugc:ro']);
  expect(secondsOf(demo!.stop_grace_period) * 1_000).toBeGreaterThan(config.shutdownTimeoutMs);
});

test('with the profile for RabbitMQ there is one that its settings reach', () => {
  const variables = { UGC_TRANSPORT: 'rabbitmq', RABBITMQ_URL: 'amqp://ugc:ugc@rabbitmq' };
  const { ugc, rabbitmq } = composeWith(variables).services;
  const config = configOf(ugc!);
  expect(config).toMatchObject({ transport: 'rabbitmq', rabbitmqQueue: 'stream' });
  const { hostname, username, password, port } = new URL(config.rabbitmqUrl);
  expect(services[hostname]).toBe(services.rabbitmq);
  expect(rabbitmq!.profiles).toEqual(['rabbitmq']);
  expect(rabbitmq!.environment).toEqual({ RABBITMQ_DEFAULT_USER: username, RABBITMQ_DEFAULT_PASS: password });
  expect(ports(rabbitmq!)).toEqual([port || '5672']);
});

test('with the profile observe every service of ours is asked for its metrics, by its name and port', async () => {
  const { prometheus, grafana } = services;
  expect([prometheus!.profiles, grafana!.profiles]).toEqual([['observe'], ['observe']]);
  const root = join(import.meta.dir, '../..');
  const text = readFileSync(join(root, 'deploy/prometheus/prometheus.yaml'), 'utf8');
  const { scrape_configs } = Bun.YAML.parse(text) as {
    readonly scrape_configs: readonly { readonly dns_sd_configs: readonly { names: string[]; port: number }[] }[];
  };
  const [found] = scrape_configs[0]!.dns_sd_configs;
  const own = named.filter(([, { image = '' }]) => image.startsWith('ugc:'));
  expect(found!.names.toSorted()).toEqual(own.map(([name]) => name).toSorted());
  expect(configOf(ours).port).toBe(found!.port);
  for (const [outside] of [...prometheus!.volumes!, ...grafana!.volumes!].map(volume => volume.split(':')))
    if (outside!.startsWith('.')) expect(existsSync(join(root, outside!)), outside).toBe(true);
  const home = String(grafana!.environment.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH);
  expect(existsSync(join(root, 'deploy/grafana', home.replace('/var/lib/grafana/', '')))).toBe(true);
});

test('PostgreSQL makes a password at its first start, or takes one that is given, and keeps it; ugc is told by a file', async () => {
  const [command, ...flags] = services.postgres!.entrypoint!.slice(0, -1);
  const start = async (home: string, password: string): Promise<readonly [string, string]> => {
    const script = services
      .postgres!.entrypoint!.at(-1)!
      .replaceAll('/run/ugc/', `${home}/`)
      .replace('exec docker-entrypoint.sh postgres', 'exec printenv POSTGRES_PASSWORD');
    const child = Bun.spawn([command!, ...flags, script], {
      env: { PATH: process.env.PATH!, DATABASE_PASSWORD: password },
      stdout: 'pipe',
    });
    const text = await new Response(child.stdout).text();
    expect(await child.exited).toBe(0);
    return [text.trim(), readFileSync(join(home, 'database-url'), 'utf8')];
  };
  const [first, second] = [mkdtempSync(join(folder, 'first-')), mkdtempSync(join(folder, 'second-'))];
  const [made, url] = await start(first, '');
  expect(made).toMatch(/^[\w-]{32}$/);
  expect(url).toBe(databaseUrl.replace('made-at-first-start', made));
  expect(await start(first, 'another')).toEqual([made, url]); // the database has the first one
  expect((await start(second, 'given'))[0]).toBe('given');
});

test('every service has a pinned image, a health check, a restart policy, time to stop and enough files', () => {
  for (const [name, service] of named) {
    const said = {
      image: /^[\w./-]+:v?\d+(\.\d+)+$/.test(service.image ?? ''),
      health: (service.healthcheck?.test.length ?? 0) > 1,
      restart: service.restart,
      time: secondsOf(service.stop_grace_period) > 10,
      files: (service.ulimits?.nofile?.hard ?? 0) >= 65_536,
    };
    expect({ name, ...said }).toEqual({
      name,
      image: true,
      health: true,
      restart: 'unless-stopped',
      time: true,
      files: true,
    });
  }
});

test('the images are those that are tested against, and those of the Dockerfile are pinned', () => {
  for (const name of ['kafka', 'kafka-2', 'kafka-3'])
    expect(services[name]?.image).toBe(`apache/kafka:${kafkaVersion}`);
  const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image!);
  expect(bases.length).toBe(2);
  for (const image of bases) expect(image).toMatch(/^(node:\d+\.\d+\.\d+-bookworm-slim|debian:bookworm-\d{8}-slim)$/);
  const steps = [...dockerfile.matchAll(/^RUN (\.ci\/bun .*)$/gm)].map(([, step]) => step!);
  expect(steps).toHaveLength(2);
  for (const step of steps) expect(packageJson.scripts.start).toContain(step);
  expect(dockerfile.indexOf('\nUSER ugc\n')).toBeGreaterThan(dockerfile.lastIndexOf('\nRUN '));
  expect(imageHealthcheck()[0]).toBe('bash');
});

test('every port is bound to this machine and belongs to one service; what a broker says of itself is where it is', () => {
  const published = named.flatMap(([, { ports = [] }]) => ports);
  for (const port of published) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  expect(new Set(published.map(port => port.split(':')[1])).size).toBe(published.length);
  for (const [name, service] of named.filter(([name]) => name.startsWith('kafka'))) {
    const [, hostPort, port] = service.ports![0]!.split(':');
    expect({ name, said: service.environment.KAFKA_ADVERTISED_LISTENERS }).toEqual({
      name,
      said: `PLAINTEXT://${name}:9092,HOST://localhost:${hostPort}`,
    });
    expect(service.environment.KAFKA_LISTENERS).toContain(`,HOST://:${port}`);
  }
});

test('every volume and service that is named is there, and no volume is shared but the passwords, and the audit log with who ships it', () => {
  const sources = named.flatMap(([, { volumes = [] }]) => volumes.map(volume => volume.split(':')[0]!));
  // A folder of the repository is there, and a service may only read it.
  for (const folder of sources.filter(name => name.startsWith('./')))
    expect([folder, existsSync(join(import.meta.dir, '../..', folder))]).toEqual([folder, true]);
  const outside = sources.filter(name => name.startsWith('/'));
  expect(outside).toEqual(['/var/lib/docker/containers']); // which Docker has on every machine
  const used = sources.filter(name => !name.startsWith('./') && !name.startsWith('/'));
  expect([...new Set(used)].toSorted()).toEqual(Object.keys(volumes).toSorted());
  expect([...new Set(used.filter((name, at) => used.indexOf(name) !== at))]).toEqual(['passwords', 'ugc-data']);
  const readers = named.filter(([, { volumes = [] }]) => volumes.some(volume => volume === 'ugc-data:/var/lib/ugc:ro'));
  const writers = named.filter(([, { volumes = [] }]) => volumes.some(volume => volume === 'ugc-data:/var/lib/ugc'));
  expect([readers, writers].map(group => group.map(([name]) => name))).toEqual([['filebeat'], ['ugc']]);
  for (const [, { depends_on: needed = [], profiles }] of named)
    for (const [name, how] of Object.entries(
      Array.isArray(needed) ? Object.fromEntries(needed.map(n => [n, {}])) : needed,
    )) {
      expect(Object.keys(services)).toContain(name);
      // A service of a profile that is off may not be needed by one that is on.
      if (services[name]!.profiles !== undefined && profiles === undefined)
        expect(how).toMatchObject({ required: false });
    }
});

test('each node of Kafka is one of one cluster, under a number of its own', () => {
  const nodes = named.filter(([name]) => name.startsWith('kafka')).map(([, { environment }]) => environment);
  expect(nodes.map(node => node.KAFKA_NODE_ID)).toEqual([1, 2, 3]);
  expect(new Set(nodes.map(node => node.CLUSTER_ID)).size).toBe(1);
  expect(Buffer.from(String(nodes[0]!.CLUSTER_ID), 'base64url').length).toBe(16);
  expect(nodes[0]!.KAFKA_CONTROLLER_QUORUM_VOTERS).toBe('1@kafka:9093');
  expect(nodes[0]!.KAFKA_LISTENERS).toContain('CONTROLLER://:9093');
});

test('.env.example names exactly the variables that are read, with their defaults', () => {
  const example = parseEnv(readFileSync(join(import.meta.dir, '../../.env.example'), 'utf8'));
  expect(example).toEqual(Object.fromEntries(composeVariables()));
});

test('ClickHouse makes a password at its first start, keeps it, and takes one that is given', async () => {
  const script = services
    .clickhouse!.entrypoint!.at(-1)!
    .replace('/run/ugc/', `${folder}/`)
    .replace('exec /entrypoint.sh', 'exec printenv CLICKHOUSE_PASSWORD');
  const file = join(folder, 'clickhouse-password');
  const start = async (password: string): Promise<string> => {
    const [command, ...flags] = services.clickhouse!.entrypoint!.slice(0, -1);
    const child = Bun.spawn([command!, ...flags, script], {
      env: { PATH: process.env.PATH!, CLICKHOUSE_PASSWORD: password },
      stdout: 'pipe',
    });
    const text = await new Response(child.stdout).text();
    expect(await child.exited).toBe(0);
    return text.trim();
  };
  const made = await start('');
  expect(made).toMatch(/^[\w-]{32}$/);
  expect(await start('')).toBe(made);
  expect(readFileSync(file, 'utf8').trim()).toBe(made);
  expect(await start('a given one')).toBe('a given one');
  expect(readFileSync(file, 'utf8').trim()).toBe('a given one');
});
