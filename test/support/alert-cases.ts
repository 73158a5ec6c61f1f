// What has to happen for each alert, and what looks like it and must not wake anybody. Series and values are promtool's, a value a
// minute: `a+bxn` grows by b n times, `axn` stays.

export interface AlertCase {
  readonly alert: string;
  /** When it is looked. */
  readonly after: string;
  readonly fires: Readonly<Record<string, string>>;
  readonly quiet: readonly Readonly<Record<string, string>>[];
}

const answers = (route: string, le: string, values: string): Readonly<Record<string, string>> => ({
  [`ugc_http_request_seconds_bucket{route="${route}",status="200",le="0.005"}`]: le === '0.005' ? values : '0x60',
  [`ugc_http_request_seconds_bucket{route="${route}",status="200",le="5"}`]: values,
  [`ugc_http_request_seconds_bucket{route="${route}",status="200",le="+Inf"}`]: values,
});

const fresh = (le: string): Readonly<Record<string, string>> => ({
  'ugc_freshness_seconds_bucket{le="0.25"}': le === '0.25' ? '0+60x60' : '0x60',
  'ugc_freshness_seconds_bucket{le="10"}': '0+60x60',
  'ugc_freshness_seconds_bucket{le="+Inf"}': '0+60x60',
});

const day = 86_400;

