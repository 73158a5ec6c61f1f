// `ugc content rebuild`: the viewing history made again from the exact tables, beside a running instance or without one.
//
// What is merged twice is merged once, so it may be broken off, repeated, and run beside the projection that follows the
// log. What a user took from the history stays taken; likes, reviews and bookmarks are not touched.

import { type ContentTables, contentIn } from '../adapters/clickhouse/ask/content.ts';
import type { Config } from '../config/config.ts';
import { flag, text } from '../config/kinds.ts';
import { PipelineError } from '../errors.ts';
import type { ContentStore } from '../ports/content.ts';
import { command, type Exit } from './arguments.ts';
import { inWords } from './failure.ts';
import { countOf, progressOf, say, writeOut } from './output.ts';
import { withTables } from './tables.ts';

export const rebuildFlags = {
  userId: text({ default: '', takes: 'an id', help: 'Of this user alone' }),
  json: flag({ default: false, help: 'One JSON object instead of text for people' }),
};

/** The content store of these settings; null where there is none. Who asks closes it. */
export type ContentOf = (config: Config) => Promise<ContentStore | null>;

export interface Rebuilding {
  readonly contentOf: ContentOf;
  /** Watched from this part of the length on. */
  readonly watchedShareOf: (config: Config) => number;
}

/** Users and films read from the tables at once, and merged in one transaction. */
const readMax = 50_000;
const mergedMax = 1_000;

export const rebuildCommand = ({ contentOf, watchedShareOf }: Rebuilding) =>
  command(rebuildFlags, ({ args, flags, config }) =>
    inWords(async (): Promise<Exit> => {
      if (args[0] !== undefined) {
        say(`ugc: ${args[0]} is not understood; see ugc help content`);
        return 2;
      }
      const store = await contentOf(config);
      if (store === null) throw noStore();
      try {
        const userId = flags.userId === '' ? null : flags.userId;
        const films = await rebuilt(store, config, { userId, watchedShare: watchedShareOf(config) });
        writeOut(flags.json ? `${JSON.stringify({ merged: films })}\n` : `merged ${countOf(films, 'film')} of users\n`);
        return 0;
      } finally {
        await store.close();
      }
    }),
  );

export const noStore = (): PipelineError =>
  new PipelineError(
    'config_invalid',
    'there is no content store: UGC_DATABASE_URL names none, and the data folder (--data-dir, UGC_DATA_DIR) has no file of one',
  );

interface Wanted {
  readonly userId: string | null;
  readonly watchedShare: number;
}

const rebuilt = (store: ContentStore, config: Config, wanted: Wanted): Promise<number> =>
  withTables(config, ({ client }) => rebuiltFrom(contentIn(client, config.clickhouseDatabase), store, wanted));

/** Over tables that are open already: how many films of users were merged. */
export async function rebuiltFrom(
  tables: ContentTables,
  store: Pick<ContentStore, 'mergeViewings'>,
  { userId, watchedShare }: Wanted,
): Promise<number> {
  const progress = progressOf('merged', 'films of users');
  const expected = await tables.viewings(userId);
  const of = Math.max(1, Math.ceil(expected / readMax));
  let done = 0;
  for (let part = 0; part < of; part++) {
    const viewings = await tables.viewingsOf({ part, of }, userId, watchedShare);
    for (let at = 0; at < viewings.length; at += mergedMax) {
      const some = viewings.slice(at, at + mergedMax);
      await store.mergeViewings(some);
      done += some.length;
      progress.at(done, expected);
    }
  }
  progress.end();
  return done;
}
