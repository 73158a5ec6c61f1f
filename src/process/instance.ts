// Where things lie in a data folder, and the note a running instance leaves there so that commands find its ports.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { spellHostPort } from './address.ts';

export interface Instance {
  readonly pid: number;
  /** Its ClickHouse HTTP interface. */
  readonly clickhouseUrl: string;
  /** With it as password that interface takes writes of every user who can read this note. */
  readonly clickhouseKey: string;
}

export const bufferFile = (dataDir: string): string => join(resolve(dataDir), 'buffer.sqlite');
export const contentFile = (dataDir: string): string => join(resolve(dataDir), 'content.sqlite');
export const typesFolder = (dataDir: string): string => join(resolve(dataDir), 'types');
export const clickhouseFolder = (dataDir: string): string => join(resolve(dataDir), 'clickhouse');
export const rulesFile = (dataDir: string): string => join(resolve(dataDir), 'rules.json');
export const flowsFile = (dataDir: string): string => join(resolve(dataDir), 'flows.json');
export const keysFile = (dataDir: string): string => join(resolve(dataDir), 'keys.json');
export const issuerKeysFile = (dataDir: string): string => join(resolve(dataDir), 'issuer-keys.json');
export const lastStampFile = (dataDir: string): string => join(resolve(dataDir), 'last-stamp');
/** Where commands tell who has changed what; a path of the settings begins where the process is. */
export const auditFile = ({ auditLog, dataDir }: { readonly auditLog: string; readonly dataDir: string }): string =>
  auditLog === '' ? join(resolve(dataDir), 'audit.log') : resolve(auditLog);
const noteFile = (dataDir: string): string => join(resolve(dataDir), 'instance.json');

export const writeInstance = (dataDir: string, instance: Instance): void =>
  writeNote(noteFile(dataDir), JSON.stringify(instance));

/** For the owner's eyes alone; an older note may have been for others'. */
function writeNote(path: string, text: string): void {
  rmSync(path, { force: true });
  writeFileSync(path, text, { mode: 0o600 });
}

export const removeInstance = (dataDir: string): void => rmSync(noteFile(dataDir), { force: true });

/**
 * The instance that seems to run on this folder, or null. In containers every process has the same id, so the one that
 * lives may be another: who asks it must be ready for no answer.
 */
export function readInstance(dataDir: string): Instance | null {
  try {
    const instance = JSON.parse(readFileSync(noteFile(dataDir), 'utf8')) as Instance;
    return isAlive(instance.pid) ? instance : null;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM'; // another user's, alive
  }
}

/** http://host:port, an IPv6 address in brackets. */
export const urlOf = (host: string, port: number, scheme: 'http' | 'https' = 'http'): string =>
  `${scheme}://${spellHostPort({ host, port })}`;
