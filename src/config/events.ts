// Settings: which events are taken, and of which types.

import { bytes, choice, flag, integer, text } from './kinds.ts';

export const eventsSettings = {
  eventBytesMax: bytes({ default: '64KiB', min: '256', max: '16MiB', help: 'Largest event, as it would be stored' }),
  jsonDepthMax: integer({ default: 16, min: 2, max: 128, help: 'Deepest nesting of JSON in an event' }),
  eventAgeMaxDays: integer({ default: 1825, min: 1, max: 36_500, help: 'Older events are rejected' }),
  eventFutureMaxHours: integer({ default: 24, min: 0, max: 8_760, help: 'Events further in the future are rejected' }),
  unknownFields: choice({
    of: ['reject', 'drop'],
    default: 'reject',
    help: 'What happens to fields an event type does not have',
  }),
  schemasDir: text({
    default: '',
    takes: 'a folder',
    help: 'Event types of your own, one JSON Schema file each; looked at every second and at SIGHUP',
  }),
  ledger: flag({
    default: false,
    help: 'Ingest writes down which events it has accepted, for ugc reconcile; with a broker say it to etl as well',
  }),
  rejectionsSeconds: integer({
    default: 60,
    min: 0,
    max: 3_600,
    help: 'Ingest counts what it rejects for so long, then writes it to the table rejections; 0 = it does not. With a broker 0 is said to etl as well',
  }),
  segmentMapping: text({
    default: '',
    takes: 'a file',
    help: 'Of SDKs of the Segment spec: the event types their tracks are, as JSON with comments; read at the start',
  }),
  ackStoredTimeoutMs: integer({
    default: 5_000,
    min: 1,
    max: 600_000,
    help: '?ack=stored: events whose rows cannot be read by then are answered 202',
  }),
};
