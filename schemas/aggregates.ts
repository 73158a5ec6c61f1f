// What is kept ready for readers, counted from the exact tables: each aggregate once, as data. How it is kept exact and
// fresh is the adapter's business (src/adapters/clickhouse/schema/aggregates.ts).

import type { AggregateDefinition } from './columns.ts';

const day = { name: 'day', type: 'Date', about: 'Day of the events’ timestamps, UTC', is: 'day' };

export const aggregates: readonly AggregateDefinition[] = [
  {
    name: 'events_per_minute',
    summary: 'Events by minute, type and source',
    pace: 1,
    key: ['minute', 'event_type', 'source'],
    from: [
      { type: 'events', as: { minute: 'toStartOfMinute(timestamp)', event_type: 'event_type', source: 'source' } },
    ],
    columns: [
      { name: 'minute', type: "DateTime('UTC')", about: 'Minute of the events’ timestamps', is: 'minute' },
      { name: 'event_type', type: 'LowCardinality(String)', about: 'Event type', is: 'event_type' },
      { name: 'source', type: 'LowCardinality(String)', about: 'Name of the API key', is: 'source' },
      { name: 'events', type: 'UInt64', about: 'How many', is: 'count()' },
    ],
  },
  {
    name: 'film_views_daily',
    summary: 'Views of each film by day',
    pace: 5,
    key: ['day', 'film_id'],
    from: [
      {
        type: 'film_opened',
        as: {
          day: 'toDate(timestamp)',
          film_id: 'film_id',
          viewer: 'person',
          watched: 'NULL',
        },
      },
      {
        type: 'film_watched',
        as: {
          day: 'toDate(timestamp)',
          film_id: 'film_id',
          viewer: 'person',
          watched: 'duration',
        },
      },
    ],
    columns: [
      day,
      { name: 'film_id', type: 'String', about: 'The film', is: 'film_id' },
      { name: 'viewers', type: 'UInt64', about: 'Different users, or visitors without one', is: 'uniqExact(viewer)' },
      {
        name: 'views',
        type: 'UInt64',
        about: 'Openings; at least as many as completions, where openings are not sent',
        is: 'greatest(countIf(watched IS NULL), count(watched))',
      },
      { name: 'completions', type: 'UInt64', about: 'Times it was watched to its end', is: 'count(watched)' },
      {
        name: 'completed_seconds',
        type: 'Float64',
        about: 'Length of the films watched to their end, once for each completion',
        is: 'ifNull(sum(watched), 0)',
      },
    ],
  },
  {
    name: 'active_users_daily',
    summary: 'Who was there, by day',
    pace: 5,
    key: ['day'],
    from: [{ type: 'events', as: { day: 'toDate(timestamp)', user_id: 'user_id', anonymous_id: 'anonymous_id' } }],
    columns: [
      day,
      { name: 'users', type: 'UInt64', about: 'Different registered users', is: 'uniqExact(user_id)' },
      {
        name: 'visitors',
        type: 'UInt64',
        about: 'Different visitors who were nobody registered in that event',
        is: 'uniqExactIf(anonymous_id, user_id IS NULL)',
      },
      { name: 'events', type: 'UInt64', about: 'Their events', is: 'count()' },
    ],
  },
  {
    name: 'quality_changes_daily',
    summary: 'Changes of quality by day, from and to',
    pace: 5,
    key: ['day', 'from_quality', 'to_quality'],
    from: [
      {
        type: 'quality_change',
        as: {
          day: 'toDate(timestamp)',
          from_quality: 'from_quality',
          to_quality: 'to_quality',
          viewer: 'person',
          film_id: 'film_id',
        },
      },
    ],
    columns: [
      day,
      { name: 'from_quality', type: 'LowCardinality(String)', about: 'Quality before', is: 'from_quality' },
      { name: 'to_quality', type: 'LowCardinality(String)', about: 'Quality after', is: 'to_quality' },
      { name: 'changes', type: 'UInt64', about: 'How many', is: 'count()' },
      { name: 'viewers', type: 'UInt64', about: 'Different users, or visitors without one', is: 'uniqExact(viewer)' },
      { name: 'films', type: 'UInt64', about: 'Different films', is: 'uniqExact(film_id)' },
    ],
  },
];
