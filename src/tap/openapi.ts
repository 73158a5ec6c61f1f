// GET /v1/stream as OpenAPI.

import type { JsonSchema } from '../../schemas/json-schema.ts';
import type { ApiPart } from '../http/openapi.ts';
import { kindNames, outcomeNames, rateOf } from './filter.ts';
import { streamPath } from './route.ts';

const listed = (name: string, description: string, items: JsonSchema = { type: 'string' }) => ({
  name,
  in: 'query',
  description,
  style: 'form',
  explode: true,
  schema: { type: 'array', items },
});

const example = `id: 5f2c81d0-41
retry: 2000

event: event
id: 5f2c81d0-42
data: {"at":"2026-11-21T12:00:00.000Z","outcome":"accepted","type":"click","source":"shop","user":"956939f6-7a98-4bf1-9949-500e5dd20fa0","id":"0193a0f0-0000-7000-8000-000000000001","stored":"kafka","body":{}}

`;

export const streamApi: ApiPart = {
  tags: [{ name: 'watching', description: 'What passes, for who looks after it' }],
  paths: {
    [streamPath]: {
      get: {
        operationId: 'getStream',
        tags: ['watching'],
        summary: 'What passes through this process, as it does',
        description:
          'Server-sent events, for as long as they are read: `event` and `rejected` for each event at the edge, `stats` once a second, `dropped` where some are missing, with how many and why. ' +
          'It never holds up what passes: what is not read in time, or is more than `rate`, is left out and counted. With Last-Event-ID a reader goes on where it was, as far as what passed is kept. Other processes have their own.',
        parameters: [
          listed('type', 'Event types, with * and ?'),
          listed('key', 'Names of API keys (source)'),
          listed('user', 'user_id, else anonymous_id'),
          listed('outcome', 'What became of it', { enum: [...outcomeNames] }),
          listed('kinds', 'Which messages; absent = both', { enum: [...kindNames] }),
          {
            name: 'sample',
            in: 'query',
            description: 'The share that is told',
            schema: { type: 'number', minimum: 0, maximum: 1, default: 1 },
          },
          {
            name: 'rate',
            in: 'query',
            description: 'Events a second at most',
            schema: { type: 'number', minimum: 1, maximum: rateOf.max, default: rateOf.standard },
          },
          {
            name: 'Last-Event-ID',
            in: 'header',
            description: 'Of the last message that was read',
            schema: { type: 'string' },
          },
        ],
        responses: {
          200: {
            description: 'It begins at once and goes on',
            content: { 'text/event-stream': { schema: { type: 'string' }, example } },
          },
          400: { $ref: '#/components/responses/Problem400' },
          403: { $ref: '#/components/responses/Problem403' },
          503: { $ref: '#/components/responses/Problem503' },
          500: { $ref: '#/components/responses/Problem500' },
        },
      },
    },
  },
};
