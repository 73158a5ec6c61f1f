// The archive beside what else writes a Kafka topic into Parquet files for ever: Kafka Connect with Apache Iceberg's sink, one
// worker, as many tasks as there are cores, into a table on the same disk. The same backlog for both, one after the other.
// Of both the middle is measured: without a virtual machine's start, without the last files, which wait for their age.

import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { kafkaClient } from '../test/support/kafka.ts';
import { mavenJars } from '../test/support/maven-jars.ts';
import { temporaryFolder } from '../test/support/ugc.ts';
import { eventually } from '../test/support/until.ts';
import { archived } from './archive.bench.ts';
import { fill, filledTopics } from './fill.ts';
import { cpuUs } from './process.ts';
import type { Row } from './report.ts';
import { startKafkaBroker } from './transports/kafka.ts';

const version = '1.9.2';
const commitMs = 5_000;
const control = 'control-iceberg';
const heap = ['-Xms512m', '-Xmx2g'];

const connectJars = () =>
  mavenJars({
    title: 'Kafka Connect with the sink of Iceberg',
    name: 'kafka-connect-iceberg',
    version,
    artifacts: [
      ...['connect-runtime', 'connect-json'].map(name => `org.apache.kafka:${name}:4.1.1`),
      ...['iceberg-kafka-connect', 'iceberg-parquet'].map(name => `org.apache.iceberg:${name}:${version}`),
      ...['hadoop-client-api', 'hadoop-client-runtime'].map(name => `org.apache.hadoop:${name}:3.4.1`),
      'org.slf4j:slf4j-simple:1.7.36',
    ],
  });

type Broker = Awaited<ReturnType<typeof startKafkaBroker>>;

interface Backlog {
  readonly broker: Broker;
  readonly topics: readonly string[];
  readonly events: number;
  readonly json: number;
}

export async function archiveConnectBench(events: number): Promise<Row[]> {
  const found = await connectJars();
  if ('missing' in found) return [{ what: 'Kafka Connect', note: `not measured: ${found.missing}` }];
  const broker = await startKafkaBroker();
  const topic = `connect-${crypto.randomUUID()}.{event_type}`;
  const topics = filledTopics(topic);
  try {
    await broker.ensureTopics([...topics, control]);
    const { bytes: json } = await fill({ log: broker.openLog(), topic, events });
    const archiving = [`--archive-url=file://${temporaryFolder()}`, '--archive-format=parquet'];
    return [
      await archived('ugc, parquet, zstd', {
        ...{ broker, topic, events, json },
        archiving: [...archiving, '--archive-compression=zstd', '--archive-file-bytes=8388608'],
      }),
      await connected(found.jars, { broker, topics, events, json }),
    ];
  } finally {
    await broker.stopForGood();
  }
}

/** A worker of Connect that has nothing else to do. Answers its process. */
function startConnect(jars: string, folder: string, { broker, topics }: Backlog) {
  const brokers = broker.env('', '').UGC_KAFKA_BROKERS!;
  const worker = {
    'bootstrap.servers': brokers,
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': 'false',
    'offset.storage.file.filename': join(folder, 'offsets'),
    'consumer.auto.offset.reset': 'earliest',
    listeners: 'http://127.0.0.1:0',
  };
  const sink = {
    name: 'archive',
    'connector.class': 'org.apache.iceberg.connect.IcebergSinkConnector',
    'tasks.max': `${availableParallelism()}`,
    topics: topics.join(','),
    'iceberg.kafka.bootstrap.servers': brokers,
    'iceberg.tables': 'archive.events',
    'iceberg.tables.auto-create-enabled': 'true',
    'iceberg.tables.evolve-schema-enabled': 'true',
    'iceberg.tables.auto-create-props.write.parquet.compression-codec': 'zstd',
    'iceberg.catalog.type': 'hadoop',
    'iceberg.catalog.warehouse': `file://${folder}/warehouse`,
    'iceberg.control.topic': control,
    'iceberg.control.commit.interval-ms': `${commitMs}`,
  };
  for (const [name, settings] of Object.entries({ worker, sink }))
    writeFileSync(
      join(folder, name),
      Object.entries(settings)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(''),
    );
  const said = Bun.file(join(folder, 'log'));
  return Bun.spawn(
    [
      ...['java', ...heap, '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', `${jars}/*`],
      ...['org.apache.kafka.connect.cli.ConnectStandalone', join(folder, 'worker'), join(folder, 'sink')],
    ],
    { stdin: 'ignore', stdout: said, stderr: said },
  );
}

interface At {
  readonly total: number;
  readonly atMs: number;
  readonly us: number;
}

/** A commit of the sink moves its group: what lies between the first and the last commit before the end is measured. */
async function connected(jars: string, backlog: Backlog): Promise<Row> {
  const folder = temporaryFolder();
  const child = startConnect(jars, folder, backlog);
  const admin = kafkaClient(backlog.broker.env('', '').UGC_KAFKA_BROKERS!.split(',')).admin();
  await admin.connect();
  try {
    const commits: At[] = [];
    await eventually(
      async () => {
        if (child.exitCode !== null) throw new Error((await Bun.file(join(folder, 'log')).text()).slice(-3_000));
        const groups = await admin.fetchOffsets({ groupId: 'connect-archive', topics: [...backlog.topics] });
        const total = groups
          .flatMap(({ partitions }) => partitions)
          .reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
        if (total > (commits.at(-1)?.total ?? 0))
          commits.push({ total, atMs: performance.now(), us: cpuUs(child.pid) });
        return total >= backlog.events || null;
      },
      { what: 'Connect has committed all', msMax: 900_000, pauseMs: 50 },
    );
    const [first, last] = [commits[0]!, commits.at(-2)!];
    const count = last.total - first.total;
    const { stdout } = Bun.spawnSync(['du', '-sb', join(folder, 'warehouse')]);
    return {
      what: 'Kafka Connect, sink of Iceberg, parquet, zstd',
      'events/s': Math.round(count / ((last.atMs - first.atMs) / 1_000)),
      'core-µs/event': (last.us - first.us) / count,
      'bytes per JSON byte': Number(stdout.toString().split('\t')[0]) / backlog.json,
      note: `${commits.length} commits, ${count} events between the first and the last but one`,
    };
  } finally {
    await admin.disconnect();
    child.kill('SIGKILL');
    await child.exited;
  }
}
