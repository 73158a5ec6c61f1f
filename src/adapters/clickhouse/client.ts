// @clickhouse/client, set up once: for a server over HTTP or, given a connection, for the embedded engine. async_insert is
// off for whatever goes through it: servers since 26.3 have it on, and it would answer before the rows are a part.

import { type ClickHouseClientConfigOptions, ClickHouseLogLevel, createClient } from '@clickhouse/client';

export type ClickhouseClient = ReturnType<typeof createClient>;

export type ClickhouseClientOptions =
  | { readonly connection: NonNullable<ClickHouseClientConfigOptions['connection']> }
  | {
      readonly url: string;
      readonly user: string;
      readonly password: string;
      /** The socket is given up after this; what it carried has an unknown outcome. */
      readonly timeoutMs: number;
      /** Compresses inserts; pays off when the network is slower than a core. */
      readonly compression?: 'zstd' | 'gzip' | undefined;
    };

export function clickhouseClient(options: ClickhouseClientOptions): ClickhouseClient {
  const common = { log: { level: ClickHouseLogLevel.OFF }, clickhouse_settings: { async_insert: 0 as const } };
  if ('connection' in options) return createClient({ ...common, connection: options.connection });
  return createClient({
    ...common,
    url: options.url,
    username: options.user,
    password: options.password,
    application: 'ugc',
    request_timeout: options.timeoutMs,
    compression: { request: options.compression ? { codec: options.compression } : false, response: false },
    // Servers close an idle socket after 3 s or more; ours are given up before, so that an insert never meets a dead one.
    keep_alive: { enabled: true, idle_socket_ttl: 2_000, eagerly_destroy_stale_sockets: true },
  });
}
