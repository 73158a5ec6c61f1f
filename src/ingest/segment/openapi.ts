// The routes of the Segment spec, as OpenAPI: the long paths. What messages hold is the spec's to say.

import { type JsonSchema, refTo } from '../../../schemas/json-schema.ts';
import type { Operation, Paths, Tag } from '../../http/openapi.ts';
import { segmentPaths } from './routes.ts';

export const segmentTag: Tag = {
  name: 'segment',
  description: 'For SDKs of Segment and RudderStack. The write key is an API key: in Basic, ?writeKey= or the body',
};

const answers = {
  200: {
    description: 'Nothing is to be sent again: all is durable but what was rejected, which is told beside it',
    content: { 'application/json': { schema: refTo('SegmentSuccess') } },
  },
  ...Object.fromEntries([400, 408, 413, 415, 500, 503].map(status => [status, refTo(`Problem${status}`, 'responses')])),
};

export const segmentSchemas: Readonly<Record<string, JsonSchema>> = {
  SegmentSuccess: {
    type: 'object',
    required: ['success'],
    properties: {
      success: { const: true },
      accepted: { type: 'integer', minimum: 0, description: 'Told where a message was rejected, as the others' },
      rejected: { type: 'integer', minimum: 1 },
      results: { type: 'array', items: { anyOf: [refTo('Accepted'), refTo('Rejected')] } },
    },
  },
};

const example: Readonly<Record<string, JsonSchema>> = {
  track: { userId: 'u1', event: 'Trailer Muted', properties: { volume: 0 } },
  page: { anonymousId: 'a1', name: 'Home', properties: { url: 'https://example.com/' } },
  screen: { userId: 'u1', name: 'Player' },
  identify: { userId: 'u1', traits: { plan: 'family' } },
  group: { userId: 'u1', groupId: 'g1', traits: { plan: 'family' } },
  alias: { userId: 'u1', previousId: 'a1' },
};

const batchSchema: JsonSchema = {
  type: 'object',
  required: ['batch'],
  properties: { batch: { type: 'array', description: 'Messages; what is none costs no other' } },
};

const operationOf = (call: string | null): Operation => ({
  operationId: `segment_${call ?? 'batch'}`,
  tags: [segmentTag.name],
  summary: call === null ? 'Send messages of any call' : `Send one ${call}`,
  description:
    '**Sending stores for good.** JSON whatever the content type says; an error has `code` and `message` besides.',
  requestBody: {
    required: true,
    content: {
      'application/json': {
        schema: call === null ? batchSchema : { type: 'object' },
        examples: {
          [call ?? 'batch']: {
            value:
              call === null
                ? { batch: Object.entries(example).map(([type, message]) => ({ type, ...message })) }
                : example[call],
          },
        },
      },
    },
  },
  responses: answers,
});

export const segmentApiPaths: Paths = Object.fromEntries(
  Object.entries(segmentPaths).map(([path, call]) => [path, { post: operationOf(call) }]),
);
