// The dashboards of deploy/, asked of a Prometheus that has the samples of a time that is over: each panel as Grafana would
// ask for it, with the steps and intervals that Grafana takes for panels of that width.

import { join } from 'node:path';
import { askPrometheus } from '../../test/support/prometheus.ts';

const dashboardsFolder = join(import.meta.dir, '../../deploy/grafana/dashboards');
const scrapeSeconds = 15;
/** Grafana's: four scrapes, or more in a longer time. */
const rateInterval = `${4 * scrapeSeconds}s`;

interface Target {
  readonly expr: string;
  readonly legendFormat: string;
  readonly instant?: boolean;
}

/** What a picture needs of Grafana's. */
export interface GrafanaPanel {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: Readonly<Record<string, unknown>> };
  readonly options?: Readonly<Record<string, unknown>>;
  readonly targets?: readonly Target[];
}

export interface Series {
  readonly name: string;
  /** Seconds since 1970 and the value; null is told by leaving it out. */
  readonly samples: readonly (readonly [at: number, value: number])[];
}

export interface AskedPanel {
  readonly panel: GrafanaPanel;
  readonly series: readonly Series[];
}

export interface AskedDashboard {
  readonly title: string;
  readonly uid: string;
  readonly from: number;
  readonly to: number;
  readonly panels: readonly AskedPanel[];
}

interface Time {
  readonly from: number;
  readonly to: number;
}

export async function askedDashboards(prometheus: string, time: Time): Promise<readonly AskedDashboard[]> {
  const paths = [...new Bun.Glob('*.json').scanSync(dashboardsFolder)].sort();
  return Promise.all(
    paths.map(async path => {
      const { title, uid, panels } = (await Bun.file(join(dashboardsFolder, path)).json()) as {
        readonly title: string;
        readonly uid: string;
        readonly panels: readonly GrafanaPanel[];
      };
      const asked = await Promise.all(panels.map(panel => askedPanel(prometheus, panel, time)));
      return { title, uid, ...time, panels: asked };
    }),
  );
}

async function askedPanel(prometheus: string, panel: GrafanaPanel, time: Time): Promise<AskedPanel> {
  const series = await Promise.all((panel.targets ?? []).map(target => seriesOf(prometheus, target, time)));
  return { panel, series: series.flat() };
}

async function seriesOf(
  prometheus: string,
  { expr, legendFormat, instant = false }: Target,
  { from, to }: Time,
): Promise<readonly Series[]> {
  const query = expr
    .replaceAll('$__rate_interval', rateInterval)
    .replaceAll('$__range', `${Math.round(to - from)}s`)
    .replaceAll('$__interval', `${scrapeSeconds}s`);
  const aligned = [from, to].map(at => String(Math.floor(at / scrapeSeconds) * scrapeSeconds)) as [string, string];
  const [start, end] = aligned;
  const result = await (instant
    ? askPrometheus(prometheus, 'query', { query, time: end })
    : askPrometheus(prometheus, 'query_range', { query, start, end, step: String(scrapeSeconds) }));
  return result.map(({ metric, value, values }) => ({
    name: legendFormat.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => metric[label] ?? ''),
    samples: (values ?? (value === undefined ? [] : [value])).map(([at, text]) => [at, Number(text)] as const),
  }));
}
