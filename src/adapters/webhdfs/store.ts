// The cold archive in HDFS, over WebHDFS.
// - a file is written under a name that nobody else uses (_ugc/tmp/), held against what was to be written, and then renamed:
//   HDFS renames onto nothing that is there, so of two that do it at once one has made the file
// - an upload that ends short leaves a short file under its temporary name; it is seen by its size
// - what the dead left in _ugc/tmp is removed after a day, by the clock of the NameNode

import { PipelineError } from '../../errors.ts';
import type { ColdStore } from '../../ports/cold-store.ts';
import { isMissing, isThere } from './error.ts';
import { listBelow, statusesOf, temporary } from './list.ts';
import { placeOf, type WebHdfsOptions } from './options.ts';
import { type Rest, webHdfsRest } from './rest.ts';

/** Up to so much is read again before it is renamed; of more the size is compared: HDFS itself keeps checksums of blocks. */
const readBackBytesMax = 1024 * 1024;
const leftoverMsMax = 24 * 3_600_000;

export function webHdfsStore(options: WebHdfsOptions): ColdStore {
  const rest = webHdfsRest(options);
  const closing = new AbortController();
  /** Folders known to be there. */
  const made = new Set<string>();
  let sweptAt = Number.NEGATIVE_INFINITY;
  const within = (signal?: AbortSignal): AbortSignal =>
    AbortSignal.any([closing.signal, AbortSignal.timeout(options.timeoutMs), ...(signal ? [signal] : [])]);

  async function makeFolder(path: string, signal: AbortSignal): Promise<void> {
    if (made.has(path)) return;
    await rest.ask({ method: 'PUT', op: 'MKDIRS', path, signal });
    made.add(path);
  }

  async function create(path: string, bytes: Uint8Array, signal: AbortSignal): Promise<boolean> {
    if ((await sizeOf(rest, path, signal)) !== null) return false;
    const own = `${temporary}/${crypto.randomUUID()}`;
    try {
      await upload(rest, own, bytes, signal);
      await makeFolder(path.split('/').slice(0, -1).join('/'), signal);
      return await moved(rest, own, path, signal);
    } catch (error) {
      made.clear(); // somebody may have removed one
      throw error;
    } finally {
      // Gone after a rename. What stays is swept; whoever told us to stop need not wait for it.
      await remove(own, AbortSignal.timeout(Math.min(options.timeoutMs, 5_000))).catch(() => {});
    }
  }

  const remove = async (path: string, signal: AbortSignal): Promise<void> =>
    void (await rest.ask({ method: 'DELETE', op: 'DELETE', path, signal, query: { recursive: 'false' } }, isMissing));

  async function sweep(nowMs: number, signal: AbortSignal): Promise<void> {
    sweptAt = performance.now();
    for (const { pathSuffix, modificationTime } of await statusesOf(rest, temporary, signal))
      if (nowMs - modificationTime > leftoverMsMax) await remove(`${temporary}/${pathSuffix}`, signal);
  }

  /** That a file is made once, and what the NameNode's clock says, for the leftovers. */
  async function probe(signal: AbortSignal): Promise<void> {
    const path = `_ugc/probe-${crypto.randomUUID()}`;
    const bytes = new TextEncoder().encode('ugc');
    try {
      const first = await create(path, bytes, signal);
      const own = `${temporary}/${crypto.randomUUID()}`;
      await upload(rest, own, bytes, signal);
      const status = await statusOf(rest, own, signal);
      const second = await moved(rest, own, path, signal);
      await remove(own, signal);
      if (!first || second)
        throw new PipelineError(
          'archive_halted',
          `${placeOf(options).title} renames a file onto another: it is no HDFS that can be trusted with an archive`,
        );
      if (status !== null) await sweep(status.modificationTime, signal);
    } finally {
      await remove(path, AbortSignal.timeout(Math.min(options.timeoutMs, 5_000))).catch(() => {});
    }
  }

  const told = <T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const limit = within(signal);
    if (limit.aborted) return Promise.reject(new PipelineError('archive_unavailable', 'told to stop'));
    return work(limit);
  };

  return {
    title: placeOf(options).title,
    prepare: () =>
      told(undefined, async signal => {
        made.clear();
        await makeFolder('', signal);
        await makeFolder(temporary, signal);
        await probe(signal);
      }),
    create: (path, bytes, signal) =>
      told(signal, async limit => {
        await makeFolder(temporary, limit);
        if (performance.now() - sweptAt > leftoverMsMax) await probe(limit);
        return create(path, bytes, limit);
      }),
    read: (path, signal) =>
      told(signal, async limit => {
        const found = await rest.locate({ method: 'GET', op: 'OPEN', path, signal: limit }, isMissing);
        return 'refusal' in found ? null : rest.get(found.location, limit);
      }),
    list: (folder, signal) => told(signal, limit => listBelow(rest, folder, limit)),
    remove: (path, signal) => told(signal, limit => remove(path, limit)),
    close: async () => closing.abort(),
  };
}

async function upload(rest: Rest, path: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  const where = await rest.locate({ method: 'PUT', op: 'CREATE', path, signal, query: { overwrite: 'false' } });
  if ('refusal' in where) return;
  await rest.put(where.location, bytes, signal);
  const there = bytes.length > readBackBytesMax ? await sizeOf(rest, path, signal) : await readBack(rest, path, signal);
  const isWhole =
    typeof there === 'number' ? there === bytes.length : there !== null && Buffer.compare(there, bytes) === 0;
  if (!isWhole)
    throw new PipelineError(
      'archive_unavailable',
      `HDFS has other bytes of ${rest.absolute(path)} than were sent (${bytes.length}): ${there === null ? 'none' : typeof there === 'number' ? there : there.length}`,
    );
}

async function readBack(rest: Rest, path: string, signal: AbortSignal): Promise<Uint8Array | null> {
  const where = await rest.locate({ method: 'GET', op: 'OPEN', path, signal }, isMissing);
  return 'refusal' in where ? null : rest.get(where.location, signal);
}

/** False: there is one. With options it is the rename that says why it did not; HttpFS does not know them and says true or false. */
async function moved(rest: Rest, from: string, to: string, signal: AbortSignal): Promise<boolean> {
  const query = { destination: rest.absolute(to), renameoptions: 'NONE' };
  const answer = await rest.ask({ method: 'PUT', op: 'RENAME', path: from, query, signal }, isThere);
  if ('refusal' in answer) return false;
  if ((answer.json as { boolean?: boolean } | null)?.boolean !== false) return true;
  if ((await sizeOf(rest, to, signal)) !== null) return false;
  throw new PipelineError('archive_unavailable', `HDFS did not rename ${rest.absolute(from)} to ${rest.absolute(to)}`);
}

interface Status {
  readonly length: number;
  /** Epoch milliseconds. */
  readonly modificationTime: number;
  readonly type: string;
}

async function statusOf(rest: Rest, path: string, signal: AbortSignal): Promise<Status | null> {
  const answer = await rest.ask({ method: 'GET', op: 'GETFILESTATUS', path, signal }, isMissing);
  return 'refusal' in answer ? null : (answer.json as { FileStatus: Status }).FileStatus;
}

/** Null: there is none. */
async function sizeOf(rest: Rest, path: string, signal: AbortSignal): Promise<number | null> {
  const status = await statusOf(rest, path, signal);
  if (status?.type === 'DIRECTORY')
    throw new PipelineError('archive_halted', `a folder lies where a file is to be: ${rest.absolute(path)}`);
  return status?.length ?? null;
}
