// One statement of somebody who may only read. The engine holds it to that: readonly = 1 refuses every change, table
// functions that reach beyond the tables (file, url, s3, remote and their like), and settings in the statement, so that the
// bounds given here are the last word. Where ClickHouse is behind a port that says itself what its guests may, they
// are given as wishes.

import { ClickHouseError } from '@clickhouse/client';
import { PipelineError } from '../../../errors.ts';
import type { FreeQuery } from '../../../ports/shown-tables.ts';
import { type ClickhouseClient, NotShown } from '../client.ts';
import { sinkError } from '../errors.ts';

export interface FreeQueryOptions {
  /** Throws while there is nobody to ask. */
  readonly client: () => ClickhouseClient;
  /** A server: who asks it may do more than read. Else the engine is asked as a guest, whose memory and rights are bounded. */
  readonly isServer: boolean;
}

/** Of the rows; of an answer as JSON about twice as much. */
const resultBytesMax = 64 * 2 ** 20;
const memoryBytesMax = 2 ** 30;
const wordsMax = 2_000;

/** No matter of the statement: too many are asked at once, or who asks is not known there. */
const notItsFault: ReadonlySet<string> = new Set(['192', '193', '194', '195', '202', '203', '516']);
/** SETTING_CONSTRAINT_VIOLATION: the server gives less memory than is asked for. */
const overBound = '452';

export function freeQueryIn({ client, isServer }: FreeQueryOptions): FreeQuery {
  return {
    async ask(sql, { limit, seconds, signal }) {
      const settings = {
        limit,
        max_execution_time: seconds,
        max_result_bytes: resultBytesMax,
        output_format_json_quote_64bit_integers: 1,
        output_format_json_quote_decimals: 1,
        output_format_json_quote_denormals: 1,
        date_time_output_format: 'iso',
        ...(isServer && { readonly: 1 }),
      };
      const askWith = (more: Readonly<Record<string, number>>) =>
        client().table(withoutEnd(sql), { settings: { ...settings, ...more }, signal });
      try {
        if (!isServer) return await askWith({});
        return await askWith({ max_memory_usage: memoryBytesMax }).catch(error => {
          if (error instanceof ClickHouseError && error.code === overBound) return askWith({}); // its own bound is the lower one
          throw error;
        });
      } catch (cause) {
        throw queryError(cause);
      }
    },
  };
}

/** The client puts a FORMAT behind it. */
const withoutEnd = (sql: string): string => sql.replace(/[\s;]+$/, '');

function queryError(cause: unknown): PipelineError {
  if (cause instanceof ClickHouseError && !notItsFault.has(cause.code))
    return new PipelineError('bad_request', wordsOf(cause), { cause });
  if (cause instanceof NotShown && !cause.isStranger)
    return new PipelineError(
      'bad_request',
      `it gives no table of rows; a FORMAT of its own is left out (${cause.message})`,
      {
        cause,
      },
    );
  return sinkError(cause, 'answering a query');
}

const wordsOf = ({ code, type, message }: ClickHouseError): string =>
  `${message.replace(/\s+/g, ' ').trim().slice(0, wordsMax)} (${code}${type === undefined ? '' : ` ${type}`})`;
