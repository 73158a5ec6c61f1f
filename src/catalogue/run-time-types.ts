// Event types beside the built-in ones: from the files of UGC_SCHEMAS_DIR, looked at every second and at SIGHUP.
//
// - All or nothing: with one file broken, or one that would break what was taken until now, everything stays as it is.
// - What was once taken is kept in the data folder. A type whose file is gone is taken until the next start; after it no
//   more, but what the log still holds of it goes into its table. A file that is broken at a start is replaced by what is
//   kept. Deleting it there too forgets the type.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Catalogue, catalogueOf, catalogueWithPast } from '../../schemas/catalogue.ts';
import { changesOf, publishedOf } from '../../schemas/published.ts';
import { messageOf, PipelineError } from '../errors.ts';
import { replaceFile } from '../process/file.ts';
import { sleep } from '../process/sleep.ts';
import type { Logger } from '../process/telemetry.ts';
import { keptTypes, type TypeFile, typeFolder } from './type-folder.ts';

export interface RunTimeTypesOptions {
  /** '' = no files. */
  readonly folder: string;
  /** Of the data folder. */
  readonly keptIn: string;
  readonly builtIn: Catalogue;
  readonly logger: Logger;
}

export interface KnownTypes {
  /** What the edge takes. */
  readonly accepted: Catalogue;
  /** And what the log may still hold. */
  readonly all: Catalogue;
}

export interface RunTimeTypes {
  known(): KnownTypes;
  /** In words why the folder is not what is in force, or null. */
  problem(): string | null;
  /** From now on `apply` is called with what is known when that changes; where it rejects, nothing has changed. */
  watch(apply: (known: KnownTypes) => Promise<void>): void;
  /** Looks at the folder now, whatever its files' times say. */
  look(): void;
  close(): Promise<void>;
}

const lookEveryMs = 1_000;
const retryMsMin = 1_000;
const retryMsMax = 60_000;

