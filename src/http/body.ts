// A request's body → text, or bytes, bounded before and after decompression and in time.

import { messageOf, PipelineError } from '../errors.ts';
import { timed } from '../process/sleep.ts';
import type { Arrival } from './arrival.ts';
import { decompress } from './decompress.ts';

export interface BodyLimits {
  readonly bodyBytesMax: number;
  readonly bodyDecompressedBytesMax: number;
  readonly bodyTimeoutMs: number;
  /** What `bodyBytesMax` follows from; absent = UGC_BODY_BYTES_MAX. */
  readonly boundedBy?: string;
}

/** Decompressed, as UTF-8 without a byte order mark. Rejects with a PipelineError that a client can be answered with. */
export async function readText(request: Request, limits: BodyLimits, arrival: Arrival): Promise<string> {
  const bytes = await readBody(request, limits, arrival);
  if (bytes.length === 0) throw new PipelineError('not_json', 'the body is empty');
  return decode(bytes);
}

/** Decompressed. Rejects like `readText`. */
export async function readBody(request: Request, limits: BodyLimits, arrival: Arrival): Promise<Uint8Array> {
  const sent = await readBytes(arrival, limits);
  const encoding = request.headers.get('content-encoding');
  const bytes = encoding === null ? sent : await decompress(sent, encoding, limits.bodyDecompressedBytesMax);
  if (bytes !== sent) arrival.hold(bytes.length);
  return bytes;
}

async function readBytes(arrival: Arrival, limits: BodyLimits): Promise<Uint8Array> {
  const { bodyBytesMax, bodyTimeoutMs } = limits;
  const { announcedBytes } = arrival;
  if (announcedBytes !== null && announcedBytes > bodyBytesMax) throw tooLarge(limits);
  if (arrival.isSmall) {
    const whole = await arriving(bodyTimeoutMs, arrival.whole());
    arrival.hold(whole.length);
    return whole;
  }
  const cut = arrival.cut();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const chunk = await Promise.race([arriving(bodyTimeoutMs, arrival.next()), cut]);
    if (chunk === null) {
      arrival.arrived();
      return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length);
    }
    length += chunk.length;
    if (length > bodyBytesMax) throw tooLarge(limits);
    arrival.hold(chunk.length);
    chunks.push(chunk);
  }
}

const tooLarge = ({ bodyBytesMax, boundedBy = 'UGC_BODY_BYTES_MAX' }: BodyLimits): PipelineError =>
  new PipelineError('too_large', `the body is larger than ${bodyBytesMax} bytes (${boundedBy})`);

/** What arrives, or `body_timeout`. A connection that breaks is a bad request: its client reads no answer any more. */
const arriving = <T>(timeoutMs: number, bytes: Promise<T>): Promise<T> =>
  timed(timeoutMs, bytes.catch(broken), () => {
    throw new PipelineError('body_timeout', `nothing of the body arrived for ${timeoutMs} ms`);
  });

function broken(error: unknown): never {
  throw new PipelineError('bad_request', `the body did not arrive whole: ${messageOf(error)}`, { cause: error });
}

const utf8 = new TextDecoder('utf-8', { fatal: true }); // leaves out a byte order mark

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    throw new PipelineError('not_json', 'the body is not valid UTF-8', { cause: error });
  }
}
