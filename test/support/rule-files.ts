// The rules of Prometheus and the dashboards of Grafana, read as what they say.

import { join } from 'node:path';

export const prometheusFolder = join(import.meta.dir, '../../deploy/prometheus');
const dashboardsFolder = join(import.meta.dir, '../../deploy/grafana/dashboards');

export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export async function rulesOf(file: 'alerts.yaml' | 'recording.yaml'): Promise<readonly Rule[]> {
  const text = await Bun.file(join(prometheusFolder, file)).text();
  const { groups } = Bun.YAML.parse(text) as { readonly groups: readonly { readonly rules: readonly Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

/** What tests look at of a panel of Grafana's. */
export interface Panel {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: {
    readonly defaults: {
      readonly unit?: string;
      readonly noValue?: string;
      readonly thresholds?: { readonly steps: readonly { readonly value: number | null; readonly color: string }[] };
      readonly mappings?: readonly { readonly options: Readonly<Record<string, { readonly text: string }>> }[];
    };
  };
  readonly options?: Readonly<Record<string, unknown>>;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string; readonly instant?: boolean }[];
}

export interface Dashboard {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export async function dashboards(): Promise<readonly Dashboard[]> {
  const paths = [...new Bun.Glob('*.json').scanSync(dashboardsFolder)].sort();
  return Promise.all(paths.map(path => Bun.file(join(dashboardsFolder, path)).json()));
}

export interface PanelQuery {
  /** dashboard: panel */
  readonly of: string;
  readonly expr: string;
  /** It says in words that nothing is known, which may be so although all is well. */
  readonly mayBeEmpty: boolean;
}

export async function panelQueries(): Promise<readonly PanelQuery[]> {
  return (await dashboards()).flatMap(({ title, panels }) =>
    panels.flatMap(({ title: panel, fieldConfig, targets = [] }) =>
      targets.map(({ expr }) => ({
        of: `${title}: ${panel}`,
        expr,
        mayBeEmpty: fieldConfig?.defaults.noValue !== undefined,
      })),
    ),
  );
}
