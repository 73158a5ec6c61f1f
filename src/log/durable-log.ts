// The log the edge writes to: the broker with the disk behind it and the drain that brings back what went there, or the
// disk alone.
//
// Nothing here waits for the broker longer than a moment: events are taken from the start, and lie on the disk until it
// comes.

import { messageOf } from '../errors.ts';
import type { DiskBuffer } from '../ports/buffer.ts';
import type { Gate } from '../ports/flow-control.ts';
import type { Log } from '../ports/log.ts';
import type { Transport } from '../ports/transport.ts';
import type { Logger, Metrics } from '../process/telemetry.ts';
import { breakerOf } from './breaker.ts';
import { copiesOf } from './copies.ts';
import { diskLog } from './disk-log.ts';
import { startDrain } from './drain.ts';
import { hedge } from './hedge.ts';
import { paceOf } from './pace.ts';
import { keepTopics } from './topics.ts';

export interface DurableLog {
  readonly log: Log;
  /** Whether an event of so many bytes would be stored now. */
  takes(bytes: number): boolean;
  /** What does not work just now, in words. Events are durable all the same. */
  problems(): Readonly<Record<string, string>>;
  /** Topics that are written to from now on. */
  want(topics: readonly string[]): void;
  /** Resolves, with the reason, once the buffer can never be drained again. */
  readonly broken: Promise<string>;
  close(): Promise<void>;
}

export interface BrokerLogOptions {
  readonly transport: Transport;
  readonly buffer: DiskBuffer;
  readonly topics: readonly string[];
  /** Where events of a type go just now; null = this process does not know the type. */
  readonly topicOf: (type: string) => string | null;
  readonly ackBudgetMs: number;
  /** Of the way from the buffer to the broker. */
  readonly gate: Pick<Gate, 'isShut' | 'watch'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The buffer is the log: its readers are the roles' business. */
export const diskOnlyLog = (buffer: DiskBuffer): DurableLog => ({
  log: diskLog(buffer),
  takes: bytes => buffer.hasRoom(bytes),
  problems: () => ({}),
  want() {},
  broken: new Promise(() => {}),
  close: async () => {},
});

/**
 * So that the first events find their topics. A broker that hangs must not keep clients waiting for us at a restart.
 */
const firstLookMsMax = 1_500;

/** The broker being down is no failure. */
export async function openBrokerLog(options: BrokerLogOptions): Promise<DurableLog> {
  const { transport, buffer, topics, topicOf, ackBudgetMs, gate, logger, metrics } = options;
  const { title } = transport;
  const broker = transport.openLog();
  const copies = copiesOf();
  const pace = paceOf(transport.drainPace);
  const breaker = breakerOf({
    budgetMs: ackBudgetMs,
    onChange: reason => {
      metrics.breakerOpen.set(reason === null ? 0 : 1);
      if (reason === null) logger.info(`${title} answers again: events go there`);
      else logger.warn({ reason }, `${title} does not take events: they go to the disk buffer until it does`);
    },
  });
  const keeper = keepTopics({ transport, topics, logger });
  await Promise.race([keeper.looked, Bun.sleep(firstLookMsMax)]);
  const drain = startDrain({
    buffer,
    broker,
    breaker,
    copies,
    pace,
    topicOf,
    gate,
    logger,
    onDrained: (outcome, events) => metrics.bufferDrained.inc({ outcome }, events),
    onHalted: topic => keeper.want([topic]),
  });
  const log = hedge({
    broker,
    disk: diskLog(buffer),
    breaker,
    copies,
    budgetMs: ackBudgetMs,
    onAnswered: pace.answered,
  });
  return {
    log,
    takes: bytes => !breaker.isOpen || buffer.hasRoom(bytes),
    problems: () => ({
      ...(breaker.reason === null ? {} : { [transport.name]: breaker.reason }),
      ...(keeper.problem() === null ? {} : { topics: keeper.problem()! }),
      ...Object.fromEntries(drain.halted()),
    }),
    want: keeper.want,
    broken: new Promise(resolve => {
      drain.done.catch(error => resolve(`draining the disk buffer broke: ${messageOf(error)}`));
    }),
    async close() {
      keeper.stop();
      await log.close();
      await drain.stop();
    },
  };
}
