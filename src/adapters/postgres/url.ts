// UGC_DATABASE_URL as Bun's client wants it. `sslmode` means what libpq says it means:
// https://www.postgresql.org/docs/current/libpq-ssl.html

import { PipelineError } from '../../errors.ts';

export interface DatabaseOptions {
  /** postgres://user:password@host:port/database?sslmode=… */
  readonly url: string;
  /** PEM of whom to believe; null = whom the system believes. */
  readonly ca: string | null;
  /** Connections at once, at most. */
  readonly connectionsMax: number;
}

const modes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
type Mode = (typeof modes)[number];

/** What is not said is Bun's own; `tls` absent: as the mode says, without certificates looked at. */
export function clientOptions({ url, ca }: DatabaseOptions): Bun.SQL.PostgresOrMySQLOptions {
  const parsed = new URL(url);
  const given = parsed.searchParams.get('sslmode');
  // With a CA at hand libpq takes `require` for `verify-ca`.
  const mode = (given === 'require' || given === null) && ca !== null ? 'verify-ca' : (given ?? 'prefer');
  if (!isMode(mode))
    throw new PipelineError('config_invalid', `UGC_DATABASE_URL: sslmode is ${modes.join(', ')}; not ${given}`);
  for (const name of ['sslmode', 'sslrootcert']) parsed.searchParams.delete(name);
  if (mode !== 'disable') parsed.searchParams.set('sslmode', mode === 'allow' ? 'prefer' : mode);
  return { url: parsed.href, ...tlsOf(mode, ca, parsed.hostname) };
}

const isMode = (mode: string): mode is Mode => modes.some(known => known === mode);

function tlsOf(mode: Mode, ca: string | null, host: string): Pick<Bun.SQL.PostgresOrMySQLOptions, 'tls'> {
  if (mode === 'disable') return { tls: false };
  if (mode === 'verify-full') return { tls: { rejectUnauthorized: true, serverName: host, ...(ca && { ca }) } };
  if (mode === 'verify-ca')
    return { tls: { rejectUnauthorized: true, checkServerIdentity: () => undefined, ...(ca && { ca }) } };
  return mode === 'require' ? { tls: { rejectUnauthorized: false } } : {};
}
