// The content store that the settings name: a database where one is named, else a file of its own in the data folder.

import { existsSync } from 'node:fs';
import { postgresContent } from '../adapters/postgres/content.ts';
import { sqliteContent } from '../adapters/sqlite-content/content.ts';
import type { Config } from '../config/config.ts';
import { readClientTls } from '../config/pem.ts';
import type { ContentStore, ViewingRules } from '../ports/content.ts';
import { contentFile } from '../process/instance.ts';

const rulesOf = (config: Config): ViewingRules => ({
  seenSeconds: config.viewSeenSeconds,
  seenShare: config.viewSeenShare,
  watchedShare: config.viewWatchedShare,
});

const none = ['', ''] as const;

/** Throws `config_invalid` when the file of authorities cannot be read. */
export const openContentStore = (config: Config): ContentStore =>
  config.databaseUrl === ''
    ? sqliteContent({ path: contentFile(config.dataDir), viewing: rulesOf(config) })
    : postgresContent({
        url: config.databaseUrl,
        ca: readClientTls({ ca: ['UGC_DATABASE_CA', config.databaseCa], cert: none, key: none }).ca ?? null,
        connectionsMax: config.databaseConnectionsMax,
        viewing: rulesOf(config),
      });

/** For a command: null where there is none. */
export const contentOf = async (config: Config): Promise<ContentStore | null> =>
  config.databaseUrl === '' && !existsSync(contentFile(config.dataDir)) ? null : openContentStore(config);
