// A mover that is kept going: it begins once its sink is prepared, ends in order and begins anew where there is more to
// read, and learns tables while it runs. Knows no sink by name.

import { messageOf, PipelineError } from '../errors.ts';
import type { Source } from '../ports/source.ts';
import type { TableDefinition } from '../ports/tables.ts';
import { sleep } from '../process/sleep.ts';
import type { GrowingSink } from './growing-sink.ts';
import { type Mover, type MoverOptions, startMover } from './loop.ts';

export interface SupervisedOptions extends Omit<MoverOptions, 'source' | 'types'> {
  readonly sink: GrowingSink;
  /** Where it is prepared already, a table that cannot be made is an error; else the sink is waited for. */
  readonly isPrepared: boolean;
  readonly tables: readonly TableDefinition[];
  /** While true nothing is moved yet: what would be judged now would be judged wrong. */
  readonly mayNotYet?: () => boolean;
  /** Opened anew when there is more to read than it knew of. */
  readonly openSource: () => Source;
}

export interface Supervised {
  /** What does not work just now, in words, by table or part. */
  problems(): Readonly<Record<string, string>>;
  /** When the edge took the oldest record polled and not yet in the sink, by topic. */
  oldest(): ReadonlyMap<string, number>;
  /** When it took the oldest of the last records polled, by topic: what follows there is hardly older. */
  reached(): ReadonlyMap<string, number>;
  /** Events not yet in the sink, by topic, where the log can tell. */
  lag(): Promise<ReadonlyMap<string, number>>;
  /**
   * These tables from now on, and with `reopen` a source opened anew. A sink that cannot be reached gets them once it can,
   * and until then their events wait. Rejects with `schema_incompatible`, and then nothing has changed.
   */
  define(tables: readonly TableDefinition[], reopen: boolean): Promise<void>;
  /** Resolves, with the reason, once moving can never go on. */
  readonly broken: Promise<string>;
  /** The sink stays open. */
  stop(): Promise<void>;
}

const mayNotYetMs = 1_000;
const prepareRetryMsMin = 200;
const prepareRetryMsMax = 10_000;

export function supervise(options: SupervisedOptions): Supervised {
  const { sink, isPrepared, openSource, mayNotYet = () => false, logger, metrics } = options;
  const stopping = new AbortController();
  const types = new Map(options.tables.map(({ type, version = 1 }) => [type, version]));
  let source: Source | null = null;
  let mover: Mover | null = null;
  let mustReopen = false;
  let unprepared: string | null = null;
  /** Tables that were defined while the sink could not be asked. */
  let undefinedYet: readonly TableDefinition[] | null = null;

  const moving = (async () => {
    while (mayNotYet() && !stopping.signal.aborted) await sleep(mayNotYetMs, stopping.signal);
    if (!isPrepared) await prepared(() => sink.prepare());
    while (!stopping.signal.aborted) {
      mustReopen = false;
      metrics.begun();
      source = openSource();
      mover = startMover({ ...options, source, types });
      await mover.done;
      if (!mustReopen) return;
    }
  })();

  async function define(tables: readonly TableDefinition[], reopen: boolean): Promise<void> {
    try {
      await sink.define(tables);
      undefinedYet = null;
    } catch (error) {
      if (isPrepared || (error instanceof PipelineError && error.code === 'schema_incompatible')) throw error;
      const isRetrying = undefinedYet !== null;
      undefinedYet = tables;
      if (!isRetrying) void defineLater();
    }
    // What waited for a newer version is behind the reader: it has to be read again.
    const hasGrown = tables.some(({ type, version = 1 }) => version > (types.get(type) ?? version));
    for (const { type, version = 1 } of tables) types.set(type, version);
    if (!(reopen || hasGrown) || mover === null) return;
    mustReopen = true;
    await mover.stop();
  }

  async function defineLater(): Promise<void> {
    while (undefinedYet !== null && !stopping.signal.aborted)
      await prepared(async () => {
        const tables = undefinedYet;
        if (tables !== null) await sink.define(tables);
        if (undefinedYet === tables) undefinedYet = null;
      });
  }

  async function prepared(prepare: () => Promise<void>): Promise<void> {
    for (let waitMs = prepareRetryMsMin; !stopping.signal.aborted; waitMs = Math.min(waitMs * 2, prepareRetryMsMax)) {
      try {
        await prepare();
        unprepared = null;
        return;
      } catch (error) {
        if (messageOf(error) !== unprepared)
          logger.error({ err: error }, `${sink.title} is not ready; events wait in the log`);
        unprepared = messageOf(error);
        await sleep(waitMs, stopping.signal);
      }
    }
  }

  return {
    problems: () => ({
      ...(unprepared === null ? {} : { [sink.title.toLowerCase()]: unprepared }),
      ...(source?.problem?.() ? { reading: source.problem()! } : {}),
      ...Object.fromEntries(mover?.troubled() ?? []),
      ...Object.fromEntries(mover?.halted() ?? []),
    }),
    oldest: () => mover?.oldest() ?? new Map(),
    reached: () => mover?.reached() ?? new Map(),
    lag: async () => (await source?.lag?.()) ?? new Map(),
    define,
    broken: new Promise(resolve => {
      moving.catch(error => resolve(`moving events into ${sink.title} broke: ${messageOf(error)}`));
    }),
    stop: async () => {
      stopping.abort();
      await mover?.stop();
      await moving.catch(() => {});
    },
  };
}
