// Capacity by formula: from what comes in to what it takes. Each number carries its formula with the values in it and what
// these rest on, so that whoever doubts it can follow it with a pencil.

import type { Coefficient, Coefficients } from './coefficients.ts';

export interface Demand {
  /** On average, events a second. */
  readonly averagePerS: number;
  readonly peakPerS: number;
  /** Of an event as JSON. */
  readonly eventBytes: number;
  /** Events of a request. */
  readonly batch: number;
  readonly retentionDays: number;
  /** Of ClickHouse's data, and of the broker's. */
  readonly replicas: number;
  readonly brokerReplicas: number;
  readonly brokerRetentionHours: number;
  /** The broker or ClickHouse may be away for so long. */
  readonly outageHours: number;
  /** Event types in use: tables that are inserted into. */
  readonly tables: number;
}

export interface Need {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly formula: string;
  readonly restsOn: readonly string[];
}

const shown = (value: number): string =>
  value >= 1_000 ? String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ' ') : String(Number(value.toPrecision(3)));

export const capacityOf = (demand: Demand, by: Coefficients): Need[] => [
  ...workOf(demand, by),
  ...storageOf(demand, by),
  ...networkOf(demand, by),
];

const rests = (...used: readonly Coefficient[]): readonly string[] => used.map(({ from }) => from);

const need = (name: string, value: number, unit: string, formula: string, restsOn: readonly string[] = []): Need => ({
  name,
  value,
  unit,
  formula,
  restsOn,
});

/** Cores, requests, partitions, inserts. */
function workOf(demand: Demand, by: Coefficients): Need[] {
  const { averagePerS, peakPerS, eventBytes, batch } = demand;
  const sizeTimes = Math.max(1, eventBytes / by.measuredBytes.value);
  const ingestUs = by.ingestRequestUs.value / batch + by.ingestEventUs.value * sizeTimes;
  const etlUs = by.etlEventUs.value * sizeTimes;
  const cores = (us: number): number => (peakPerS * us) / 1e6 / by.coreUse.value;
  const coresText = (us: string): string => `${shown(peakPerS)}/s × ${us} ÷ 1 000 000 ÷ ${by.coreUse.value} in use`;
  const sizeText = `× ${shown(sizeTimes)} for their size`;
  const perDay = averagePerS * 86_400;
  const etlCores = cores(etlUs);
  const partitions = Math.max(Math.ceil(etlCores), Math.ceil((peakPerS * eventBytes) / by.partitionBytesPerS.value));
  return [
    need('events a day', perDay, 'events', `${shown(averagePerS)}/s × 86 400 s`),
    need('requests at the peak', peakPerS / batch, '/s', `${shown(peakPerS)}/s ÷ ${batch} a request`),
    need(
      'cores of ingest',
      cores(ingestUs),
      'cores',
      coresText(`(${by.ingestRequestUs.value} µs ÷ ${batch} + ${by.ingestEventUs.value} µs ${sizeText})`),
      rests(by.ingestRequestUs, by.ingestEventUs, by.measuredBytes, by.coreUse),
    ),
    need(
      'cores of etl and ClickHouse',
      etlCores,
      'cores',
      coresText(`(${by.etlEventUs.value} µs ${sizeText})`),
      rests(by.etlEventUs, by.measuredBytes, by.coreUse),
    ),
    need(
      'partitions of the busiest topic',
      partitions,
      'at least',
      `the more of ${Math.ceil(etlCores)} etl processes of a core and ${shown(peakPerS)}/s × ${eventBytes} B ÷ ${shown(by.partitionBytesPerS.value)} B/s`,
      rests(by.partitionBytesPerS),
    ),
    need(
      'inserts at the peak',
      Math.min(peakPerS, by.insertsPerTableS.value * demand.tables),
      '/s, at most',
      `${by.insertsPerTableS.value}/s × ${demand.tables} tables`,
      rests(by.insertsPerTableS),
    ),
  ];
}

