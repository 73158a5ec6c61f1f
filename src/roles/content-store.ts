// The content store that the settings name: a database where one is named, else a file of its own in the data folder.

import { existsSync } from 'node:fs';
import { sqliteContent } from '../adapters/sqlite-content/content.ts';
import type { Config } from '../config/config.ts';
import type { ContentStore, ViewingRules } from '../ports/content.ts';
import { contentFile } from '../process/instance.ts';

const rulesOf = (config: Config): ViewingRules => ({
  seenSeconds: config.viewSeenSeconds,
  seenShare: config.viewSeenShare,
  watchedShare: config.viewWatchedShare,
});

export const openContentStore = (config: Config): ContentStore =>
  sqliteContent({ path: contentFile(config.dataDir), viewing: rulesOf(config) });

/** For a command: null where there is none. */
export const contentOf = async (config: Config): Promise<ContentStore | null> =>
  config.databaseUrl === '' && !existsSync(contentFile(config.dataDir)) ? null : openContentStore(config);
