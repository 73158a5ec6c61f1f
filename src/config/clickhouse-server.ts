// A ClickHouse server as the settings name it: where, as whom, and over TLS what it is shown and what is trusted.

import type { Config } from './config.ts';
import { type ClientTls, readClientTls } from './pem.ts';

export interface ClickhouseServer {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly timeoutMs: number;
  readonly tls: ClientTls;
}

/** Throws `config_invalid` when a PEM file cannot be read. */
export const clickhouseServerOf = (config: Config): ClickhouseServer => ({
  url: config.clickhouseUrl,
  user: config.clickhouseUser,
  password: config.clickhousePassword,
  timeoutMs: config.clickhouseTimeoutMs,
  tls: readClientTls({
    ca: ['UGC_CLICKHOUSE_TLS_CA', config.clickhouseTlsCa],
    cert: ['UGC_CLICKHOUSE_TLS_CERT', config.clickhouseTlsCert],
    key: ['UGC_CLICKHOUSE_TLS_KEY', config.clickhouseTlsKey],
  }),
});
