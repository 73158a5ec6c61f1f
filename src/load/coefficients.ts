// What capacity is calculated with: measured once, on the machine of docs/figures.md (two cores of an Intel Xeon, load on the same
// cores), or what is commonly assumed. Each says where it is from. Yours differ: `ugc capacity --measure`.

/** When they were taken. */
export const measuredOn = '2026-11-29';

export interface Coefficient {
  readonly value: number;
  /** Completes "rests on …". */
  readonly from: string;
}

const of = (value: number, from: string): Coefficient => ({ value, from });

export const coefficients = {
  ingestRequestUs: of(50.5, 'docs/figures.md: 57 core-µs for one event a POST less 6.5 for the event'),
  ingestEventUs: of(6.5, 'docs/figures.md: 7 core-µs/event at 100 a POST, of which 0.5 are its part of the request'),
  etlEventUs: of(10, 'docs/figures.md: 8–10 core-µs/row, Kafka into the embedded engine, which is in it'),
  measuredBytes: of(331, 'docs/figures.md: size of the events measured; bigger ones are taken to cost in proportion'),
  clickhouseShare: of(0.18, 'docs/figures.md: rows of ugc load, 296 B of JSON each, are 52.6 B each on the disk'),
  bufferOverheadBytes: of(
    200,
    'docs/figures.md: events of ugc load, 295 B of JSON each, are 493 B each in the disk buffer',
  ),
  drainPerS: of(54_000, 'docs/figures.md: drain into Kafka with 3 000/s live'),
  insertsPerTableS: of(5.2, 'docs/figures.md: inserts/s of one busy table'),
  requestOverheadBytes: of(250, 'head of a request of ugc load with TCP and IP, one way'),
  partitionBytesPerS: of(10_000_000, 'an assumption commonly made of one Kafka partition'),
  peakHours: of(1, 'an assumption: a peak lasts an hour at most'),
  coreUse: of(0.5, 'an assumption: half of a core is left to spikes, merges and the system'),
  diskUse: of(0.7, 'an assumption: merges and deletion need the rest of a disk'),
} satisfies Readonly<Record<string, Coefficient>>;

export type Coefficients = Readonly<Record<keyof typeof coefficients, Coefficient>>;
