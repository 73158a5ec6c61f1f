// `ugc capacity`: what so many events take, each number with its formula and what that rests on.

import { choice, flag, type Setting } from '../config/kinds.ts';
import { capacityOf, type Demand, type Need, type Preset, presets } from '../load/capacity.ts';
import { coefficients, measuredOn } from '../load/coefficients.ts';
import { command, type Exit } from './arguments.ts';
import { measured } from './capacity-measure.ts';
import { inWords } from './failure.ts';
import { count, duration, say, size, table, writeOut } from './output.ts';

/** Null: not given, what the preset says counts. */
const given = (help: string, max = 1e15): Setting<number | null> => ({
  help,
  takes: 'a number',
  defaultText: '',
  secret: false,
  parse: text => {
    if (text === '') return null;
    const value = /^\d{1,15}(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
    if (!(value > 0 && value <= max)) throw new Error(`must be a number above 0, at most ${max}, not "${text}"`);
    return value;
  },
});

const names = Object.keys(presets) as (keyof typeof presets)[];

export const capacityFlags = {
  preset: choice({ of: names, default: 'ugc-and-stat', help: `What is not given: ${names.join(' | ')}` }),
  eventsPerDay: given('Events a day on average'),
  rate: given('Or events a second on average'),
  peakFactor: given('The peak is so many times the average', 1_000),
  eventBytes: given('Of an event as JSON', 16_777_216),
  batch: given('Events of a request', 10_000),
  retentionDays: given('ClickHouse keeps rows for so long', 36_500),
  replicas: given('Copies of ClickHouse’s data', 100),
  brokerReplicas: given('Copies of the broker’s data', 100),
  brokerRetentionHours: given('The broker keeps records for so long', 87_600),
  outageHours: given('The broker or ClickHouse may be away for so long', 87_600),
  tables: given('Event types in use', 10_000),
  measure: flag({ default: false, help: 'Measure what an event costs on this machine first; about 20 s' }),
  json: flag({ default: false, help: 'One JSON object instead of text for people' }),
};

export const capacityCommand = command(capacityFlags, ({ args, flags }) =>
  inWords(async (): Promise<Exit> => {
    if (args.length > 0 || (flags.eventsPerDay !== null && flags.rate !== null)) {
      say(
        `ugc: ${args[0] === undefined ? '--events-per-day and --rate say the same: give one' : `${args[0]} is not understood`}; see ugc help capacity`,
      );
      return 2;
    }
    const preset: Preset = presets[flags.preset];
    const demand = demandOf(flags, preset);
    const by = flags.measure ? await measured(coefficients) : coefficients;
    const needs = capacityOf(demand, by);
    writeOut(
      flags.json
        ? `${JSON.stringify({ preset: flags.preset, demand, shipped_on: measuredOn, coefficients: by, needs })}\n`
        : textOf(flags.preset, preset, demand, needs),
    );
    return 0;
  }),
);

type Given = Readonly<Record<Exclude<keyof typeof capacityFlags, 'preset' | 'measure' | 'json'>, number | null>>;

/** An average of one's own keeps the preset's factor. */
function demandOf(flags: Given, preset: Preset): Demand {
  const averagePerS = flags.rate ?? (flags.eventsPerDay === null ? preset.averagePerS : flags.eventsPerDay / 86_400);
  return {
    averagePerS,
    peakPerS: averagePerS * (flags.peakFactor ?? preset.peakPerS / preset.averagePerS),
    eventBytes: flags.eventBytes ?? preset.eventBytes,
    batch: flags.batch ?? preset.batch,
    retentionDays: flags.retentionDays ?? preset.retentionDays,
    replicas: flags.replicas ?? preset.replicas,
    brokerReplicas: flags.brokerReplicas ?? preset.brokerReplicas,
    brokerRetentionHours: flags.brokerRetentionHours ?? preset.brokerRetentionHours,
    outageHours: flags.outageHours ?? preset.outageHours,
    tables: flags.tables ?? preset.tables,
  };
}

function valueText({ value, unit }: Need): string {
  if (unit === 'bytes') return size(Math.ceil(value));
  if (unit === 'seconds') return duration(value * 1_000);
  if (unit === 'bit/s') return `${(value / 1e6).toPrecision(3)} Mbit/s`;
  return `${value < 100 && !Number.isInteger(value) ? value.toFixed(2) : count(Math.round(value))} ${unit}`;
}

function textOf(name: string, { about }: Preset, demand: Demand, needs: readonly Need[]): string {
  const sources = [...new Set(needs.flatMap(({ restsOn }) => restsOn))];
  const rows = needs.map(need => [
    need.name,
    valueText(need),
    need.formula,
    need.restsOn.map(source => `[${sources.indexOf(source) + 1}]`).join(''),
  ]);
  const notes = sources.map((source, at) => `  [${at + 1}] ${source}\n`).join('');
  return `${name}: ${about}
Calculated for ${demand.averagePerS.toFixed(1)} events/s on average and ${count(Math.round(demand.peakPerS))}/s at the peak, ${demand.eventBytes} B each, ${demand.batch} a request.

${table(['what', 'needed', 'formula', 'rests on'], rows)}
Figures of docs/figures.md are of ${measuredOn} and one machine: yours differs, see --measure. ugc load shows what it does.
${notes}`;
}
