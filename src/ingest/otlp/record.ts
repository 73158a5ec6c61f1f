// An ExportLogsServiceRequest → events of the type `log`, a record each.
// https://github.com/open-telemetry/opentelemetry-proto/blob/v1.7.0/opentelemetry/proto/logs/v1/logs.proto
//
// - What is wrong with a record costs that record alone, what is wrong with a resource or a scope its own records, and
//   what is wrong with the lists around them the request.
// - Fields nobody knows are passed over, as the protocol wants it.
// - The resource and the scope stand beside each of their records, so together they are bounded: a small body cannot become
//   gigabytes of rows.

import { describe } from '../../../schemas/misfit.ts';
import { isObject } from '../../catalogue/judge.ts';
import type { JsonObject } from '../../catalogue/rejection.ts';
import { PipelineError } from '../../errors.ts';
import type { BodyLimits } from '../../http/body.ts';
import { type Meaning, Misread, orMisread } from '../reading.ts';
import { listOf, misread, objectOf, plainOf } from './any-value.ts';
import { type Identify, identifierOf } from './identity.ts';
import { jsonText } from './json-text.ts';

export interface RecordOptions extends Pick<Meaning, 'now'> {
  readonly limits: BodyLimits;
  /** Of one request. */
  readonly recordsMax: number;
  readonly jsonDepthMax: number;
  /** Name of the key it is sent with. */
  readonly source: string;
}

/** What records have in common. */
interface Around {
  readonly fields: JsonObject;
  /** What tells its records from those of others. */
  readonly text: string;
}

/** The records of a request. */
export interface Records {
  readonly count: number;
  /** They as events, in order, so many at a time: made when they are asked for. */
  parts(most: number): Iterable<readonly unknown[]>;
}

/** The records that have their resource and scope in common, or what is wrong with those. */
interface Group {
  readonly around: Around | Misread;
  readonly records: readonly unknown[];
}

/** Throws a PipelineError that a client can be answered with; nothing of the request is wrong as a whole after that. */
export function recordsOf(request: unknown, options: RecordOptions): Records {
  const groups = groupsOf(request, options);
  return {
    count: groups.reduce((sum, { records }) => sum + records.length, 0),
    *parts(most) {
      let part: unknown[] = [];
      for (const event of eventsIn(groups, options)) {
        if (part.push(event) < most) continue;
        yield part;
        part = [];
      }
      if (part.length > 0) yield part;
    },
  };
}

function* eventsIn(groups: readonly Group[], options: RecordOptions): Generator<unknown> {
  const identify = identifierOf(options.source);
  for (const { around, records } of groups)
    for (const record of records)
      yield isMisread(around) ? around : orMisread(() => eventOf(record, around, identify, options));
}

function groupsOf(request: unknown, options: RecordOptions): readonly Group[] {
  const { limits, recordsMax } = options;
  const groups: Group[] = [];
  let [count, besideBytes] = [0, 0];
  const whole = asWhole(() => {
    if (request === null) throw misread('', 'expected an object, got null');
    return messageAt(request, '');
  });
  for (const ofResource of objectsIn(whole, 'resourceLogs'))
    for (const ofScope of objectsIn(ofResource, 'scopeLogs')) {
      const records = listIn(ofScope, 'logRecords');
      if (records.length === 0) continue;
      count += records.length;
      if (count > recordsMax)
        throw new PipelineError(
          'too_large',
          `the body holds more than ${recordsMax} records (UGC_BODY_LOG_RECORDS_MAX): send smaller batches`,
        );
      const around = orMisread(() => aroundOf(ofResource, ofScope, options));
      groups.push({ around, records });
      if (isMisread(around)) continue;
      besideBytes += around.text.length * records.length;
      if (besideBytes > limits.bodyDecompressedBytesMax)
        throw new PipelineError(
          'too_large',
          `with its resource beside each the records take more than ${limits.bodyDecompressedBytesMax} bytes ` +
            '(UGC_BODY_DECOMPRESSED_BYTES_MAX): send smaller batches',
        );
    }
  return groups;
}

