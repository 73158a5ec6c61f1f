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

/** Throws `config_invalid` where the settings cannot be followed. */
export function openContentStore(config: Config): ContentStore {
  const viewing = rulesOf(config);
  const { databaseUrl: url, databaseCa, databaseConnectionsMax: connectionsMax } = config;
  if (url === '') return sqliteContent({ path: contentFile(config.dataDir), viewing });
  const { ca = null } = readClientTls({ ca: ['UGC_DATABASE_CA', databaseCa], cert: ['', ''], key: ['', ''] });
  return postgresContent({ url, ca, connectionsMax, viewing });
}

/** For a command: null where there is none. */
export const contentOf = async (config: Config): Promise<ContentStore | null> =>
  config.databaseUrl === '' && !existsSync(contentFile(config.dataDir)) ? null : openContentStore(config);
