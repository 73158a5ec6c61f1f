// Whether the log deletes what a reader has not come to: told before it happens, in words, in the log and by a metric.
//
// What is oldest is known of what was read and not finished; what waits behind that is younger. So a topic of which nothing
// was read yet has no figure, and neither has one that keeps its records for ever.

import type { Transport } from '../ports/transport.ts';
import { sleep } from '../process/sleep.ts';
import type { Logger } from '../process/telemetry.ts';

export interface RetentionWatchOptions {
  /** Null: the disk, which deletes nothing that a reader waits for. */
  readonly transport: Pick<Transport, 'keeps' | 'title'> | null;
  readonly topics: () => readonly string[];
  /** When the edge took the oldest record that is read and not finished, by topic; epoch milliseconds. */
  readonly oldest: () => ReadonlyMap<string, number>;
  /** What becomes of a record in time: `archived`. */
  readonly done: string;
  readonly logger: Logger;
  readonly now?: () => number;
  readonly askEveryMs?: number;
}

export interface RetentionWatch {
  /** Seconds until the oldest record of a topic is deleted, below 0 = it was; of topics that nothing waits in, all there are. */
  left(): ReadonlyMap<string, number>;
  /** In words, or null: all is well. */
  problem(): string | null;
  /** Idempotent. */
  stop(): Promise<void>;
}

/** Less of its retention than this is left: somebody has to do something. */
const shareMin = 0.25;
const lookEveryMs = 5_000;
const retryMs = 30_000;

export function watchRetention(options: RetentionWatchOptions): RetentionWatch {
  const { transport, topics, oldest, done, logger, now = Date.now, askEveryMs = 300_000 } = options;
  const ending = new AbortController();
  let keeps: ReadonlyMap<string, number> = new Map();
  let said = false;
  const looking = look();

  async function look(): Promise<void> {
    if (transport?.keeps === undefined) return;
    let askAtMs = 0;
    while (!ending.signal.aborted) {
      if (performance.now() >= askAtMs) {
        const isKnown = await ask(transport.keeps);
        askAtMs = performance.now() + (isKnown ? askEveryMs : Math.min(askEveryMs, retryMs));
      }
      tell();
      await sleep(Math.min(lookEveryMs, askEveryMs), ending.signal);
    }
  }

  /** False: the broker cannot say it now; what it said before counts. */
  async function ask(keepsOf: NonNullable<Transport['keeps']>): Promise<boolean> {
    try {
      keeps = await keepsOf(topics());
      return true;
    } catch (error) {
      // That it is away is told by who reads from it.
      logger.debug({ err: error }, 'how long the log keeps its records is not known now');
      return false;
    }
  }

  function tell(): void {
    const words = problem();
    if (words !== null && !said) logger.error(words);
    else if (words === null && said) logger.info(`nothing is about to be deleted that is not ${done}`);
    said = words !== null;
  }

  function leftOf(topic: string, keepsMs: number): number {
    const atMs = oldest().get(topic);
    return atMs === undefined ? keepsMs : keepsMs - Math.max(0, now() - atMs);
  }

  function problem(): string | null {
    const short = [...keeps]
      .map(([topic, keepsMs]) => ({ topic, keepsMs, leftMs: leftOf(topic, keepsMs) }))
      .filter(({ keepsMs, leftMs }) => leftMs < keepsMs * shareMin)
      .toSorted((a, b) => a.leftMs - b.leftMs);
    const [first] = short;
    if (first === undefined || transport === null) return null;
    const { topic, keepsMs, leftMs } = first;
    const others = short.length === 1 ? '' : `, and ${short.length - 1} other topics soon`;
    const when = leftMs <= 0 ? 'may have been deleted already' : `will be deleted in ${inWords(leftMs)}`;
    return `what is not ${done} of ${topic} ${when}${others}: ${transport.title} keeps a record for ${inWords(keepsMs)}, raise the topic’s retention until this has caught up`;
  }

  return {
    left: () => new Map([...keeps].map(([topic, keepsMs]) => [topic, leftOf(topic, keepsMs) / 1_000])),
    problem,
    stop: () => {
      ending.abort();
      return looking;
    },
  };
}

const hourMs = 3_600_000;

/** Rounded down: nobody has longer than it says. */
function inWords(ms: number): string {
  if (ms >= 48 * hourMs) return `${Math.floor(ms / (24 * hourMs))} days`;
  return ms >= 2 * hourMs ? `${Math.floor(ms / hourMs)} hours` : `${Math.floor(ms / 60_000)} minutes`;
}