/** Throws a Misread. */
function aroundOf(ofResource: JsonObject, ofScope: JsonObject, { jsonDepthMax }: RecordOptions): Around {
  const resource = messageAt(ofResource.resource, '/resource');
  const scope = messageAt(ofScope.scope, '/scope');
  // The event itself is the first level.
  const depthMax = jsonDepthMax - 1;
  const ofAll = objectOf(resource.attributes, { path: '/resource_attributes', depthMax });
  const fields = {
    service_name: shownText(ofAll['service.name']),
    service_instance_id: shownText(ofAll['service.instance.id']),
    scope_name: scope.name ?? '',
    scope_version: scope.version ?? '',
    schema_url: textOr(ofScope.schemaUrl, ofResource.schemaUrl ?? ''),
    scope_attributes: objectOf(scope.attributes, { path: '/scope_attributes', depthMax }),
    resource_attributes: ofAll,
  };
  return { fields, text: jsonText(fields) };
}

function eventOf(given: unknown, around: Around, identify: Identify, options: RecordOptions): JsonObject {
  if (!isObject(given)) throw misread('', `expected a log record, got ${describe(given)}`);
  const depthMax = options.jsonDepthMax - 1;
  const happenedAt = nanosOf(given.timeUnixNano, '/time_unix_nano');
  const observedAt = nanosOf(given.observedTimeUnixNano, '/observed_at');
  const attributes = objectOf(given.attributes, { path: '/attributes', depthMax });
  const own = {
    severity_number: given.severityNumber ?? 0,
    severity_text: given.severityText ?? '',
    body: bodyOf(given.body, depthMax),
    event_name: given.eventName ?? '',
    trace_id: hexOf(given.traceId, 32),
    span_id: hexOf(given.spanId, 16),
    flags: given.flags ?? 0,
    time_unix_nano: happenedAt,
    observed_at: observedAt === null ? null : msOf(observedAt),
    dropped_attributes_count: given.droppedAttributesCount ?? 0,
    attributes,
  };
  const id = identify({ around: around.text, own, observedAt });
  const at = happenedAt ?? observedAt;
  return {
    event_type: 'log',
    ...(id !== null && { event_id: id }),
    timestamp: at === null ? options.now() : msOf(at),
    ...own,
    ...around.fields,
  };
}

/** Text as it is, none as empty text, anything else as JSON. */
function bodyOf(given: unknown, depthMax: number): string {
  const value = plainOf(given, { path: '/body', depthMax });
  if (typeof value === 'string') return value;
  return value === null ? '' : jsonText(value);
}

/** Nanoseconds since 1970 as digits; null = not said, which 0 is too. */
function nanosOf(given: unknown, path: string): string | null {
  if (given === undefined || given === null || given === '') return null;
  const exact = typeof given === 'number' && Number.isInteger(given) ? BigInt(given) : given;
  const text = typeof exact === 'bigint' ? String(exact) : exact;
  if (typeof text !== 'string' || !/^\d{1,19}$/.test(text))
    throw misread(path, `expected nanoseconds since 1970, got ${describe(given)}`);
  const digits = text.replace(/^0+/, '');
  return digits === '' ? null : digits;
}

const msOf = (nanos: string): number => Number(nanos.slice(0, -6));

/** In lower case; what is none, as all zeros, stands for no trace. */
function hexOf(given: unknown, digits: number): string {
  if (typeof given !== 'string' || given.length !== digits || !/^[0-9a-f]+$/i.test(given)) return '';
  return /^0+$/.test(given) ? '' : given.toLowerCase();
}

/** An attribute in a column of text. */
const shownText = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined || value === null ? '' : jsonText(value);

const textOr = (given: unknown, other: unknown): unknown =>
  given === undefined || given === null || given === '' ? other : given;

/** A message of the protocol; none is an empty one. Throws a Misread. */
function messageAt(given: unknown, path: string): JsonObject {
  if (given === undefined || given === null) return {};
  if (!isObject(given)) throw misread(path, `expected an object, got ${describe(given)}`);
  return given;
}

const objectsIn = (given: JsonObject, name: string): readonly JsonObject[] =>
  listIn(given, name).map(item => asWhole(() => messageAt(item, `/${name}`)));

const listIn = (given: JsonObject, name: string): readonly unknown[] => asWhole(() => listOf(given[name], `/${name}`));

/** What is wrong with it is wrong with the request. */
function asWhole<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!isMisread(error)) throw error;
    const where = error.path === '' ? 'the body' : error.path;
    throw new PipelineError('bad_request', `this is no ExportLogsServiceRequest: ${where} ${error.message}`);
  }
}

const isMisread = (value: unknown): value is Misread => value instanceof Misread;
