// Whom `ugc load` loads: instances over HTTP, or the broker of the settings, written to as an edge does.

import { readFileSync } from 'node:fs';
import { judgeOf } from '../catalogue/judge.ts';
import { catalogueFor, topicsFor } from '../catalogue/type-folder.ts';
import type { Config } from '../config/config.ts';
import type { Values } from '../config/kinds.ts';
import { messageOf, PipelineError } from '../errors.ts';
import type { Bodies } from '../load/bodies.ts';
import { openLanes } from '../load/lanes.ts';
import type { RunOptions } from '../load/run.ts';
import type { Schedule } from '../load/schedule.ts';
import type { Transport } from '../ports/transport.ts';
import { brokerLanes } from './load-broker.ts';
import type { loadFlags } from './load-flags.ts';

export interface LoadWiring {
  /** Null: the disk buffer is the log. */
  readonly transportOf: (config: Config) => Transport | null;
}

export interface Targeting extends LoadWiring {
  readonly flags: Values<typeof loadFlags>;
  readonly config: Config;
  readonly bodies: Bodies;
  readonly schedule: Schedule | null;
}

interface Target extends Pick<RunOptions, 'open' | 'where'> {
  close(): Promise<void>;
}

/** Rejects with `config_invalid` where the settings have no broker, and as its transport does where that is not to be had. */
export async function targetOf({ flags, config, bodies, schedule, transportOf }: Targeting): Promise<Target> {
  const { connections, url: urls } = flags;
  if (flags.into === 'http') {
    const ca = flags.ca === '' ? '' : readAuthority(flags.ca);
    const where = urls.map(({ origin }) => origin).join(', ');
    const given = { ...flags, urls, ca, bodies, schedule };
    return { where, open: (books, signal) => openLanes(given, books, signal), close: async () => {} };
  }
  const transport = transportOf(config);
  if (transport === null)
    throw new PipelineError('config_invalid', '--into=broker needs a broker: give the settings the instance has');
  await transport.ensureTopics(topicsFor(config));
  const log = transport.openLog();
  const judge = judgeOf({ ...config, catalogue: catalogueFor(config) });
  return {
    where: transport.title,
    open: books => brokerLanes({ log, judge, bodies, connections, schedule }, books),
    close: log.close,
  };
}

function readAuthority(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new PipelineError('config_invalid', `--ca cannot be read: ${messageOf(error)}`);
  }
}
