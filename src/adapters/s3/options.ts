// Where an S3-compatible bucket is and who asks it, as the settings say it.

export interface S3Options {
  /** `s3://bucket/prefix`. */
  readonly url: string;
  /** `https://host:port`; '' = AWS in the region. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Of temporary keys; '' = none. */
  readonly sessionToken: string;
  /** `path`: https://host/bucket/key; `host`: https://bucket.host/key. `auto`: host at AWS, path elsewhere. */
  readonly addressing: 'auto' | 'path' | 'host';
  /** Nobody else writes there: a server that knows no `If-None-Match` is taken, too. */
  readonly isSingleWriter: boolean;
  /** PEM; absent = the authorities of the system. */
  readonly ca?: string;
  /** To write or read one file. */
  readonly timeoutMs: number;
}

export interface Place {
  readonly title: string;
  readonly bucket: string;
  /** '' or `prefix/`. */
  readonly prefix: string;
  /** In front of a key, without a / at its end. */
  readonly base: string;
}

export function placeOf({ url, endpoint, region, addressing }: S3Options): Place {
  const found = /^s3:\/\/([^/]+)\/?(.*)$/.exec(url);
  if (found === null) throw new Error(`no URL of S3: ${url}`);
  const bucket = found[1]!;
  const prefix = found[2]!.replace(/^\/+|\/+$/g, '');
  const server = new URL(endpoint === '' ? `https://s3.${region}.amazonaws.com` : endpoint);
  // A certificate of *.s3.… covers no bucket with a dot in its name.
  const isByHost = addressing === 'auto' ? endpoint === '' && !bucket.includes('.') : addressing === 'host';
  const base = isByHost ? `${server.protocol}//${bucket}.${server.host}` : `${server.origin}/${bucket}`;
  return { title: url.replace(/\/+$/, ''), bucket, prefix: prefix === '' ? '' : `${prefix}/`, base };
}
