// One signed request to S3 (Signature Version 4), its answer whole.
// - the hash of a body is part of what is signed, so the server refuses one that did not arrive as it was
// - what a server cannot do just now (5xx, 429) it is asked for again, as it wants it, a few times:
//   https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
// - not a PUT, and nothing that had no answer: whether it was done has to be looked at

import { AwsV4Signer } from 'aws4fetch';
import { PipelineError } from '../../errors.ts';
import { sleep } from '../../process/sleep.ts';
import { failureOf, passesSoon } from './error.ts';
import { placeOf, type S3Options } from './options.ts';

export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  /** Of the bucket; '' = the bucket itself. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** SHA-256 of the body, hex. */
  readonly sha256?: string;
  readonly signal: AbortSignal;
}

export interface S3Answer {
  readonly answer: Response;
  readonly bytes: Uint8Array;
  /** What was asked, for people. */
  readonly where: string;
}

export type Send = (request: S3Request) => Promise<S3Answer>;

/** SHA-256 of nothing. */
const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** As Signature Version 4 spells it: everything but letters, digits and -._~ */
const spell = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, sign => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

const triesMax = 4;
/** Before the second; twice as long before each that follows. */
const pauseMs = 100;

export function s3Sender(options: S3Options): Send {
  const once = sendingOnce(options);
  return async request => {
    for (let tries = 1; ; tries++) {
      const asked = await once(request);
      if (request.method === 'PUT' || tries === triesMax || !passesSoon(asked.answer.status)) return asked;
      await sleep(pauseMs * 2 ** (tries - 1) * (0.5 + Math.random()), request.signal);
    }
  };
}

function sendingOnce(options: S3Options): Send {
  const { base } = placeOf(options);
  const tls = options.ca === undefined ? {} : { tls: { ca: options.ca } };
  // Bun would end it after five minutes by itself.
  const patient: object = { timeout: false };
  return async ({ method, key, query = {}, headers = {}, body, sha256 = emptyHash, signal }) => {
    const search = Object.entries(query)
      .map(([name, value]) => `${spell(name)}=${spell(value)}`)
      .join('&');
    const url = `${base}/${key.split('/').map(spell).join('/')}${search === '' ? '' : `?${search}`}`;
    const where = `${method} ${url.split('?')[0]}`;
    const signed = await new AwsV4Signer({
      method,
      url,
      headers: { ...headers, 'x-amz-content-sha256': sha256 },
      accessKeyId: options.accessKey,
      secretAccessKey: options.secretKey,
      ...(options.sessionToken !== '' && { sessionToken: options.sessionToken }),
      service: 's3',
      region: options.region,
    }).sign();
    try {
      const answer = await fetch(url, {
        method,
        headers: { ...Object.fromEntries(signed.headers), 'accept-encoding': 'identity' },
        redirect: 'manual',
        ...patient,
        ...(body && { body: body as Uint8Array<ArrayBuffer> }),
        ...tls,
        signal,
      });
      const bytes = await answer.bytes();
      const length = answer.headers.get('content-length');
      if (method === 'GET' && answer.ok && length !== null && Number(length) !== bytes.length)
        throw new PipelineError('archive_unavailable', `${where} sent ${bytes.length} bytes of ${length}`);
      return { answer, bytes, where };
    } catch (error) {
      throw failureOf(where, error);
    }
  };
}
