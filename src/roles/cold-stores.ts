// Where the cold archive's files are kept, from the settings: by the scheme of UGC_ARCHIVE_URL.

import { folderColdStore } from '../adapters/cold-folder/store.ts';
import { s3Store } from '../adapters/s3/store.ts';
import { webHdfsStore } from '../adapters/webhdfs/store.ts';
import type { Config } from '../config/config.ts';
import { readClientTls } from '../config/pem.ts';
import { PipelineError } from '../errors.ts';
import type { ColdStore } from '../ports/cold-store.ts';

type OpenStore = (config: Config) => ColdStore;

const webHdfs: OpenStore = config =>
  webHdfsStore({
    url: config.archiveUrl,
    user: config.archiveUser,
    timeoutMs: config.archiveTimeoutMs,
    ...caOf(config),
  });

/** One adapter, one line. */
const stores: Readonly<Record<string, OpenStore>> = {
  file: ({ archiveUrl }) => folderColdStore(decodeURIComponent(new URL(archiveUrl).pathname).replace(/(?<=.)\/+$/, '')),
  webhdfs: webHdfs,
  webhdfss: webHdfs,
  s3: config =>
    s3Store({
      url: config.archiveUrl,
      endpoint: config.archiveEndpoint,
      region: config.archiveRegion,
      accessKey: config.archiveAccessKey,
      secretKey: config.archiveSecretKey,
      sessionToken: config.archiveSessionToken,
      addressing: config.archiveAddressing,
      isSingleWriter: config.archiveSingleWriter,
      timeoutMs: config.archiveTimeoutMs,
      ...caOf(config),
    }),
};

/** Throws `config_invalid` when a PEM file cannot be read. */
export function openColdStore(config: Config): ColdStore {
  // Several hosts with commas are no URL to who reads URLs.
  const scheme = config.archiveUrl.split(':')[0]!;
  const open = stores[scheme];
  if (open === undefined)
    throw new PipelineError('config_invalid', `UGC_ARCHIVE_URL: no files can be kept at ${scheme}:// by this ugc`);
  return open(config);
}

function caOf({ archiveTlsCa }: Config): { readonly ca?: string } {
  const none = ['', ''] as const;
  const { ca } = readClientTls({ ca: ['UGC_ARCHIVE_TLS_CA', archiveTlsCa], cert: none, key: none });
  return ca === undefined ? {} : { ca };
}
