// Dashboards of Grafana made from a list of panels, by Grafana's own builders: what a panel says of itself is here, how one
// looks is the same for all.

import {
  LegendDisplayMode,
  LegendPlacement,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import { DashboardBuilder, DatasourceVariableBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

export interface Panel {
  readonly title: string;
  readonly about: string;
  /** Curves over time, or the number it is now. */
  readonly kind?: 'curves' | 'number';
  /** As Grafana calls it. */
  readonly unit: 'short' | 'eps' | 'reqps' | 's' | 'bytes' | 'Bps' | 'percentunit' | 'cps' | 'bool_yes_no';
  /** PromQL by what a series is called, {{label}} standing for its value. */
  readonly series: Readonly<Record<string, string>>;
  readonly isStacked?: boolean;
}

export interface Dashboard {
  readonly title: string;
  /** Of its file and address. */
  readonly uid: string;
  readonly about: string;
  /** By the title of the row. */
  readonly rows: Readonly<Record<string, readonly Panel[]>>;
}

const width = 24;
const heights = { curves: 8, number: 4 } as const;

export const pathOf = ({ uid }: Dashboard): string => `deploy/grafana/dashboards/${uid}.json`;

export function jsonOf({ title, uid, about, rows }: Dashboard): string {
  const made = new DashboardBuilder(title)
    .uid(uid)
    .description(about)
    .tags(['ugc'])
    .readonly()
    .refresh('15s')
    .time({ from: 'now-1h', to: 'now' })
    .withVariable(new DatasourceVariableBuilder('prometheus').label('Prometheus').type('prometheus'));
  let id = 1; // links to a panel name it
  for (const [row, panels] of Object.entries(rows)) {
    made.withRow(new RowBuilder(row).id(id++));
    const span = Math.floor(width / Math.min(panels.length, 4));
    for (const panel of panels) made.withPanel(panelOf(panel).id(id++).span(span));
  }
  return `${JSON.stringify(made.build(), null, 1)}\n`;
}

function panelOf(panel: Panel): StatBuilder | TimeseriesBuilder {
  const { title, about, kind = 'curves', unit, series } = panel;
  const builder = kind === 'number' ? new StatBuilder() : curvesOf(panel);
  builder.title(title).description(about).unit(unit).min(0).height(heights[kind]);
  builder.datasource({ type: 'prometheus', uid: '$prometheus' });
  Object.entries(series).forEach(([name, expression], at) => {
    const letter = String.fromCharCode(65 + at);
    builder.withTarget(new DataqueryBuilder().refId(letter).expr(expression).legendFormat(name));
  });
  return builder;
}

function curvesOf({ isStacked = false }: Panel): TimeseriesBuilder {
  const builder = new TimeseriesBuilder()
    .lineWidth(1)
    .fillOpacity(isStacked ? 40 : 8)
    .showPoints(VisibilityMode.Never);
  builder.legend(
    new VizLegendOptionsBuilder()
      .showLegend(true)
      .displayMode(LegendDisplayMode.List)
      .placement(LegendPlacement.Bottom),
  );
  builder.tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  if (isStacked) builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
  return builder;
}