/** Throws `config_invalid` with every problem of the files, when there is nothing kept to go on with. */
export function runTimeTypes({ folder, keptIn, builtIn, logger }: RunTimeTypesOptions): RunTimeTypes {
  const closing = new AbortController();
  let nudge = new AbortController();
  let problem: string | null = null;
  let stamp: string | null = '';
  let watching: Promise<void> | undefined;

  /** Everything ever taken, by name, as it was last. */
  const kept = keptFiles(keptIn, builtIn, logger);
  const reader = typeFolder(folder, builtIn, kept.values());
  /** Taken, by name. */
  let taken = new Map<string, TypeFile>();
  /** Kept, and without a file since the start. */
  const retired = new Map(kept);

  begin();
  let known = knownOf();

  function begin(): void {
    if (folder === '') return;
    stamp = reader.stamp();
    const found = readFolder();
    if ('problems' in found) {
      const words = `the event types in ${folder} (UGC_SCHEMAS_DIR) cannot be taken:\n${found.problems.join('\n')}`;
      if (kept.size === 0) throw new PipelineError('config_invalid', words);
      logger.error({ problems: found.problems }, 'broken event types: those of the last start are in force');
      problem = found.problems.join('; ');
    }
    taken = 'problems' in found ? new Map(kept) : found.files;
    for (const name of taken.keys()) retired.delete(name);
    keep([...taken.values()]);
    if (retired.size > 0)
      logger.warn({ types: [...retired.keys()] }, 'event types without a file are not taken any more');
  }

  /** The folder's types by name, unless they are broken or would break what is in force. */
  function readFolder() {
    const read = reader.read();
    if (!read.ok) return { problems: read.problems };
    const breaks = read.files.flatMap(({ file, type }) => {
      const was = kept.get(type.name);
      if (was === undefined || was.type === type) return [];
      return changesOf(publishedOf([was.type]), [type])
        .filter(change => change.breaks)
        .map(
          ({ what }) =>
            `${file} ${type.name} would break what was taken until now: ${what}; give the new one another name`,
        );
    });
    return breaks.length > 0
      ? { problems: breaks }
      : { files: new Map(read.files.map(file => [file.type.name, file])) };
  }

  function knownOf(): KnownTypes {
    const own = [...taken.values()].map(({ type }) => type);
    const gone = [...retired.values()].map(({ type }) => type);
    const accepted = catalogueOf([...builtIn.types, ...own]);
    return { accepted, all: catalogueWithPast(accepted.types, gone) };
  }

  function keep(files: readonly TypeFile[]): void {
    for (const { text, type, warnings } of files) {
      if (kept.get(type.name)?.text === text) continue;
      if (warnings.length > 0)
        logger.warn({ warnings }, 'an event type’s file says what is not held to, or too little');
      mkdirSync(keptIn, { recursive: true });
      const path = join(keptIn, `${type.name}.json`);
      replaceFile(path, text, { mode: 0o666 });
      kept.set(type.name, { file: `${type.name}.json`, text, type, warnings });
    }
  }

  async function follow(apply: (next: KnownTypes) => Promise<void>): Promise<void> {
    let isForced = false;
    let retryMs = retryMsMin;
    let retryAtMs = Number.POSITIVE_INFINITY;
    while (!closing.signal.aborted) {
      nudge = new AbortController();
      const now = reader.stamp();
      if (isForced || now !== stamp || performance.now() >= retryAtMs) {
        // A file may be half written: a moment later it is whole, and another stamp says so.
        stamp = now;
        try {
          await reload(apply);
          retryMs = retryMsMin;
          retryAtMs = Number.POSITIVE_INFINITY;
        } catch (error) {
          // The files are right, and what has to be made for them could not be: that may pass without a change of theirs.
          told([messageOf(error)]);
          retryAtMs = performance.now() + retryMs;
          retryMs = Math.min(retryMs * 2, retryMsMax);
        }
      }
      await sleep(lookEveryMs, AbortSignal.any([closing.signal, nudge.signal]));
      isForced = nudge.signal.aborted;
    }
  }

  async function reload(apply: (next: KnownTypes) => Promise<void>): Promise<void> {
    const found = readFolder();
    if ('problems' in found) return told(found.problems);
    const before = { taken, retired: new Map(retired) };
    const gone = [...taken.keys()].filter(name => !found.files.has(name));
    const changed = [...found.files].filter(([name, { type }]) => taken.get(name)?.type !== type).map(([name]) => name);
    taken = new Map([...taken, ...found.files]);
    for (const name of found.files.keys()) retired.delete(name);
    const next = knownOf();
    try {
      if (changed.length > 0) await apply(next);
    } catch (error) {
      taken = before.taken;
      for (const [name, file] of before.retired) retired.set(name, file);
      throw error;
    }
    known = next;
    keep([...found.files.values()]);
    problem = gone.length === 0 ? null : `without a file, taken until the next start: ${gone.join(', ')}`;
    if (changed.length > 0) logger.info({ types: changed }, 'event types were taken from files');
    if (gone.length > 0)
      logger.warn({ types: gone }, 'files of event types are gone: they are taken until the next start');
  }

  function told(problems: readonly string[]): void {
    const words = problems.join('; ');
    if (words !== problem) logger.error({ problems }, 'broken event types: nothing was changed');
    problem = words;
  }

  return {
    known: () => known,
    problem: () => problem,
    watch: apply => {
      if (folder !== '') watching ??= follow(apply);
    },
    look: () => nudge.abort(),
    close: async () => {
      closing.abort();
      await watching;
    },
  };
}

/** By name. What cannot be read any more is told and left alone. */
function keptFiles(folder: string, builtIn: Catalogue, logger: Logger): Map<string, TypeFile> {
  const { files, problems } = keptTypes(folder, builtIn);
  if (problems.length > 0) logger.error({ problems, folder }, 'kept event types cannot be read');
  return new Map(files.map(file => [file.type.name, file]));
}
