// What goes back to a client: status, headers, body. Errors are RFC 9457 problems with a stable type.

import type { Misfit } from '../../schemas/misfit.ts';
import { type ErrorCode, errorTable, type PipelineError } from '../errors.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
  /** What is no text, instead. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
  /** What goes on for as long as the client listens, instead. */
  readonly stream?: Streamed;
}

/** An answer that goes on. Whoever makes it ends it when a stop begins. */
export interface Streamed {
  readonly bytes: ReadableStream<Uint8Array>;
  /** Resolves once it was read to its end, or its client has gone. */
  readonly over: Promise<void>;
  /** It was ended, and its client takes nothing more: nobody need wait for it. */
  isStuck(): boolean;
}

const jsonHeaders = { 'content-type': 'application/json' };

export const json = (status: number, body: string): Answer => ({ status, headers: jsonHeaders, body });

interface ProblemDetails {
  readonly reason?: string;
  readonly errors?: readonly Misfit[];
  readonly headers?: Record<string, string>;
}

/** Seconds a client should wait before it tries again. */
export const retryAfter = {
  buffer_full: '5',
  buffer_failed: '1',
  auth_unavailable: '5',
  clock_wrong: '60',
  shutting_down: '1',
  overloaded: '1',
  too_many_connections: '1',
  lookup_failed: '5',
  conflict: '1',
  store_unavailable: '2',
  store_unknown: '1',
  store_halted: '30',
} as const;

/** What tells a code of the table of errors apart for clients. */
export const typeOf = (code: ErrorCode): string => `urn:ugc:problem:${code.replaceAll('_', '-')}`;

export function problem(error: PipelineError, { reason, errors, headers }: ProblemDetails = {}): Answer {
  const { status, title } = errorTable[error.code];
  const detail = error.message === title ? undefined : error.message;
  const wait = error.code in retryAfter ? retryAfter[error.code as keyof typeof retryAfter] : undefined;
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      ...(wait === undefined ? {} : { 'retry-after': wait }),
      ...headers,
    },
    body: JSON.stringify({
      type: typeOf(error.code),
      title,
      status,
      detail,
      reason,
      errors,
    }),
  };
}
