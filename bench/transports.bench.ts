// Kafka, Pulsar, a RabbitMQ stream and a RabbitMQ quorum queue beside each other, and beside each the vendor's own client:
// `bun run bench/transports.bench.ts [--seconds=3] [--rows=80000] [--only=kafka,pulsar,stream,quorum]
// [--parts=publish,drain,freshness,outage]`. Each server is real and on the same two cores; one runs at a time.

import { cleanUp } from '../test/support/ugc.ts';
import { freshnessOver } from './etl-live.ts';
import { machine } from './process.ts';
import { keep, markdown, type Row } from './report.ts';
import type { BenchBroker } from './transports/broker.ts';
import { backlogOf, drainByPeer, drainByUgc } from './transports/drain.ts';
import { startKafkaBroker } from './transports/kafka.ts';
import { outageOfUgc } from './transports/outage.ts';
import { publishRows } from './transports/publish.ts';
import { startPulsarBroker } from './transports/pulsar.ts';
import { startRabbitmqBroker } from './transports/rabbitmq.ts';

const option = (name: string, standard: string): string =>
  process.argv.find(argument => argument.startsWith(`--${name}=`))?.slice(name.length + 3) ?? standard;
const seconds = Number(option('seconds', '3'));
const freshnessSeconds = 8;
const rowsWanted = option('rows', '');
const parts = option('parts', 'publish,drain,freshness,outage').split(',');

const brokers: Readonly<Record<string, () => Promise<BenchBroker>>> = {
  kafka: startKafkaBroker,
  pulsar: startPulsarBroker,
  stream: startRabbitmqBroker('stream'),
  quorum: startRabbitmqBroker('quorum'),
};

const titles = {
  1: 'One event a POST, answered after the confirm',
  100: '100 events a POST, answered after the confirm',
  alone: 'Our log alone, without HTTP and judging',
  drain: 'A backlog into nothing',
  freshness: 'POST → queryable, 1 000/s',
  outage: 'The disk buffer after an outage',
} as const;
const sections = new Map<string, Row[]>(Object.values(titles).map(title => [title, []]));

/** A run takes minutes. */
function tell(title: string, row: Row): void {
  sections.get(title)!.push(row);
  console.error(`${title}: ${JSON.stringify(row)}`);
}

/** How much more a core does by ours than by the peer: of the client's processor time, and of the server's with it. */
function compared(ours: Row, peer: Row): Row {
  const us = (row: Row, column: string): number => Number(row[column]);
  const own = 'core-µs/event';
  const server = 'server core-µs/event';
  return {
    ...ours,
    '× the peer, per core': us(peer, own) / us(ours, own),
    'with the server': (us(peer, own) + us(peer, server)) / (us(ours, own) + us(ours, server)),
  };
}

async function publish(broker: BenchBroker): Promise<void> {
  const rows = await publishRows(broker, seconds);
  for (const size of [1, 100] as const) {
    const [ours, ...peers] = rows[size];
    tell(titles[size], compared(ours!, peers[0]!));
    for (const peer of peers) tell(titles[size], peer);
  }
}

async function drain(broker: BenchBroker): Promise<void> {
  const events = backlog(broker);
  const ours = await drainByUgc(broker, await backlogOf(broker, events));
  const { written, ...filled } = await backlogOf(broker, events);
  const peer = await drainByPeer(broker, broker.peers[0]!, filled);
  tell(titles.alone, written);
  tell(titles.drain, compared(ours, peer));
  tell(titles.drain, peer);
}

const backlog = (broker: BenchBroker): number => (rowsWanted === '' ? broker.backlog : Number(rowsWanted));

// Servers and peers go with it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
console.log(machine());
for (const name of option('only', Object.keys(brokers).join(',')).split(',')) {
  const start = brokers[name];
  if (start === undefined) throw new Error(`--only=${name}: there are ${Object.keys(brokers).join(', ')}`);
  const broker = await start();
  try {
    if (parts.includes('publish')) await publish(broker);
    if (parts.includes('drain')) await drain(broker);
    if (parts.includes('freshness'))
      tell(
        titles.freshness,
        await freshnessOver(broker, { perSecond: 1_000, seconds: freshnessSeconds, watched: 'all' }),
      );
    if (parts.includes('outage')) tell(titles.outage, await outageOfUgc(broker, backlog(broker) / 2));
  } finally {
    await broker.stopForGood();
  }
}
const told = new Map([...sections].filter(([, rows]) => rows.length > 0));
for (const [title, rows] of told) console.log(`\n## ${title}\n\n${markdown(rows)}`);
console.log(`\nkept in ${await keep(told)}`);
cleanUp();
process.exit(0);
