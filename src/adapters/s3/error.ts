// What goes wrong with S3, in words that name what to do. Nobody else looks at an answer of S3 that is no success.
// - no answer, one of 5xx, or one that asks for patience is `archive_unavailable`
// - what an operator has to do something about (keys, rights, the bucket, the clock, room) is `archive_halted`

import { PipelineError } from '../../errors.ts';
import { archiveFailure } from '../../process/archive-failure.ts';

/** As the server spells it: `<Error><Code>…</Code><Message>…</Message></Error>`. An answer to HEAD has neither. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** Where the bucket is, if it is elsewhere. */
  readonly region: string | null;
}

export function refusalOf(answer: Response, text: string): Refusal {
  const tag = (name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? '';
  return {
    status: answer.status,
    code: tag('Code'),
    message:
      tag('Message').slice(0, 300) ||
      (tag('Code') === ''
        ? text
            .replace(/<[^>]*>|\s+/g, ' ')
            .trim()
            .slice(0, 200)
        : ''),
    region: answer.headers.get('x-amz-bucket-region') ?? (tag('Region') || null),
  };
}

/** By code, what an operator has to do. */
const repairs: Readonly<Record<string, string>> = {
  InvalidAccessKeyId: 'S3 does not know UGC_ARCHIVE_ACCESS_KEY',
  SignatureDoesNotMatch: 'S3 refuses the signature: UGC_ARCHIVE_SECRET_KEY is not that of UGC_ARCHIVE_ACCESS_KEY',
  ExpiredToken: 'UGC_ARCHIVE_SESSION_TOKEN has expired: set new keys',
  InvalidToken: 'S3 refuses UGC_ARCHIVE_SESSION_TOKEN',
  RequestTimeTooSkewed: 'the clock of this machine is wrong by more than S3 takes: set it',
  NoSuchBucket: 'there is no such bucket: make it, or set UGC_ARCHIVE_URL',
  PermanentRedirect: 'the bucket is in another region: set UGC_ARCHIVE_REGION',
  AuthorizationHeaderMalformed: 'the bucket is in another region: set UGC_ARCHIVE_REGION',
  IllegalLocationConstraintException: 'the bucket is in another region: set UGC_ARCHIVE_REGION',
  AccessDenied:
    'S3 refuses UGC_ARCHIVE_ACCESS_KEY: give it s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject and s3:DeleteObject below the prefix',
  InvalidObjectState:
    'the object lies where it cannot be read at once (Glacier): restore it, and keep lifecycle rules off these files',
  XMinioStorageFull: 'the disks of the S3 server are full: make room',
  XMinioAdminBucketQuotaExceeded: 'the quota of the bucket is used up: raise it',
  QuotaExceeded: 'the quota of the bucket is used up: raise it',
  EntityTooLarge: 'S3 takes no file of that size: lower UGC_ARCHIVE_FILE_BYTES',
  InvalidBucketName: 'UGC_ARCHIVE_URL names no bucket that can be',
};

/** `where`: what was asked. */
export function errorOf(where: string, refusal: Refusal): PipelineError {
  const { status, code, message, region } = refusal;
  const said = `${where} answered ${status}${code === '' ? '' : ` ${code}`}${message === '' ? '' : `: ${message}`}`;
  const key = code === '' ? byStatus(status) : code;
  const repair = repairs[key];
  if (repair !== undefined)
    return new PipelineError(
      'archive_halted',
      `${repair}${region === null || !/region/.test(repair) ? '' : `=${region}`}: ${said}`,
    );
  if (status === 507)
    return new PipelineError('archive_halted', `the disks of the S3 server are full: make room: ${said}`);
  const passes =
    passesSoon(status) ||
    status === 408 ||
    status === 409 ||
    /^(BadDigest|IncompleteBody|RequestTimeout|XAmz.*Mismatch)$/.test(code);
  return new PipelineError(passes && status !== 501 ? 'archive_unavailable' : 'archive_halted', `S3: ${said}`);
}

/** What the server cannot do just now; not what it never can, and not for want of room. */
export const passesSoon = (status: number): boolean =>
  status === 429 || (status >= 500 && status !== 501 && status !== 507);

/** What an answer without a code is likely to mean. */
const byStatus = (status: number): string =>
  status === 403 ? 'AccessDenied' : status === 301 ? 'PermanentRedirect' : '';

/** Of a request that got no answer. */
export const failureOf = (where: string, error: unknown): PipelineError =>
  archiveFailure(where, error, ' (UGC_ARCHIVE_ENDPOINT)');
