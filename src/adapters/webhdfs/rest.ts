// WebHDFS's REST API (hadoop.apache.org/docs/stable/hadoop-project-dist/hadoop-hdfs/WebHDFS.html): one question to the NameNode, or
// the bytes of one file to or from a DataNode. HttpFS speaks the same.
// - of several NameNodes the one that answered last is asked first; another is asked only where nothing can have been done
// - a NameNode says where the bytes go (Location); that name has to be known here, and to be as well guarded

import { PipelineError } from '../../errors.ts';
import { errorOf, failureOf, isStandby, isUnreached, type Refusal, refusalOf } from './error.ts';
import { placeOf, type WebHdfsOptions } from './options.ts';

export type Query = Readonly<Record<string, string>>;

export interface Ask {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly op: string;
  /** Below the root. */
  readonly path: string;
  readonly query?: Query;
  readonly signal: AbortSignal;
}

/** What it answered: JSON, or a refusal that the caller knows how to take. */
export type Answer = { readonly json: unknown } | { readonly refusal: Refusal };

export interface Rest {
  /** Refusals that `takes` are answers; others are thrown. */
  ask(ask: Ask, takes?: (refusal: Refusal) => boolean): Promise<Answer>;
  /** Where a DataNode takes or gives the bytes. */
  locate(
    ask: Ask,
    takes?: (refusal: Refusal) => boolean,
  ): Promise<{ readonly location: string } | { readonly refusal: Refusal }>;
  put(location: string, bytes: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Null: there is none any more. */
  get(location: string, signal: AbortSignal): Promise<Uint8Array | null>;
  /** As HDFS calls it. */
  absolute(path: string): string;
}

export function webHdfsRest(options: WebHdfsOptions): Rest {
  const { hosts, root } = placeOf(options);
  const isTls = hosts[0]!.startsWith('https:');
  const tls = options.ca === undefined ? {} : { tls: { ca: options.ca } };
  /** Index of the one that is asked first. */
  let first = 0;
  const absolute = (path: string): string => (path === '' ? root || '/' : `${root}/${path}`);

  // Bun would end it after five minutes by itself.
  const patient: object = { timeout: false };
  const send = (url: string, init: RequestInit): Promise<Response> =>
    fetch(url, { redirect: 'manual', ...patient, ...tls, ...init });

  /** The first NameNode that is active. */
  async function response({ method, op, path, query, signal }: Ask): Promise<{ at: string; answer: Response }> {
    const search = new URLSearchParams({ op, ...(options.user !== '' && { 'user.name': options.user }), ...query });
    const spelt = absolute(path).split('/').map(encodeURIComponent).join('/');
    let failure: PipelineError | null = null;
    for (let tries = 0; tries < hosts.length; tries++) {
      const host = (first + tries) % hosts.length;
      const where = `${hosts[host]} ${op} ${absolute(path)}`;
      try {
        const answer = await send(`${hosts[host]}/webhdfs/v1${spelt}?${search}`, { method, signal });
        const refused = answer.status === 403 ? await answer.clone().text() : '';
        if (refused === '' || !isStandby(refusalOf(403, refused))) {
          first = host;
          return { at: where, answer };
        }
        failure ??= errorOf(where, refusalOf(403, refused));
      } catch (error) {
        failure = failureOf(where, error);
        if (isUnreached(error)) continue;
        // It may have been done. Who asks again asks another first.
        first = (host + 1) % hosts.length;
        break;
      }
    }
    throw failure!;
  }

  return {
    absolute,
    async ask(ask, takes = () => false) {
      const { at, answer } = await response(ask);
      const text = await bodyOf(at, answer);
      if (answer.ok) return { json: text === '' ? null : read(at, text) };
      const refusal = refusalOf(answer.status, text);
      if (takes(refusal)) return { refusal };
      throw errorOf(at, refusal);
    },
    async locate(ask, takes = () => false) {
      const { at, answer } = await response({ ...ask, query: { ...ask.query, noredirect: 'true' } });
      const text = await bodyOf(at, answer);
      const header = answer.status === 307 ? answer.headers.get('location') : null;
      if (!answer.ok && header === null) {
        const refusal = refusalOf(answer.status, text);
        if (takes(refusal)) return { refusal };
        throw errorOf(at, refusal);
      }
      const location = header ?? String((read(at, text) as { Location?: unknown }).Location ?? '');
      if (!URL.canParse(location))
        throw new PipelineError('archive_unavailable', `${at} named no DataNode: ${text.slice(0, 200)}`);
      if (isTls && !location.startsWith('https:'))
        throw new PipelineError(
          'archive_halted',
          `${at} sends the bytes in plain to ${new URL(location).host}: set dfs.http.policy=HTTPS_ONLY there`,
        );
      return { location };
    },
    async put(location, bytes, signal) {
      const at = `DataNode ${new URL(location).host}`;
      const headers = { 'content-type': 'application/octet-stream' };
      const answer = await send(location, {
        method: 'PUT',
        body: bytes as Uint8Array<ArrayBuffer>,
        headers,
        signal,
      }).catch(lost(at));
      const text = await bodyOf(at, answer);
      if (!answer.ok) throw errorOf(at, refusalOf(answer.status, text));
    },
    async get(location, signal) {
      const at = `DataNode ${new URL(location).host}`;
      const answer = await send(location, { headers: { 'accept-encoding': 'identity' }, signal }).catch(lost(at));
      if (!answer.ok) {
        const refusal = refusalOf(answer.status, await bodyOf(at, answer));
        if (refusal.exception === 'FileNotFoundException') return null;
        throw errorOf(at, refusal);
      }
      const bytes = await answer.bytes().catch(lost(at));
      const length = answer.headers.get('content-length');
      if (length !== null && Number(length) !== bytes.length)
        throw new PipelineError('archive_unavailable', `${at} sent ${bytes.length} bytes of ${length}`);
      return bytes;
    },
  };
}

/** A DataNode that does not answer is often one whose name only the cluster knows. */
const lost =
  (at: string) =>
  (error: unknown): never => {
    const hint = isUnreached(error) ? '; what the NameNode calls it has to be known here (dfs.datanode.hostname)' : '';
    throw failureOf(`${at}${hint}`, error);
  };

const bodyOf = (at: string, answer: Response): Promise<string> =>
  answer.text().catch(error => {
    throw failureOf(at, error);
  });

function read(at: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new PipelineError('archive_unavailable', `${at} did not answer in JSON: ${text.slice(0, 200)}`);
  }
}
