// Mappings that come with ugc: what exports of PostHog, Segment and Snowplow are by default. Printed by --show-mapping, so
// that one can be changed. What is no type of ours is `custom`, by its name, with its properties.

import type { Mapping } from './import-mapping.ts';

const devices = { Mobile: 'mobile', Desktop: 'desktop', Tablet: 'tablet' };

/** Batch export of the model "events" (S3, file download), JSON lines or Parquet. */
const posthog: Mapping = {
  name: 'posthog',
  id: 'uuid',
  time: 'timestamp',
  received: ['created_at', '_inserted_at'],
  type: 'event',
  fields: {
    user_id: 'properties.$user_id',
    anonymous_id: ['properties.$device_id', 'distinct_id'],
    country: { path: ['properties.$geoip_country_code'], default: '' },
    device: { path: 'properties.$device_type', values: devices, default: '' },
  },
  types: {
    $pageview: {
      type: 'page_view',
      fields: {
        page_url: 'properties.$current_url',
        referrer_url: { path: 'properties.$referrer', values: { $direct: null } },
      },
    },
    $autocapture: {
      type: 'click',
      fields: { element: ['properties.$el_text', 'elements_chain'], page_url: 'properties.$current_url' },
    },
    $pageleave: 'skip',
    $feature_flag_called: 'skip',
    $web_vitals: 'skip',
  },
  other: { type: 'custom', fields: { name: 'event', properties: { path: 'properties', as: 'json', default: {} } } },
};

/** Logs of the S3 destination: a call of the Segment spec on each line, gzip. */
const segment: Mapping = {
  name: 'segment',
  id: 'messageId',
  time: ['timestamp', 'originalTimestamp'],
  received: 'receivedAt',
  type: ['event', 'type'],
  fields: {
    user_id: { path: 'userId', as: 'text' },
    anonymous_id: { path: 'anonymousId', as: 'text' },
    country: { path: ['context.location.country'], default: '' },
    device: { path: 'context.device.type', default: '' },
  },
  types: {
    page: {
      type: 'page_view',
      fields: {
        page_url: ['properties.url', 'context.page.url'],
        referrer_url: ['properties.referrer', 'context.page.referrer'],
      },
    },
    identify: { type: 'user_identified', fields: { traits: { path: 'traits', default: {} } } },
    group: 'skip',
    alias: 'skip',
  },
  other: {
    type: 'custom',
    fields: { name: ['event', 'name', 'type'], properties: { path: 'properties', default: {} } },
  },
};

/** Enriched events as JSON (analytics SDKs, the JSON loaders) or as rows of the table `events`. */
const snowplow: Mapping = {
  name: 'snowplow',
  id: 'event_id',
  time: ['derived_tstamp', 'dvce_created_tstamp', 'collector_tstamp'],
  received: 'collector_tstamp',
  type: ['event_name', 'event'],
  fields: {
    user_id: 'user_id',
    anonymous_id: ['domain_userid', 'network_userid'],
    country: { path: 'geo_country', default: '' },
    device: { path: 'dvce_type', default: '' },
  },
  types: {
    page_view: { type: 'page_view', fields: { page_url: 'page_url', referrer_url: 'page_referrer' } },
    page_ping: 'skip',
    link_click: {
      type: 'click',
      fields: {
        element: ['unstruct_event_*.elementId', 'unstruct_event_*.targetUrl'],
        page_url: { path: 'page_url', default: '' },
      },
    },
    event: {
      type: 'custom',
      fields: {
        name: 'se_action',
        properties: {
          object: {
            category: 'se_category',
            label: 'se_label',
            property: 'se_property',
            value: { path: 'se_value', as: 'number' },
          },
        },
      },
    },
  },
  other: {
    type: 'custom',
    fields: { name: ['event_name', 'event'], properties: { path: 'unstruct_event_*', as: 'json', default: {} } },
  },
};

export const presetNames = ['posthog', 'segment', 'snowplow'] as const;
export type PresetName = (typeof presetNames)[number];
export const presets: Readonly<Record<PresetName, Mapping>> = { posthog, segment, snowplow };
