// What the routes of events and receipts answer, as OpenAPI.

import { type JsonSchema, refTo } from '../../schemas/json-schema.ts';
import { edgeReasons } from '../catalogue/rejection.ts';
import { warningWords } from '../catalogue/warning.ts';
import { errorTable } from '../errors.ts';
import { typeOf } from '../http/answer.ts';
import { jsonOf } from '../http/openapi.ts';
import { brokerNames, storedNames } from '../ports/log.ts';
import { acks } from './ack.ts';

const accepted = { outcome: 'accepted', event_id: '01927a3e-5c1b-7d2f-9e4a-3b6c8d0f1a2e', stored: brokerNames[0] };
const rejected = {
  outcome: 'rejected',
  reason: 'invalid',
  errors: [{ path: '/device', message: 'expected text of at most 128 characters, got nothing' }],
};
const { outcome: _, ...why } = rejected;

const { title, status } = errorTable.invalid;
const [misfit] = rejected.errors;
/** What one event is answered, as the problem it is. */
const invalid = { type: typeOf('invalid'), title, status, detail: `${misfit!.path} ${misfit!.message}`, ...why };

const withExamples = (schema: JsonSchema, examples: Readonly<Record<string, unknown>>) => ({
  schema,
  examples: Object.fromEntries(
    Object.entries(examples).map(([summary, value], at) => [`example_${at + 1}`, { summary, value }]),
  ),
});

export const eventAnswers = {
  200: {
    description: 'Durable: the event, or every event of several that no rule of the operator has dropped',
    content: {
      'application/json': withExamples(
        { anyOf: [refTo('Accepted'), refTo('Dropped'), refTo('Results')] },
        { 'of one event': accepted, 'of several': { accepted: 1, rejected: 0, results: [accepted] } },
      ),
    },
  },
  202: {
    description: 'With ack=stored: durable, and a row was not to be seen in time',
    content: jsonOf({ anyOf: [refTo('Accepted'), refTo('Results')] }),
  },
  207: {
    description: 'Some of several events are durable',
    content: {
      'application/json': withExamples(refTo('Results'), {
        'of two events': { accepted: 1, rejected: 1, results: [accepted, rejected] },
      }),
    },
  },
  400: refTo('Problem400', 'responses'),
  408: refTo('Problem408', 'responses'),
  413: refTo('Problem413', 'responses'),
  415: refTo('Problem415', 'responses'),
  422: {
    description: 'The event is not valid, or none of several is',
    content: {
      'application/problem+json': withExamples(refTo('Problem422'), { 'of one event': invalid }),
      'application/json': withExamples(refTo('Results'), {
        'of several': { accepted: 0, rejected: 1, results: [rejected] },
      }),
    },
  },
  500: refTo('Problem500', 'responses'),
  503: refTo('Problem503', 'responses'),
};

const outcomeOf = (outcome: string, properties: JsonSchema, required: readonly string[]): JsonSchema => ({
  type: 'object',
  required: ['outcome', ...required],
  properties: { outcome: { const: outcome }, ...properties },
});

export const answerSchemas: Readonly<Record<string, JsonSchema>> = {
  RejectReason: { enum: edgeReasons },
  Warning: {
    enum: Object.keys(warningWords),
    description: Object.entries(warningWords)
      .map(([word, about]) => `${word}: ${about}`)
      .join('. '),
  },
  Accepted: outcomeOf(
    'accepted',
    {
      event_id: { type: 'string', format: 'uuid' },
      stored: { enum: [...storedNames, 'clickhouse'], description: 'Where it is durable now; clickhouse: a row' },
      warning: {
        type: 'array',
        items: refTo('Warning'),
        minItems: 1,
        description: 'What looks wrong with it; absent = nothing does',
      },
      dropped_fields: {
        type: 'array',
        items: { type: 'string' },
        minItems: 1,
        description: 'With fields_dropped: JSON pointers of the first of them',
      },
    },
    ['event_id', 'stored'],
  ),
  Dropped: {
    ...outcomeOf(
      'dropped',
      {
        event_id: { type: 'string', format: 'uuid' },
        rule: { type: 'string', description: 'Of the operator, or bot-traffic, own-traffic, privacy-signals' },
      },
      ['event_id', 'rule'],
    ),
    description:
      'It was good, and by a rule of the operator, or by who sends it, it is not stored: do not send it again',
  },
  Rejected: outcomeOf(
    'rejected',
    { reason: refTo('RejectReason'), errors: { type: 'array', items: refTo('Misfit') } },
    ['reason', 'errors'],
  ),
  Failed: {
    ...outcomeOf(
      'failed',
      {
        event_id: { type: 'string', format: 'uuid' },
        reason: { type: 'string', description: 'What failed, as in the type of a problem' },
        retry: { const: true },
      },
      ['reason', 'retry'], // of an event that was not judged only its own event_id is known
    ),
    description: 'It was good and could not be stored: send it again',
  },
  Results: {
    type: 'object',
    required: ['accepted', 'rejected', 'results'],
    properties: {
      accepted: { type: 'integer', minimum: 0 },
      rejected: { type: 'integer', minimum: 0, description: 'Those that failed too' },
      dropped: { type: 'integer', minimum: 1, description: 'Neither accepted nor rejected; absent = none' },
      results: {
        type: 'array',
        description: 'In the order of the events in the body',
        items: { anyOf: ['Accepted', 'Dropped', 'Rejected', 'Failed'].map(name => refTo(name)) },
      },
    },
  },
};

export const ackParameter = {
  name: 'ack',
  in: 'query',
  description: 'What to wait for: that the event is durable, or a row that can be read',
  schema: { enum: acks, default: 'durable' },
};

const times = { type: 'string', format: 'date-time' };

const placeSchema: JsonSchema = {
  type: 'object',
  required: ['place'],
  properties: {
    place: { enum: ['clickhouse', 'dead_letters', 'disk', 'quarantine', 'edge'] },
    event_type: { type: ['string', 'null'] },
    received_at: times,
    timestamp: times,
  },
};

export const receiptPaths = {
  '/v1/receipts/{event_id}': {
    get: {
      operationId: 'getReceipt',
      tags: ['events'],
      summary: 'What became of one event',
      parameters: [{ name: 'event_id', in: 'path', required: true, schema: refTo('EventId') }],
      responses: {
        200: {
          description: 'What is known of it',
          content: jsonOf({
            type: 'object',
            required: ['event_id', 'state', 'places'],
            properties: {
              event_id: { type: 'string', format: 'uuid' },
              state: { enum: ['stored', 'dead', 'waiting', 'rejected', 'dropped'] },
              places: { type: 'array', items: placeSchema },
              unasked: { type: 'array', items: { type: 'string' }, description: 'What could not be asked' },
            },
          }),
        },
        400: refTo('Problem400', 'responses'),
        404: refTo('Problem404', 'responses'),
        500: refTo('Problem500', 'responses'),
        503: refTo('Problem503', 'responses'),
      },
    },
  },
};
