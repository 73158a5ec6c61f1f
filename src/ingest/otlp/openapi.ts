// POST /v1/logs as OpenAPI. What a record holds is the protocol's to say.

import { type JsonSchema, refTo } from '../../../schemas/json-schema.ts';
import type { Operation, Paths, Tag } from '../../http/openapi.ts';
import { jsonType, protobufType } from './answer.ts';
import { logsPath } from './routes.ts';

export const otlpTag: Tag = {
  name: 'opentelemetry',
  description: 'For collectors and SDKs of OpenTelemetry: OTLP over HTTP',
};

const message = (properties: JsonSchema, more: JsonSchema = {}): JsonSchema => ({
  type: 'object',
  properties,
  ...more,
});

/** In the JSON of protobuf null is what is not said, wherever it stands. */
const listOf = (properties: JsonSchema): JsonSchema => ({
  type: ['array', 'null'],
  items: { type: ['object', 'null'], properties },
});

export const otlpSchemas: Readonly<Record<string, JsonSchema>> = {
  ExportLogsServiceRequest: message(
    {
      resourceLogs: listOf({
        resource: { description: 'Its attributes: a list of key and value' },
        scopeLogs: listOf({ logRecords: { type: ['array', 'null'] } }),
      }),
    },
    { description: 'https://opentelemetry.io/docs/specs/otlp/. Fields that nobody knows are passed over' },
  ),
  ExportLogsServiceResponse: message({
    partialSuccess: message({
      rejectedLogRecords: { type: 'string', pattern: '^\\d+$', description: 'So many will never be taken' },
      errorMessage: { type: 'string', description: 'The first of them, and why' },
    }),
  }),
  OtlpStatus: message(
    { code: { type: 'integer', description: 'Of google.rpc.Code' }, message: { type: 'string' } },
    { required: ['code', 'message'] },
  ),
};

const protobufOf = (name: string) => ({
  [protobufType]: { schema: { type: 'string', format: 'binary', description: `${name} in binary protobuf` } },
});

/** In the encoding of the request. */
const answerOf = (description: string, schema: string, name = schema) => ({
  description,
  content: { [jsonType]: { schema: refTo(schema) }, ...protobufOf(name) },
});

const refusals: Readonly<Record<number, string>> = {
  400: 'It is no request of the protocol, or not one of its records can be taken',
  401: 'It shows no key or token that counts',
  403: 'Who sends may not',
  413: 'The body, or what its records would take, is too large',
  415: 'Another content type or encoding',
  429: 'It is sent too much: again, after Retry-After',
  500: 'Something went wrong here',
  503: 'It cannot be stored just now: again, after Retry-After',
};

const example = {
  resourceLogs: [
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'checkout' } }] },
      scopeLogs: [
        {
          scope: { name: 'cache' },
          logRecords: [
            {
              timeUnixNano: '1727965800123456789',
              severityNumber: 13,
              severityText: 'WARN',
              body: { stringValue: 'the cache answers slowly' },
              attributes: [{ key: 'cache.ms', value: { intValue: '812' } }],
              traceId: '5b8efff798038103d269b633813fc60c',
              spanId: 'eee19b7ec3c1b174',
            },
          ],
        },
      ],
    },
  ],
};

const postLogs: Operation = {
  operationId: 'postLogs',
  tags: [otlpTag.name],
  summary: 'Send log records of OpenTelemetry: each is an event of the type log',
  description:
    '**Sending stores for good.** A request that is sent again makes no second rows. Compressed as Content-Encoding says, answered in the encoding that was sent.',
  requestBody: {
    required: true,
    content: {
      [jsonType]: {
        schema: refTo('ExportLogsServiceRequest'),
        examples: { record: { summary: 'one record', value: example } },
      },
      ...protobufOf('ExportLogsServiceRequest'),
    },
  },
  responses: {
    200: answerOf('Nothing is to be sent again: all is durable but what was rejected', 'ExportLogsServiceResponse'),
    ...Object.fromEntries(
      Object.entries(refusals).map(([status, description]) => [
        status,
        answerOf(description, 'OtlpStatus', 'google.rpc.Status'),
      ]),
    ),
  },
};

export const otlpPaths: Paths = { [logsPath]: { post: postLogs } };
