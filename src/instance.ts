// Where things lie in a data folder, and the note a running instance leaves there so that commands find its ports.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export interface Instance {
  readonly pid: number;
  /** Its ClickHouse HTTP interface. */
  readonly clickhouseUrl: string;
}

export const bufferFile = (dataDir: string): string => join(resolve(dataDir), 'buffer.sqlite');
export const clickhouseFolder = (dataDir: string): string => join(resolve(dataDir), 'clickhouse');
const noteFile = (dataDir: string): string => join(resolve(dataDir), 'instance.json');

export const writeInstance = (dataDir: string, instance: Instance): void =>
  writeFileSync(noteFile(dataDir), JSON.stringify(instance));

export const removeInstance = (dataDir: string): void => rmSync(noteFile(dataDir), { force: true });

/** The instance that runs on this folder, or null. A note left behind by a killed one does not count. */
export function readInstance(dataDir: string): Instance | null {
  try {
    const instance = JSON.parse(readFileSync(noteFile(dataDir), 'utf8')) as Instance;
    process.kill(instance.pid, 0);
    return instance;
  } catch {
    return null;
  }
}
