// The cold archive in a bucket of S3.
// - a file is one finished PUT with `If-None-Match: *`: the server makes it whole or not at all, and once
// - its hash is signed, and said again in x-amz-checksum-sha256; then its size is asked for
// - 412 = there was one; 409 = another was writing just then, and whether there is one now has to be asked
// - a server that does not know If-None-Match is refused at the start, unless one process alone writes there

import { PipelineError } from '../../errors.ts';
import type { ColdStore } from '../../ports/cold-store.ts';
import { errorOf, refusalOf } from './error.ts';
import { filesOf, objectsOf } from './list.ts';
import { placeOf, type S3Options } from './options.ts';
import { type S3Answer, s3Sender } from './request.ts';

/** Probes of the living and the dead: no list has them. */
const temporary = '_ugc/tmp/';
const leftoverMsMax = 24 * 3_600_000;
/** A PUT that another was in the way of is sent so often. */
const conflictsMax = 5;

export function s3Store(options: S3Options): ColdStore {
  const { title, prefix } = placeOf(options);
  const send = s3Sender(options);
  const closing = new AbortController();
  const within = (signal?: AbortSignal): AbortSignal =>
    AbortSignal.any([closing.signal, AbortSignal.timeout(options.timeoutMs), ...(signal ? [signal] : [])]);
  const told = <T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const limit = within(signal);
    if (limit.aborted) return Promise.reject(new PipelineError('archive_unavailable', 'told to stop'));
    return work(limit);
  };

  /** Null: there is none. */
  async function sizeOf(path: string, signal: AbortSignal): Promise<number | null> {
    const asked = await send({ method: 'HEAD', key: prefix + path, signal });
    if (asked.answer.status === 404) return null;
    if (!asked.answer.ok) throw refused(asked);
    return Number(asked.answer.headers.get('content-length') ?? Number.NaN);
  }

  async function put(path: string, bytes: Uint8Array, signal: AbortSignal): Promise<S3Answer> {
    const hash = Buffer.from(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
    const headers = {
      'content-type': 'application/octet-stream',
      'x-amz-checksum-sha256': hash.toString('base64'),
      ...(!options.isSingleWriter && { 'if-none-match': '*' }),
    };
    return send({ method: 'PUT', key: prefix + path, headers, body: bytes, sha256: hash.toString('hex'), signal });
  }

  async function create(path: string, bytes: Uint8Array, signal: AbortSignal): Promise<boolean> {
    for (let tries = 1; ; tries++) {
      // Who finds it there need not send it; and it is all there is to go by where the server knows no condition.
      if ((await sizeOf(path, signal)) !== null) return false;
      const done = await put(path, bytes, signal);
      if (done.answer.status === 412) return false;
      if (done.answer.status === 409 && tries < conflictsMax) continue;
      if (!done.answer.ok) throw refused(done);
      const size = await sizeOf(path, signal);
      if (size === bytes.length) return true;
      throw new PipelineError(
        'archive_halted',
        `${done.where}: ${bytes.length} bytes were sent and taken, and ${size ?? 'none'} are there`,
      );
    }
  }

  async function remove(key: string, signal: AbortSignal): Promise<void> {
    const done = await send({ method: 'DELETE', key, signal });
    if (!done.answer.ok && done.answer.status !== 404) throw refused(done);
    if (done.answer.status === 404) noBucket(done);
  }

  async function probe(signal: AbortSignal): Promise<void> {
    const path = `${temporary}${crypto.randomUUID()}`;
    const bytes = new TextEncoder().encode('ugc');
    try {
      const first = await put(path, bytes, signal);
      if (first.answer.status === 501) throw withoutCondition(first);
      if (!first.answer.ok) throw refused(first);
      if (options.isSingleWriter) return;
      const second = await put(path, bytes, signal);
      if (second.answer.ok || second.answer.status === 501) throw withoutCondition(second);
      if (second.answer.status !== 412 && second.answer.status !== 409) throw refused(second);
    } finally {
      await remove(prefix + path, signal);
    }
  }

  const withoutCondition = ({ answer }: S3Answer): PipelineError =>
    new PipelineError(
      'archive_halted',
      `${title}: the server does not keep to If-None-Match (it answered ${answer.status}), so two processes could write over each other: take a newer one, or set UGC_ARCHIVE_SINGLE_WRITER=true if one process alone archives there`,
    );

  async function sweep(signal: AbortSignal): Promise<void> {
    for (const { key, modifiedAtMs } of await objectsOf(send, prefix + temporary, signal))
      if (Date.now() - modifiedAtMs > leftoverMsMax) await remove(key, signal);
  }

  return {
    title,
    prepare: () =>
      told(undefined, async signal => {
        await sweep(signal);
        await probe(signal).catch(error => {
          // Under another name: what became of the PUT is not known.
          if (error instanceof PipelineError && error.code === 'archive_unavailable') return probe(signal);
          throw error;
        });
      }),
    create: (path, bytes, signal) => told(signal, limit => create(path, bytes, limit)),
    read: (path, signal) =>
      told(signal, async limit => {
        const asked = await send({ method: 'GET', key: prefix + path, signal: limit });
        if (asked.answer.ok) return asked.bytes;
        if (asked.answer.status !== 404) throw refused(asked);
        noBucket(asked);
        return null;
      }),
    list: (folder, signal) =>
      told(signal, async limit => {
        const below = folder === '' ? prefix : `${prefix}${folder.replace(/\/+$/, '')}/`;
        return filesOf(await objectsOf(send, below, limit), prefix, path => path.startsWith(temporary));
      }),
    remove: (path, signal) => told(signal, limit => remove(prefix + path, limit)),
    close: async () => closing.abort(),
  };
}

const refused = ({ answer, bytes, where }: S3Answer): PipelineError =>
  errorOf(where, refusalOf(answer, new TextDecoder().decode(bytes)));

/** A bucket that has gone is no missing file. */
function noBucket(asked: S3Answer): void {
  if (/<Code>NoSuchBucket</.test(new TextDecoder().decode(asked.bytes))) throw refused(asked);
}