export const alertCases: readonly AlertCase[] = [
  {
    alert: 'UgcDown',
    after: '10m',
    fires: { 'up{job="ugc",instance="a"}': '1x5 0x20' },
    quiet: [{ 'up{job="ugc",instance="a"}': '1x8 0 1x20' }, { 'up{job="other",instance="a"}': '0x20' }],
  },
  {
    alert: 'UgcRefuses',
    after: '20m',
    fires: { 'ugc_http_request_seconds_count{instance="a",route="/v1/events",status="503"}': '0x5 0+30x20' },
    quiet: [
      { 'ugc_http_request_seconds_count{instance="a",route="/v1/events",status="503"}': '0x5 7x20' },
      { 'ugc_http_request_seconds_count{instance="a",route="/v1/events",status="422"}': '0+30x30' },
    ],
  },
  {
    alert: 'UgcAnswersSlowly',
    after: '30m',
    fires: answers('/v1/events', '5', '0+60x60'),
    quiet: [answers('/v1/events', '0.005', '0+60x60'), answers('/v1/stream', '5', '0+60x60')],
  },
  {
    alert: 'UgcRejectsManyEvents',
    after: '30m',
    fires: {
      'ugc_events_received_total{event_type="click",outcome="accepted"}': '0+60x60',
      'ugc_events_received_total{event_type="click",outcome="rejected"}': '0+30x60',
    },
    quiet: [
      {
        'ugc_events_received_total{event_type="click",outcome="accepted"}': '0+60x60',
        'ugc_events_received_total{event_type="click",outcome="rejected"}': '0+10x60',
      },
      { 'ugc_events_received_total{event_type="click",outcome="rejected"}': '0x60' },
    ],
  },
  {
    alert: 'UgcLimitsAClient',
    after: '30m',
    fires: { 'ugc_rate_limited_total{limit="key"}': '0+6000x60' },
    quiet: [{ 'ugc_rate_limited_total{limit="key"}': '0+60x60' }],
  },
  {
    alert: 'UgcConnectionsNearlyAll',
    after: '20m',
    fires: { 'ugc_http_connections{instance="a"}': '950x60', 'ugc_http_connections_max{instance="a"}': '1000x60' },
    quiet: [
      { 'ugc_http_connections{instance="a"}': '800x60', 'ugc_http_connections_max{instance="a"}': '1000x60' },
      { 'ugc_http_connections{instance="a"}': '950x60' }, // no bound
    ],
  },
  {
    alert: 'UgcCertificateEnds',
    after: '30m',
    fires: { 'ugc_tls_certificate_expiration_timestamp_seconds{serial="1"}': `${10 * day}x60` },
    quiet: [{ 'ugc_tls_certificate_expiration_timestamp_seconds{serial="1"}': `${60 * day}x60` }],
  },
  {
    alert: 'UgcCertificateEndsNow',
    after: '30m',
    fires: { 'ugc_tls_certificate_expiration_timestamp_seconds{serial="1"}': `${day}x60` },
    quiet: [{ 'ugc_tls_certificate_expiration_timestamp_seconds{serial="1"}': `${10 * day}x60` }],
  },
  {
    alert: 'UgcBrokerTakesNothing',
    after: '20m',
    fires: { 'ugc_breaker_open{instance="a"}': '0x5 1x20' },
    quiet: [{ 'ugc_breaker_open{instance="a"}': '0x5 1 0x20' }],
  },
  {
    alert: 'UgcBufferGrows',
    after: '30m',
    fires: { 'ugc_buffer_oldest_seconds{instance="a"}': '0+60x60', 'ugc_buffer_events{instance="a"}': '0+1000x60' },
    quiet: [
      // it drains
      { 'ugc_buffer_oldest_seconds{instance="a"}': '0+60x60', 'ugc_buffer_events{instance="a"}': '90000-1000x60' },
      { 'ugc_buffer_oldest_seconds{instance="a"}': '1x60', 'ugc_buffer_events{instance="a"}': '0+1x60' },
    ],
  },
  {
    alert: 'UgcEventsSetAside',
    after: '10m',
    fires: { 'ugc_buffer_quarantined_events{instance="a"}': '0x5 1x60' },
    quiet: [{ 'ugc_buffer_quarantined_events{instance="a"}': '0x60' }],
  },
  {
    alert: 'UgcTableHalted',
    after: '10m',
    fires: { 'ugc_etl_halted{table="click"}': '0x5 1x60' },
    quiet: [{ 'ugc_etl_halted{table="click"}': '0x60' }, { 'ugc_etl_halted{table="click"}': '1x5 0x60' }],
  },
  {
    alert: 'UgcTopicWaits',
    after: '20m',
    fires: { 'ugc_etl_waiting{topic="ugc.click"}': '0x5 1x60' },
    quiet: [{ 'ugc_etl_waiting{topic="ugc.click"}': '1x3 0x60' }],
  },
  {
    alert: 'UgcLagGrows',
    after: '40m',
    fires: {
      'ugc_etl_lag_events{topic="ugc.click",instance="a"}': '0+400x60',
      'ugc_etl_lag_events{topic="ugc.click",instance="b"}': '0+400x60',
    },
    quiet: [
      { 'ugc_etl_lag_events{topic="ugc.click",instance="a"}': '90000-1000x60' }, // they catch up
      { 'ugc_etl_lag_events{topic="ugc.click",instance="a"}': '0+1x60' },
      // what one process gives up the other has
      {
        'ugc_etl_lag_events{topic="ugc.click",instance="a"}': '0+1000x60',
        'ugc_etl_lag_events{topic="ugc.click",instance="b"}': '90000-1100x60',
      },
    ],
  },
  { alert: 'UgcNotFresh', after: '30m', fires: fresh('10'), quiet: [fresh('0.25')] },
  {
    alert: 'UgcInsertsFail',
    after: '30m',
    fires: { 'ugc_etl_batches_total{outcome="sink_unavailable"}': '0+6x60' },
    quiet: [
      { 'ugc_etl_batches_total{outcome="inserted"}': '0+600x60' },
      { 'ugc_etl_batches_total{outcome="sink_unavailable"}': '0 6x60' },
    ],
  },
  {
    alert: 'UgcDeadLetters',
    after: '20m',
    fires: { 'ugc_dead_letters_total{reason="invalid"}': '_x15 1x60' }, // the first there ever was
    quiet: [
      { 'ugc_dead_letters_total{reason="invalid"}': '1x60' },
      { 'ugc_dead_letters_total{reason="invalid"}': '_x5 1x60' },
    ],
  },
  {
    alert: 'UgcLogReplaced',
    after: '2h',
    fires: { 'ugc_etl_log_replaced_total{topic="ugc.click"}': '0x90 1x60' },
    quiet: [{ 'ugc_etl_log_replaced_total{topic="ugc.click"}': '1x200' }],
  },
  {
    alert: 'UgcAggregateFails',
    after: '20m',
    fires: { 'ugc_aggregate_failing{aggregate="film_views_daily"}': '0x5 1x60' },
    quiet: [{ 'ugc_aggregate_failing{aggregate="film_views_daily"}': '1x3 0x60' }],
  },
  {
    alert: 'UgcOutboxWaits',
    after: '20m',
    fires: { 'ugc_content_outbox_oldest_seconds{instance="a"}': '0+60x60' },
    quiet: [{ 'ugc_content_outbox_oldest_seconds{instance="a"}': '5x60' }],
  },
  {
    alert: 'UgcNobodyRelays',
    after: '20m',
    fires: {
      'ugc_content_relay_leader{instance="a"}': '0x60',
      'ugc_content_relay_leader{instance="b"}': '0x60',
      'ugc_content_outbox_events{instance="a"}': '3x60',
    },
    quiet: [
      {
        'ugc_content_relay_leader{instance="a"}': '0x60',
        'ugc_content_relay_leader{instance="b"}': '1x60',
        'ugc_content_outbox_events{instance="a"}': '3x60',
      },
      { 'ugc_content_relay_leader{instance="a"}': '0x60', 'ugc_content_outbox_events{instance="a"}': '0x60' },
    ],
  },
  {
    alert: 'UgcHistoryLagGrows',
    after: '40m',
    fires: { 'ugc_content_history_lag_events{topic="ugc.film_progress"}': '0+400x60' },
    quiet: [{ 'ugc_content_history_lag_events{topic="ugc.film_progress"}': '90000-1000x60' }],
  },
  {
    alert: 'UgcArchiveLagGrows',
    after: '3h',
    fires: { 'ugc_archive_lag_events{topic="ugc.click"}': '0+400x200' },
    quiet: [{ 'ugc_archive_lag_events{topic="ugc.click"}': '900000-1000x200' }],
  },
  ...(
    [
      ['UgcLogDeletesUnread', 'etl'],
      ['UgcLogDeletesUnarchived', 'archive'],
    ] as const
  ).map(([alert, of]) => ({
    alert,
    after: '60m',
    fires: { [`ugc_${of}_retention_left_seconds{topic="ugc.click"}`]: '24000-60x90' },
    quiet: [
      { [`ugc_${of}_retention_left_seconds{topic="ugc.click"}`]: '90000-60x90' },
      { [`ugc_${of}_retention_left_seconds{topic="ugc.click"}`]: '3600x90' }, // nothing waits in a topic that keeps an hour
      { [`ugc_${of}_retention_left_seconds{topic="ugc.click"}`]: '1000+60x90' }, // it catches up
    ],
  })),
  {
    alert: 'UgcFlowPaused',
    after: '2h',
    fires: {
      'ugc_flow_paused{instance="a",flow="tables"}': '0x10 1x120',
      'ugc_flow_paused{instance="b",flow="tables"}': '0x10 1x120',
    },
    quiet: [
      { 'ugc_flow_paused{instance="a",flow="tables"}': '1x100 0x5 1x30' },
      { 'ugc_flow_paused{instance="a",flow="drain"}': '0x150' },
    ],
  },
  {
    alert: 'UgcArchiveNotWhole',
    after: '10m',
    fires: { 'ugc_archive_verified_whole{instance="a"}': '1x5 0x20' },
    quiet: [{ 'ugc_archive_verified_whole{instance="a"}': '1x20' }, { 'ugc_archive_lag_seconds{topic="t"}': '0x20' }],
  },
];
