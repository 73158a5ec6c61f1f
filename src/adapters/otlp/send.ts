// One POST to a collector, over OTLP/HTTP: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response. A failure passes by
// itself where the specification says so, and is told with how long the collector wants to be left alone.

import { messageOf } from '../../errors.ts';

export interface SendOptions {
  /** Whole, with /v1/traces or /v1/metrics at its end. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export type Sent =
  /** Some of it the collector may have thrown away: so many, and why, in its words. */
  | { readonly ok: true; readonly rejected: number; readonly said: string }
  | { readonly ok: false; readonly words: string; readonly mayPass: boolean; readonly waitMs: number };

const passing: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const answerBytesMax = 65_536;
const saidLengthMax = 200;

/** Never rejects. */
export async function send(body: string, { url, headers, timeoutMs, signal }: SendOptions): Promise<Sent> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    const text = await beginningOf(response);
    if (response.ok) return { ok: true, ...partialSuccess(text) };
    const said = text.trim() === '' ? '' : `: ${shown(text)}`;
    const words = `${url} answers ${response.status}${said}`;
    const waitMs = waitOf(response.headers.get('retry-after'));
    return { ok: false, words, mayPass: passing.has(response.status), waitMs };
  } catch (error) {
    return { ok: false, words: `${url} cannot be reached: ${messageOf(error)}`, mayPass: true, waitMs: 0 };
  }
}

const shown = (text: string): string => text.replace(/[^ -~]+/g, ' ').slice(0, saidLengthMax);

/** No more than it: what answers there may be anything. */
async function beginningOf({ body }: Response): Promise<string> {
  if (body === null) return '';
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    parts.push(part);
    bytes += part.length;
    if (bytes > answerBytesMax) break;
  }
  return Buffer.concat(parts).toString('utf8', 0, answerBytesMax);
}

/** An answer that cannot be read says 2xx all the same. */
function partialSuccess(text: string): { readonly rejected: number; readonly said: string } {
  const none = { rejected: 0, said: '' };
  try {
    const { partialSuccess: partial } = JSON.parse(text);
    const rejected = Number(partial?.rejectedSpans ?? partial?.rejectedDataPoints ?? 0);
    return Number.isSafeInteger(rejected) && rejected > 0
      ? { rejected, said: shown(String(partial.errorMessage ?? '')) }
      : none;
  } catch {
    return none;
  }
}

/** Seconds, or a date: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after. 0 = nothing that can be read. */
function waitOf(retryAfter: string | null): number {
  if (retryAfter === null) return 0;
  if (/^\d{1,9}$/.test(retryAfter)) return Number(retryAfter) * 1_000;
  const atMs = Date.parse(retryAfter);
  return Number.isNaN(atMs) ? 0 : Math.max(0, atMs - Date.now());
}
