import { defineEvent } from '../event.ts';
import { freeObject, int64, orEmpty, orNull, text, time, whole } from '../field.ts';

const few = (about: string) => orEmpty(text({ about, fewValues: true }));

export const log = defineEvent({
  name: 'log',
  family: 'telemetry',
  stream: 'view',
  version: 1,
  summary: 'A log record of OpenTelemetry',
  fields: {
    severity_number: whole({
      about: 'How severe: from 1 trace, 5 debug, 9 info, 13 warn, 17 error, 21 fatal; 0 = not said',
      max: 24,
    }),
    severity_text: few('The same in the words of who logs, e.g. WARN'),
    body: text({ about: 'What is logged: text as it is, anything else as JSON', lengthMax: 1_048_576 }),
    event_name: few('What kind of event it is, where it is one'),
    service_name: few('service.name of the resource'),
    service_instance_id: orEmpty(text({ about: 'service.instance.id of the resource' })),
    scope_name: few('The library or logger that logs'),
    scope_version: few('Its version'),
    trace_id: orEmpty(text({ about: 'The trace it is of: 32 hex digits, or empty', lengthMax: 32 })),
    span_id: orEmpty(text({ about: 'The span it is of: 16 hex digits, or empty', lengthMax: 16 })),
    flags: orNull(whole({ about: 'W3C trace flags in the lowest byte' })),
    time_unix_nano: orNull(int64({ about: 'When it happened, to the nanosecond since 1970; null = it does not say' })),
    observed_at: orNull(time({ about: 'When it was first seen by who collects; null = it does not say' })),
    dropped_attributes_count: orNull(whole({ about: 'Attributes that its sender has left out' })),
    schema_url: few('The schema of the scope, or else of the resource'),
    attributes: freeObject({ about: 'Its own attributes, as key and value' }),
    scope_attributes: freeObject({ about: 'Those of the scope' }),
    resource_attributes: freeObject({ about: 'Those of the resource: what it comes from' }),
  },
  example: {
    event_type: 'log',
    timestamp: '2024-10-03T14:30:00.123Z',
    severity_number: 13,
    severity_text: 'WARN',
    body: 'the cache answers slowly',
    service_name: 'checkout',
    service_instance_id: 'checkout-7d9f',
    scope_name: 'cache',
    trace_id: '5b8efff798038103d269b633813fc60c',
    span_id: 'eee19b7ec3c1b174',
    flags: 1,
    time_unix_nano: '1727965800123456789',
    observed_at: '2024-10-03T14:30:00.124Z',
    attributes: { 'cache.key': 'basket', 'cache.ms': 812 },
    resource_attributes: { 'service.name': 'checkout', 'service.instance.id': 'checkout-7d9f' },
  },
});
