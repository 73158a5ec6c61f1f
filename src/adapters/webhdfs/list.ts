// Every file below a folder of HDFS: folder by folder, a few at a time, each in pages (LISTSTATUS_BATCH, Hadoop 3).

import type { ColdFile } from '../../ports/cold-store.ts';
import { isMissing } from './error.ts';
import type { Rest } from './rest.ts';

/** Files that are being written: no list has them. */
export const temporary = '_ugc/tmp';

const foldersAtOnce = 8;

export interface Status {
  readonly pathSuffix: string;
  readonly type: string;
  readonly length: number;
  /** Epoch milliseconds. */
  readonly modificationTime: number;
}

interface Page {
  readonly DirectoryListing: {
    readonly partialListing: { readonly FileStatuses: { readonly FileStatus: readonly Status[] } };
    readonly remainingEntries: number;
  };
}

/** What lies in one folder; nothing where there is no such folder. */
export async function statusesOf(rest: Rest, path: string, signal: AbortSignal): Promise<readonly Status[]> {
  const all: Status[] = [];
  for (let after = ''; ; ) {
    const query = after === '' ? {} : { startAfter: after };
    const answer = await rest.ask({ method: 'GET', op: 'LISTSTATUS_BATCH', path, signal, query }, isMissing);
    if ('refusal' in answer) return all;
    const { partialListing, remainingEntries } = (answer.json as Page).DirectoryListing;
    const page = partialListing.FileStatuses.FileStatus;
    all.push(...page);
    if (remainingEntries === 0 || page.length === 0) return all;
    after = page.at(-1)!.pathSuffix;
  }
}

export async function listBelow(rest: Rest, folder: string, signal: AbortSignal): Promise<readonly ColdFile[]> {
  const files: ColdFile[] = [];
  let folders = [folder.replace(/\/+$/, '')];
  while (folders.length > 0) {
    const now = folders.slice(0, foldersAtOnce);
    const later = folders.slice(foldersAtOnce);
    const found = await Promise.all(now.map(async path => [path, await statusesOf(rest, path, signal)] as const));
    for (const [path, statuses] of found)
      for (const { pathSuffix, type, length } of statuses) {
        if (pathSuffix === '') continue; // it is a file itself
        const name = path === '' ? pathSuffix : `${path}/${pathSuffix}`;
        if (type !== 'DIRECTORY') files.push({ path: name, bytes: length });
        else if (name !== temporary) later.push(name);
      }
    folders = later;
  }
  const spelt = new Map(files.map(file => [file, Buffer.from(file.path)]));
  return files.sort((one, other) => Buffer.compare(spelt.get(one)!, spelt.get(other)!));
}
