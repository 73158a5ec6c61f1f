// The ledger: what each ingest instance has answered `accepted`, by event type and minute. Its entries travel as events
// do and have a table of their own, but they are no event type: no client can post one, and `events` does not show
// them.

import type { TableDefinition } from './columns.ts';

export const ledgerType = 'ledger';

export const ledgerTable: TableDefinition = {
  type: ledgerType,
  summary: 'What each ingest instance has accepted: ugc reconcile holds it against the tables',
  retentionDays: 90,
  isInternal: true,
  columns: [
    { name: 'event_id', type: 'UUID', about: 'Identity of the entry' },
    { name: 'event_type', type: 'LowCardinality(String)', about: 'ledger' },
    { name: 'schema_version', type: 'UInt16', about: 'Version of this layout' },
    { name: 'received_at', type: "DateTime64(3, 'UTC')", about: 'When the entry was written' },
    { name: 'timestamp', type: "DateTime64(3, 'UTC')", about: 'The minute it is of: of the events’ received_at' },
    { name: 'instance', type: 'UUID', about: 'The process that wrote it, from its start to its end' },
    { name: 'sequence', type: 'UInt64', about: 'Of the instance: 1, 2, 3, … without gaps' },
    { name: 'is_last', type: 'Bool', about: 'The instance has stopped cleanly after this entry' },
    { name: 'type', type: 'LowCardinality(String)', about: 'Event type of the events' },
    { name: 'ids', type: 'Array(UUID)', about: 'event_id of each event accepted, as often as it was' },
    { name: 'ruled', type: 'Array(UUID)', about: 'event_id of each event that a rule dropped or diverted' },
    { name: 'unsure', type: 'Array(UUID)', about: 'event_id of each event answered with a failure: it may be stored' },
    { name: 'forgotten', type: 'Array(UUID)', about: 'event_id of each event deleted with the data of its person' },
  ],
};

/** Whatever stands in the topic pattern for a type’s words, the ledger is a word of its own. */
export const ledgerTopic = (pattern: string): string =>
  pattern.replaceAll(/\{(event_type|family|stream)\}/g, ledgerType);
