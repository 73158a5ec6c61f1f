// The problems a client can meet (RFC 9457), as OpenAPI: one schema and one answer for each status, made from the table
// of errors.

import { type JsonSchema, refTo } from '../../schemas/json-schema.ts';
import { type ErrorCode, errorTable } from '../errors.ts';
import { retryAfter, typeOf } from './answer.ts';

/** What only a sink or a start can fail at reaches no client. */
export const isAnswered = (code: ErrorCode): boolean =>
  !/^(sink_|config_invalid$|engine_missing$|data_dir_locked$|schema_incompatible$)/.test(code);

/** Codes by the status they are answered with. */
const codesByStatus = (): ReadonlyMap<number, readonly ErrorCode[]> =>
  Map.groupBy((Object.keys(errorTable) as ErrorCode[]).filter(isAnswered), code => errorTable[code].status);

export function problemSchemas(): Record<string, JsonSchema> {
  const schemas: Record<string, JsonSchema> = {
    Misfit: {
      type: 'object',
      required: ['path', 'message'],
      properties: {
        path: { type: 'string', description: 'JSON pointer into the event; empty = the event' },
        message: { type: 'string', description: 'What was expected and what came' },
      },
    },
  };
  for (const [status, codes] of codesByStatus()) schemas[`Problem${status}`] = problemSchema(status, codes);
  return schemas;
}

const problemSchema = (status: number, codes: readonly ErrorCode[]): JsonSchema => ({
  type: 'object',
  required: ['type', 'title', 'status'],
  properties: {
    type: { enum: codes.map(typeOf), description: 'Does not change' },
    title: { enum: codes.map(code => errorTable[code].title) },
    status: { const: status },
    detail: { type: 'string', description: 'For people' },
    reason: { type: 'string', description: 'Of an event that was rejected, in a word' },
    errors: { type: 'array', items: refTo('Misfit') },
  },
});

export function problemResponses(): Record<string, unknown> {
  return Object.fromEntries(
    [...codesByStatus()].map(([status, codes]) => [
      `Problem${status}`,
      {
        description: [...new Set(codes.map(code => errorTable[code].title))].join('; '),
        ...((status === 429 || codes.some(code => code in retryAfter)) && { headers: { 'Retry-After': waiting } }),
        ...(status === 405 && {
          headers: { Allow: { description: 'What the path takes', schema: { type: 'string' } } },
        }),
        content: {
          'application/problem+json': {
            schema: refTo(`Problem${status}`),
            examples: Object.fromEntries(
              codes.map(code => [code, { value: { type: typeOf(code), title: errorTable[code].title, status } }]),
            ),
          },
        },
      },
    ]),
  );
}

const waiting = {
  description: 'Seconds after which to try again',
  schema: { type: 'integer', minimum: 0 },
};
