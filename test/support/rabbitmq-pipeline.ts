// The whole pipeline of the etl's chaos over RabbitMQ: one node behind a proxy, an edge under load, another team that
// publishes past it, and what moves their events (etl-parts.ts). And what can go wrong with the node.

import { timed } from '../../src/process/sleep.ts';
import type { EtlBroker } from './etl-broker.ts';
import type { Replaying } from './etl-faults.ts';
import { topics } from './etl-oracle.ts';
import { type EtlParts, startEtl } from './etl-parts.ts';
import { type Make, missed, networkFaults } from './faults.ts';
import type { Ledger } from './load.ts';
import { otherTeam } from './other-team.ts';
import { rabbitmqClient, startRabbitmq, type TestRabbitmq } from './rabbitmq.ts';
import { type Random, seeded } from './random.ts';
import { type TcpProxy, tcpProxy } from './tcp-proxy.ts';
import { eventually, temporaryFolder } from './ugc.ts';
import { type UgcLives, ugcLives } from './ugc-lives.ts';

export type Kind = 'stream' | 'quorum';

export interface RabbitmqPipeline {
  readonly rabbitmq: TestRabbitmq;
  readonly edge: UgcLives;
  readonly etl: EtlParts;
  readonly sessionMs: number;
  /** Null: a quorum queue cannot be read again. */
  readonly replaying: Replaying | null;
  /** Of the node and the ways to it. */
  readonly faults: readonly Make[];
  /** What the other team wrote and no one can make a row of, `topic` and base64. */
  readonly poison: ReadonlySet<string>;
  /** Nobody publishes any more; what runs, runs unhindered. */
  quiet(): Promise<void>;
  close(): Promise<void>;
}

const heartbeatSeconds = 1;
/** The one topic that is read again, so that nothing else is held to a lesser promise than it. */
const againTopic = 'ugc.quality_change';

export async function startRabbitmqPipeline(kind: Kind, random: Random, ledger: Ledger): Promise<RabbitmqPipeline> {
  const rabbitmq = await startRabbitmq('own');
  const jitter = seeded(random.seed + 1).next;
  const proxy = await tcpProxy({ target: rabbitmq.port, random: jitter });
  const reaching = [
    ...['--transport=rabbitmq', `--rabbitmq-queue=${kind}`, '--rabbitmq-request-timeout-ms=3000'],
    ...[
      `--rabbitmq-url=amqp://guest:guest@127.0.0.1:${proxy.port}`,
      `--rabbitmq-heartbeat-seconds=${heartbeatSeconds}`,
    ],
  ];
  let reading = 1;
  const again = () => [`--from=${againTopic}/0=0`, `--rabbitmq-group=again-${reading}`];
  const etl = await startEtl({ jitter, reading: reaching, again: kind === 'stream' ? again : null });
  const { replayer, clickhouse, database } = etl;
  const edge = await ugcLives({
    dataDir: temporaryFolder(),
    flags: [...reaching, '--role=ingest', '--request-log=false'],
    random: seeded(random.seed + 2),
    ledger,
    circumstances: () => 'chaos',
    isExcused: () => true, // how soon the edge answers is the business of kafka-chaos.test.ts
    makeRoom: () => {},
    pauseMsMax: 900, // what is written has to be moved, too, on the same cores
  });
  const writing = new AbortController();
  const poison = new Set<string>();
  const team = otherTeam({
    broker: rabbitmqTeam(rabbitmq.url, ledger, poison),
    random: seeded(random.seed + 3),
    ledger,
    topics: new Map(['click', 'film_watched', 'quality_change'].map(type => [type, `ugc.${type}`])),
    signal: writing.signal,
  });
  return {
    ...{ rabbitmq, edge, etl, poison },
    sessionMs: 2 * heartbeatSeconds * 1_000,
    replaying:
      replayer === null
        ? null
        : {
            ...{ random, clickhouse, replayer },
            table: `${database}.${againTopic.replace('ugc.', '')}_rows`,
            readAgain: () => {
              reading++;
            },
            replayDead: etl.replayDead,
          },
    faults: nodeFaults(rabbitmq, proxy, random),
    async quiet() {
      writing.abort();
      await edge.quiet();
      proxy.heal();
      etl.heal();
      await rabbitmq.ready();
      await team;
    },
    async close() {
      await etl.close();
      await proxy.close();
      await rabbitmq.stopForGood();
    },
  };
}

