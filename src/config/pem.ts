// PEM files that settings name.

import { readFileSync } from 'node:fs';
import { messageOf, PipelineError } from '../errors.ts';

/** What a client of a server shows and trusts over TLS. PEM; an absent `ca` = the authorities of the system. */
export interface ClientTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Settings by what they name, and their files; '' = not set. */
export type ClientTlsFiles = Readonly<Record<keyof ClientTls, readonly [setting: string, path: string]>>;

/** Throws `config_invalid` when a file cannot be read. */
export function readClientTls(files: ClientTlsFiles): ClientTls {
  const given = Object.entries(files).filter(([, [, path]]) => path !== '');
  return Object.fromEntries(given.map(([kind, [setting, path]]) => [kind, readPem(setting, path)]));
}

function readPem(setting: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new PipelineError('config_invalid', `${setting} names a file that cannot be read: ${messageOf(error)}`);
  }
}
