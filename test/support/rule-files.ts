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

export interface PanelQuery {
  /** dashboard: panel */
  readonly of: string;
  readonly expr: string;
}

export async function panelQueries(): Promise<readonly PanelQuery[]> {
  const paths = [...new Bun.Glob('*.json').scanSync(dashboardsFolder)].sort();
  const all = await Promise.all(paths.map(path => Bun.file(join(dashboardsFolder, path)).json()));
  return all.flatMap(({ title, panels }) =>
    panels.flatMap((panel: { title: string; targets?: { expr: string }[] }) =>
      (panel.targets ?? []).map(({ expr }) => ({ of: `${title}: ${panel.title}`, expr })),
    ),
  );
}