/** A plain client with confirms, another after each that failed; what the node returned, no queue has taken. */
function rabbitmqTeam(url: string, { sent }: Ledger, poison: Set<string>): Pick<EtlBroker, 'write'> {
  let client: Confirming | null = null;
  return {
    async write(topic, values) {
      client ??= await confirming(url);
      const bytes = values.map(value => Buffer.from(value ?? ''));
      try {
        await client.publish(topic, bytes);
      } catch (error) {
        client.drop();
        client = null;
        throw error;
      }
      for (const each of bytes) if (!sent.has(idOf(each))) poison.add(`${topic} ${each.toString('base64')}`);
    },
  };
}

interface Confirming {
  publish(topic: string, values: readonly Buffer[]): Promise<void>;
  drop(): void;
}

async function confirming(url: string): Promise<Confirming> {
  const model = await rabbitmqClient(url);
  const channel = await model.createConfirmChannel();
  const over = Promise.withResolvers<never>();
  over.promise.catch(() => {});
  channel.on('error', () => {});
  channel.on('close', () => over.reject(new Error('the channel is over')));
  model.on('close', () => over.reject(new Error('the connection is over')));
  let isReturned = false;
  channel.on('return', () => {
    isReturned = true;
  });
  return {
    async publish(topic, values) {
      isReturned = false;
      for (const each of values) channel.publish('', topic, each, { persistent: true, mandatory: true });
      await timed(5_000, Promise.race([channel.waitForConfirms(), over.promise]), () => {
        throw new Error('no confirm');
      });
      if (isReturned) throw new Error(`no queue ${topic} took it`);
    },
    // In words it may never be answered.
    drop: () => (model.connection as unknown as { stream: { destroy(): void } }).stream.destroy(),
  };
}

export function idOf(value: Buffer): string {
  try {
    return (JSON.parse(value.toString()) as { event_id?: string } | null)?.event_id ?? '';
  } catch {
    return '';
  }
}

function nodeFaults(rabbitmq: TestRabbitmq, proxy: TcpProxy, random: Random): readonly Make[] {
  /** Told in a moment, or never mind: the node may be dead or hung just now. */
  const told = (...command: string[]): Promise<boolean> =>
    rabbitmq.control('--timeout', '5', ...command).then(
      () => true,
      () => false,
    );
  const alarm = (name: string, begin: readonly string[], end: readonly string[]): Make => {
    return () => ({
      kind: name,
      begin: async () => ((await told(...begin)) ? undefined : missed),
      end: () => eventually(() => told(...end), { pauseMs: 500, what: `the end of: ${name}` }),
    });
  };
  return [
    // Started, not waited for: what comes next may meet it on its way up.
    () => ({ kind: 'node killed', begin: rabbitmq.kill, end: rabbitmq.start }),
    () => ({ kind: 'node hung', begin: rabbitmq.stop, end: rabbitmq.cont }),
    () => ({
      kind: 'connections closed by the node',
      begin: async () => ((await told('close_all_connections', 'chaos')) ? undefined : missed),
      end: () => {},
    }),
    alarm('memory alarm', ['set_vm_memory_high_watermark', 'absolute', '1MB'], ['set_vm_memory_high_watermark', '0.6']),
    alarm('disk alarm', ['set_disk_free_limit', '10000GB'], ['set_disk_free_limit', '50MB']),
    ...networkFaults({ to: '', random, hitOf: () => ({ whom: '', proxies: [proxy] }) }),
  ];
}

/** Each record that lies in the streams, once and in its order, as another team would read them. */
export async function eachInStreams(url: string, take: (topic: string, value: Buffer) => void): Promise<void> {
  const model = await rabbitmqClient(url);
  for (const topic of topics) {
    const channel = await model.createChannel();
    await channel.prefetch(1_000);
    let at = performance.now();
    await channel.consume(
      topic,
      message => {
        if (message === null) return;
        at = performance.now();
        take(topic, message.content);
        channel.ack(message);
      },
      { arguments: { 'x-stream-offset': 'first' } },
    );
    // A stream does not tell its end; nobody writes to it any more.
    await eventually(async () => performance.now() - at > 2_000, { what: `the end of ${topic}` });
    await channel.close();
  }
  await model.close();
}
