// Keeps the topics that are written to: those that are missing are created as soon as the broker can be asked, and when
// one is missed later.

import { messageOf, PipelineError } from '../errors.ts';
import type { Transport } from '../ports/transport.ts';
import { sleep } from '../process/sleep.ts';
import type { Logger } from '../process/telemetry.ts';

export interface KeepingOptions {
  readonly transport: Pick<Transport, 'ensureTopics'>;
  readonly topics: readonly string[];
  readonly logger: Logger;
}

export interface TopicKeeper {
  /** Resolved once the broker has been asked, whatever it said. */
  readonly looked: Promise<void>;
  /** These are written to from now on, or seem to be missing. */
  want(topics: readonly string[]): void;
  /** Why a topic is missing, in words; null = none is, as far as is known. */
  problem(): string | null;
  stop(): void;
}

const lookEveryMs = 60_000;
const retryMsMin = 500;
const retryMsMax = 10_000;

export function keepTopics({ transport, topics, logger }: KeepingOptions): TopicKeeper {
  const wanted = new Set(topics);
  const stopping = new AbortController();
  const looked = Promise.withResolvers<void>();
  let problem: string | null = null;
  let wake = new AbortController();

  void (async () => {
    for (let waitMs = retryMsMin; !stopping.signal.aborted; ) {
      wake = new AbortController();
      const error = await look();
      looked.resolve();
      if (error === null) waitMs = retryMsMin;
      const signal = AbortSignal.any([stopping.signal, wake.signal]);
      await sleep(retryMsMin, stopping.signal); // however many topics are missed
      await sleep((error === null ? lookEveryMs : waitMs) - retryMsMin, signal);
      waitMs = Math.min(waitMs * 2, retryMsMax);
    }
  })();

  async function look(): Promise<PipelineError | null> {
    try {
      const created = await transport.ensureTopics([...wanted]);
      if (created.length > 0) logger.info({ topics: created }, 'topics were created');
      problem = null;
      return null;
    } catch (thrown) {
      const error = thrown instanceof PipelineError ? thrown : new PipelineError('log_unavailable', messageOf(thrown));
      if (error.message !== problem && !stopping.signal.aborted)
        logger[error.retry === 'halt' ? 'error' : 'warn'](
          { code: error.code },
          `the topics could not be looked after: ${error.message}`,
        );
      problem = error.message;
      return error;
    }
  }

  return {
    looked: looked.promise,
    want(topics) {
      for (const topic of topics) wanted.add(topic);
      wake.abort();
    },
    problem: () => problem,
    stop: () => stopping.abort(),
  };
}
