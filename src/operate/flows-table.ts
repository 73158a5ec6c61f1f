// One line a flow: what is wished of it, and how it moves, of all instances that were asked together; where none moves it,
// what the log itself says of it.

import { topicOfType, topicsOf } from '../catalogue/topics.ts';
import { catalogueFor } from '../catalogue/type-folder.ts';
import type { Config } from '../config/config.ts';
import { type FlowName, type FlowState, flowNames, type Wishes } from '../ports/flow-control.ts';
import type { InstanceFlows } from './flows-now.ts';
import { plain, table } from './output.ts';
import { short } from './top-screen.ts';

export interface FlowLine {
  readonly flow: string;
  readonly state: FlowState | 'drained';
  readonly rate: number | null;
  readonly lag_events: number | null;
  readonly lag_seconds: number | null;
  readonly moved_by: readonly MovedBy[];
  readonly since: string;
  readonly by: string;
  readonly why: string;
}

interface MovedBy {
  readonly url: string;
  readonly host: string;
  readonly pid: number;
  /** As it has it: another than the flow's where it has not heard of that yet. */
  readonly state: FlowState | 'drained';
}

export interface Told {
  readonly config: Config;
  readonly wishes: Wishes;
  readonly instances: readonly InstanceFlows[];
  readonly behindOf: (
    config: Config,
    reader: string | null,
    topics: readonly string[],
  ) => Promise<ReadonlyMap<string, number> | null>;
}

export async function flowLines({ config, wishes, instances, behindOf }: Told): Promise<readonly FlowLine[]> {
  const told = instances.flatMap(({ url, stats }) => (stats?.flows ?? []).map(figures => ({ url, stats, ...figures })));
  const seen = new Set([...told.map(({ flow }) => flow), ...wishes.keys()]);
  const order = (flow: string): number => flowNames.indexOf(flow.split(':')[0] as FlowName);
  const flows = [...new Set([...flowNames.filter(name => seen.has(name) || name === 'tables'), ...seen])].toSorted(
    (a, b) => order(a) - order(b) || (a < b ? -1 : 1),
  );
  return Promise.all(
    flows.map(async (flow): Promise<FlowLine> => {
      const own = told.filter(one => one.flow === flow);
      const wish = wishes.get(flow) ?? own.find(({ since }) => since !== '');
      const known = own.flatMap(({ lag_events: events }) => events ?? []);
      const ages = own.flatMap(({ lag_seconds: age }) => age ?? []);
      const asked =
        flow.startsWith('tables') || flow.startsWith('archive') ? await leftIn(flow, config, behindOf) : null;
      return {
        flow,
        state: stateOf(wish),
        rate: own.length === 0 ? null : own.reduce((sum, { rate }) => sum + rate, 0),
        lag_events: asked ?? (known.length === 0 ? null : known.reduce((sum, one) => sum + one, 0)),
        lag_seconds: ages.length === 0 ? null : Math.max(...ages),
        moved_by: own.map(({ url, stats, ...one }) => ({
          url,
          host: stats?.host ?? '',
          pid: stats?.pid ?? 0,
          state: stateOf(one),
        })),
        since: wish === undefined ? '' : 'at' in wish ? wish.at : wish.since,
        by: wish?.by ?? '',
        why: wish?.why ?? '',
      };
    }),
  );
}

type Spoken = { readonly state: FlowState; readonly isDrained?: boolean; readonly drained?: boolean };

const stateOf = (wish: Spoken | undefined): FlowLine['state'] =>
  wish?.isDrained === true || wish?.drained === true ? 'drained' : (wish?.state ?? 'running');

/** Null: the log cannot tell. */
async function leftIn(flow: string, config: Config, behindOf: Told['behindOf']): Promise<number | null> {
  const [name, type] = flow.split(':');
  const catalogue = catalogueFor(config);
  const topics =
    type === undefined
      ? topicsOf(config, catalogue).read
      : [topicOfType(config, catalogue, type)].flatMap(one => one ?? []);
  const behind = await behindOf(config, name === 'tables' ? null : (name ?? ''), topics).catch(() => null);
  return behind === null ? null : [...behind.values()].reduce((sum, events) => sum + events, 0);
}

const heads = ['flow', 'state', 'rate/s', 'lag events', 'lag s', 'moved by', 'since', 'by', 'why'];

export function flowsText(lines: readonly FlowLine[]): string {
  return table(
    heads,
    lines.map(line => [
      line.flow,
      line.state,
      short(line.rate),
      short(line.lag_events),
      short(line.lag_seconds),
      line.moved_by.length === 0 ? 'nobody asked' : line.moved_by.map(one => moverText(one, line.state)).join(', '),
      line.since.slice(0, 16).replace('T', ' '),
      plain(line.by),
      plain(line.why),
    ]),
  );
}

const moverText = ({ url, host, state }: MovedBy, wished: FlowLine['state']): string =>
  `${url.replace(/^https?:\/\//, '')} (${host})${state === wished ? '' : `, still ${state}`}`;
