// The README's table of metrics, from the one place where each is declared.

import { openMetrics } from '../src/process/telemetry.ts';

/** What prom-client keeps of a metric and does not declare. */
interface Declared {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

export function metricsMarkdown(): string {
  const all = openMetrics().registry.getMetricsAsArray() as unknown as readonly Declared[];
  const rows = all
    .filter(({ name }) => name.startsWith('ugc_'))
    .map(({ name, help, type, labelNames }) => `| \`${name}\` | ${type} | ${labelNames.join(', ')} | ${help} |`);
  return ['| Metric | Kind | By | What |', '|---|---|---|---|', ...rows].join('\n');
}
