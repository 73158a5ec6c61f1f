// RabbitMQ as the log the mover reads. Each topic has a reader of its own that begins again, after a moment, whenever its
// channel or connection is over; what it had read then is owned no more, and comes again from what is committed.
// - movers of a group share: of streams each has some, by tokens (token.ts), and one that has more than its part lets go;
//   of a quorum queue all have all, as the server deals its records out
// - nothing here rejects because RabbitMQ is away: it is told in the log once, and waited for

import type { PollOptions, Source } from '../../../ports/source.ts';
import { sleep, timed } from '../../../process/sleep.ts';
import { troublesOf } from '../../../process/troubles.ts';
import { waitingPoll } from '../../../process/waiting-poll.ts';
import { type Connection, openConnection } from '../connect/connection.ts';
import { errorOfRabbitmq } from '../connect/error.ts';
import { type RabbitmqSourceOptions, sourceDefaults } from '../connect/options.ts';
import { batchesOf, finishedOf } from './batches.ts';
import { type OpenShare, readQueue } from './queue.ts';
import type { Share } from './share.ts';
import { readStream } from './stream.ts';

/** What still waits for a server that is gone is left to itself. */
const closeMsMax = 2_000;

export interface RabbitmqSource extends Source {
  owns(batch: { readonly topic: string; readonly epoch?: number }): boolean;
  problem(): string | null;
  lag(): ReadonlyMap<string, number>;
}

export function rabbitmqSource(given: RabbitmqSourceOptions): RabbitmqSource {
  const options = { from: null, onReplaced: () => {}, ...sourceDefaults, ...given };
  const { topics, group, kind, tickMs, logger } = options;
  const troubles = troublesOf({ name: 'rabbitmq', title: 'RabbitMQ', logger });
  const closing = new AbortController();
  const shares = new Map<string, OpenShare>();
  let connection: Promise<Connection> | null = null;
  let turn = 0;
  let epochs = 0;
  let closed: Promise<void> | undefined;
  const polling = waitingPoll(taken, () => closing.signal.aborted);

  /** The one there is, or a new one for all. */
  function connected(): Promise<Connection> {
    if (connection !== null) return connection;
    const opening = openConnection(options, turn++);
    connection = opening;
    const forget = (): void => {
      if (connection === opening) connection = null;
    };
    opening.then(({ over }) => void over.then(forget), forget);
    return opening;
  }

  async function keep(topic: string): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        await readUntilLost(topic);
      } catch (thrown) {
        if (closing.signal.aborted) return;
        troubles.tell(topic, errorOfRabbitmq(thrown, 'before sending', `queue ${topic}`));
      }
      await sleep(tickMs * (0.5 + Math.random()), closing.signal);
    }
  }

  async function readUntilLost(topic: string): Promise<void> {
    const server = await connected();
    const epoch = ++epochs;
    // Another may have the stream: then all is well here.
    const common = { topic, epoch, onReady: polling.wake, onWaiting: () => troubles.clear(topic) };
    const opening =
      kind === 'quorum' ? readQueue(server, { ...options, ...common }) : readStream(server, { ...options, ...common });
    const opened = await opening;
    if (closing.signal.aborted) return;
    troubles.clear(topic);
    shares.set(topic, opened);
    polling.wake(); // what came before
    try {
      const error = await opened.over;
      // Else it was let go of.
      if (shares.get(topic) === opened) throw error;
    } finally {
      if (shares.get(topic) === opened) shares.delete(topic);
      await opened.release();
    }
  }

  /** How many movers of this group there are: each consumes a queue that nothing is ever put into. */
  async function keepShares(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        const server = await connected();
        const { channel, over } = await server.channel();
        const members = `ugc.members.${group}`;
        await channel.assertQueue(members, { durable: false, autoDelete: true });
        await channel.consume(members, () => {});
        let isOver = false;
        void over.then(() => {
          isOver = true;
        });
        while (!closing.signal.aborted && !isOver) {
          await sleep(tickMs, closing.signal);
          if (kind === 'stream') await letGo((await channel.checkQueue(members)).consumerCount);
        }
      } catch {
        // The readers tell what is wrong with the server.
      }
      await sleep(tickMs, closing.signal);
    }
  }

  /** One at a time, the others of the group waiting for it. */
  async function letGo(members: number): Promise<void> {
    const part = Math.ceil(topics.length / Math.max(1, members));
    if (shares.size <= part) return;
    const [topic, share] = [...shares].at(-1)!;
    logger.info({ topic, members, held: shares.size }, 'a stream is left to another mover');
    shares.delete(topic);
    await share.release();
  }

  async function keepTicking(): Promise<void> {
    while (!closing.signal.aborted) {
      await Promise.all([...shares.values()].map(({ share }) => share.tick().catch(() => {})));
      await sleep(tickMs, closing.signal);
    }
  }

  const keeping: Promise<unknown> = Promise.all([...topics.map(keep), keepShares(), keepTicking()]);
  keeping.catch(() => {});

  async function end(): Promise<void> {
    closing.abort();
    polling.wake();
    const open = [...shares.values()];
    shares.clear();
    await Promise.all(open.map(share => share.release()));
    const last = await connection?.catch(() => null);
    await last?.close();
    await timed(closeMsMax, keeping, () => []);
  }

  function find(topic: string, epoch: number | undefined): Share | undefined {
    const share = shares.get(topic)?.share;
    return share?.epoch === epoch ? share : undefined;
  }

  return {
    poll: polling.poll,
    async commit(ack) {
      const finished = finishedOf(ack);
      await find(finished.topic, finished.epoch)?.commit(finished);
    },
    owns: ({ topic, epoch }) => find(topic, epoch) !== undefined,
    problem: troubles.problem,
    lag: () =>
      new Map(
        [...shares.values()].flatMap(({ share }) => {
          const lag = share.lag();
          return lag === null ? [] : [[share.topic, lag] as const];
        }),
      ),
    close: () => (closed ??= end()),
  };

  function taken({ paused, bytesMax }: PollOptions) {
    let left = bytesMax;
    const batches = [];
    // Whoever was served goes behind the others.
    for (const [topic, open] of [...shares]) {
      if (paused.has(topic) || left <= 0) continue;
      const deliveries = open.share.take(left);
      if (deliveries.length === 0) continue;
      shares.delete(topic);
      shares.set(topic, open);
      left -= deliveries.reduce((sum, { content }) => sum + content.length + 1, 0);
      batches.push(...batchesOf(deliveries, open.share));
    }
    return batches;
  }
}