function storageOf(demand: Demand, by: Coefficients): Need[] {
  const { averagePerS, peakPerS, eventBytes, outageHours } = demand;
  const perDay = averagePerS * 86_400;
  const peakHours = Math.min(outageHours, by.peakHours.value);
  const waiting = 3_600 * (peakPerS * peakHours + averagePerS * (outageHours - peakHours));
  const waitingText = `(${shown(peakPerS)}/s × ${shown(peakHours)} h + ${shown(averagePerS)}/s × ${shown(outageHours - peakHours)} h)`;
  return [
    need(
      'disk of the brokers',
      (averagePerS * eventBytes * demand.brokerRetentionHours * 3_600 * demand.brokerReplicas) / by.diskUse.value,
      'bytes',
      `${shown(averagePerS)}/s × ${eventBytes} B × ${demand.brokerRetentionHours} h × ${demand.brokerReplicas} copies ÷ ${by.diskUse.value} full`,
      rests(by.diskUse),
    ),
    need(
      'disk of ClickHouse',
      (perDay * eventBytes * by.clickhouseShare.value * demand.retentionDays * demand.replicas) / by.diskUse.value,
      'bytes',
      `${shown(perDay)} a day × ${eventBytes} B × ${by.clickhouseShare.value} × ${demand.retentionDays} days × ${demand.replicas} copies ÷ ${by.diskUse.value} full`,
      rests(by.clickhouseShare, by.diskUse),
    ),
    need(
      'disk buffer for an outage',
      waiting * (eventBytes + by.bufferOverheadBytes.value),
      'bytes',
      `${waitingText} × (${eventBytes} + ${by.bufferOverheadBytes.value} B); UGC_BUFFER_BYTES_MAX of all ingest processes`,
      rests(by.bufferOverheadBytes, by.peakHours),
    ),
    need(
      'draining it afterwards',
      waiting / by.drainPerS.value,
      'seconds',
      `${waitingText} ÷ ${shown(by.drainPerS.value)}/s of one ingest process`,
      rests(by.drainPerS, by.peakHours),
    ),
  ];
}

function networkOf({ peakPerS, eventBytes, batch, brokerReplicas }: Demand, by: Coefficients): Need[] {
  const inBytes = peakPerS * (eventBytes + by.requestOverheadBytes.value / batch);
  return [
    need(
      'network into ingest',
      inBytes * 8,
      'bit/s',
      `${shown(peakPerS)}/s × (${eventBytes} B + ${by.requestOverheadBytes.value} B ÷ ${batch}) × 8`,
      rests(by.requestOverheadBytes),
    ),
    need(
      'network of the brokers',
      peakPerS * eventBytes * 8 * (brokerReplicas + 1),
      'bit/s',
      `${shown(peakPerS)}/s × ${eventBytes} B × 8 × (in, ${brokerReplicas - 1} to other brokers, out to etl)`,
    ),
  ];
}

export interface Preset extends Demand {
  readonly about: string;
}

const usual = {
  batch: 1,
  retentionDays: 365,
  replicas: 2,
  brokerReplicas: 3,
  brokerRetentionHours: 72,
  outageHours: 4,
};

/** What the documents this was made from ask for; what they leave open is as usual. */
export const presets = {
  'ugc-and-stat': {
    ...usual,
    about: '750 requests/s on average, 3 000 at the peak, answers in 200 ms, 99.9 %, 500 000 users',
    averagePerS: 750,
    peakPerS: 3_000,
    eventBytes: 331,
    tables: 20,
  },
  'collection-system': {
    ...usual,
    about: '1 000 requests/s, 5 000 messages/s at the peak, 2.5 million events a day of 4 KB, answers in 200 ms',
    averagePerS: 2_500_000 / 86_400,
    peakPerS: 5_000,
    eventBytes: 4_096,
    tables: 10,
  },
  'ugc-sprint': {
    ...usual,
    about: '1 000 requests/s, p75 < 300 ms, p95 < 500 ms, 99.9 %; the average taken for a quarter of it',
    averagePerS: 250,
    peakPerS: 1_000,
    eventBytes: 331,
    tables: 5,
  },
  'film-events': {
    ...usual,
    about: 'five film events, no numbers: those of ugc-sprint',
    averagePerS: 250,
    peakPerS: 1_000,
    eventBytes: 331,
    tables: 5,
  },
  'marketplace-lambda': {
    ...usual,
    about: '21 events of a marketplace, “many”: taken for 5 000/s at the peak, 1 250 on average',
    averagePerS: 1_250,
    peakPerS: 5_000,
    eventBytes: 200,
    tables: 21,
  },
} satisfies Readonly<Record<string, Preset>>;
