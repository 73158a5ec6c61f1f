// Expected failures: a code, and the one table that says what a code means to a client (HTTP status, title) and to a
// loop (retry). Adapters turn their driver's errors into PipelineErrors in one function each; no other code looks at a
// driver's error. What is not a PipelineError is a bug.

/**
 * What a caller may do about it.
 * never   the same input will fail again
 * backoff try the same again later, as often as needed: the outcome is unknown or the other side is overloaded
 * halt    an operator has to repair something; try the same again slowly and say so loudly
 */
export type Retry = 'never' | 'backoff' | 'halt';

interface Meaning {
  readonly status: number;
  readonly title: string;
  readonly retry: Retry;
}

export const errorTable = {
  // what a client can get wrong
  not_json: { status: 400, title: 'The body is not valid JSON', retry: 'never' },
  bad_request: { status: 400, title: 'The request cannot be understood', retry: 'never' },
  unauthorized: { status: 401, title: 'The request shows no key or token that counts', retry: 'never' },
  tls_required: { status: 403, title: 'This is taken over HTTPS alone', retry: 'never' },
  forbidden: { status: 403, title: 'The caller may not do this', retry: 'never' },
  not_found: { status: 404, title: 'There is nothing here', retry: 'never' },
  conflict: { status: 409, title: 'Another request is doing this just now', retry: 'backoff' },
  stale: { status: 412, title: 'It has been changed since', retry: 'never' },
  key_reused: { status: 422, title: 'The idempotency key stands for another request', retry: 'never' },
  method_not_allowed: { status: 405, title: 'This method is not allowed here', retry: 'never' },
  body_timeout: { status: 408, title: 'The body did not arrive in time', retry: 'never' },
  too_large: { status: 413, title: 'The body is too large', retry: 'never' },
  unsupported_media_type: { status: 415, title: 'This content type or encoding is not supported', retry: 'never' },
  rate_limited: { status: 429, title: 'The caller sends too much', retry: 'backoff' },
  invalid: { status: 422, title: 'What was sent is not valid', retry: 'never' },
  // what the edge can fail at
  buffer_full: { status: 503, title: 'The disk buffer is full', retry: 'backoff' },
  buffer_failed: { status: 503, title: 'The disk buffer cannot be written', retry: 'backoff' },
  auth_unavailable: { status: 503, title: 'A token cannot be checked just now', retry: 'backoff' },
  clock_wrong: { status: 503, title: 'The server’s clock is wrong', retry: 'backoff' },
  shutting_down: { status: 503, title: 'The server is shutting down', retry: 'backoff' },
  overloaded: { status: 503, title: 'There is more to do than can be done', retry: 'backoff' },
  too_many_connections: { status: 503, title: 'There are too many connections', retry: 'backoff' },
  lookup_failed: { status: 503, title: 'This cannot be looked up just now', retry: 'backoff' },
  internal: { status: 500, title: 'Something went wrong here', retry: 'never' },
  // what a log can fail at
  log_unavailable: { status: 503, title: 'The broker cannot be reached, nothing was sent', retry: 'backoff' },
  log_unknown: { status: 503, title: 'The broker has not answered, the event may be stored', retry: 'backoff' },
  log_halted: { status: 503, title: 'The broker needs repair', retry: 'halt' },
  log_refused: { status: 422, title: 'The broker refused the event', retry: 'never' },
  // what a sink can fail at
  sink_unknown: { status: 503, title: 'The outcome of the insert is unknown', retry: 'backoff' },
  sink_overloaded: { status: 503, title: 'ClickHouse is overloaded', retry: 'backoff' },
  sink_halted: { status: 503, title: 'ClickHouse needs repair', retry: 'halt' },
  sink_refused: { status: 422, title: 'ClickHouse refused the rows', retry: 'never' },
  // what the content store can fail at
  store_unavailable: { status: 503, title: 'The content store cannot be reached, nothing was done', retry: 'backoff' },
  store_unknown: { status: 503, title: 'The content store has not answered, it may have been done', retry: 'backoff' },
  store_halted: { status: 503, title: 'The content store needs repair', retry: 'halt' },
  // what the cold archive can fail at
  archive_unavailable: { status: 503, title: 'The cold archive cannot be reached', retry: 'backoff' },
  archive_halted: { status: 503, title: 'The cold archive needs repair', retry: 'halt' },
  // what start-up can fail at
  config_invalid: { status: 500, title: 'The configuration is wrong', retry: 'never' },
  engine_missing: { status: 500, title: 'The embedded ClickHouse library is missing', retry: 'never' },
  data_dir_locked: { status: 500, title: 'Another process has this data folder open', retry: 'never' },
  schema_incompatible: { status: 500, title: 'The tables do not fit the catalogue', retry: 'halt' },
} as const satisfies Record<string, Meaning>;

export type ErrorCode = keyof typeof errorTable;

/** Why a record can never become a row. */
export const deadReasons = [
  'tombstone',
  'not_utf8',
  'not_json',
  'unknown_type',
  'invalid',
  'too_old',
  'in_future',
  'too_large',
  'refused',
] as const;
export type DeadReason = (typeof deadReasons)[number];

/** An expected failure. `message` is for people: what happened and, where there is something to do, what to do. */
export class PipelineError extends Error {
  readonly code: ErrorCode;
  /**
   * It is the matter of one part of the other side alone, as a partition without a leader: says nothing of the rest.
   */
  readonly isOfPart: boolean;
  override readonly name = 'PipelineError';

  constructor(code: ErrorCode, message?: string, options?: { cause?: unknown; isOfPart?: boolean }) {
    super(message ?? errorTable[code].title, options);
    this.code = code;
    this.isOfPart = options?.isOfPart ?? false;
  }

  get retry(): Retry {
    return errorTable[this.code].retry;
  }

  get status(): number {
    return errorTable[this.code].status;
  }
}

/** For adapters' catch-alls and logs: the message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
