// Dashboards of Grafana made from a list of panels, by Grafana's own builders: what a panel says of itself is here, how one
// looks is the same for all.

import {
  BigValueGraphMode,
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
import {
  DashboardBuilder,
  DatasourceVariableBuilder,
  MappingType,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StatesBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

export interface Panel {
  readonly title: string;
  readonly about: string;
  /** Curves over time, the number it is now, or when something was 0 and when 1. */
  readonly kind?: 'curves' | 'number' | 'states';
  /** As Grafana calls it. */
  readonly unit:
    | 'short'
    | 'eps'
    | 'reqps'
    | 'rowsps'
    | 'ops'
    | 'cpm'
    | 's'
    | 'bytes'
    | 'Bps'
    | 'percentunit'
    | 'bool_yes_no';
  /** PromQL by what a series is called, {{label}} standing for its value. */
  readonly series: Readonly<Record<string, string>>;
  readonly isStacked?: boolean;
  /** A series an event type or topic, some forty: a table beside the curves, the largest first, not lines of names under them. */
  readonly isMany?: boolean;
  /** Of a number: red from 1 on. */
  readonly isBad?: boolean;
  /** Words for 0 and for 1, in green and in the colour that is said; without green for 0 neither is better. */
  readonly words?: Readonly<Record<string, readonly [text: string, colour: string]>>;
  /** What stands there when nothing is known: of panels that may be empty although all is well. */
  readonly nothing?: string;
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
const heights = { curves: 8, number: 3, states: 5 } as const;

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
    const height = Math.max(...panels.map(({ kind = 'curves' }) => heights[kind]));
    const spans = spansOf(panels);
    panels.forEach((panel, at) => {
      made.withPanel(panelOf(panel).id(id++).span(spans[at]!).height(height));
    });
  }
  return `${JSON.stringify(made.build(), null, 1)}\n`;
}

/** One line where each has room to be read, a table beside its curves twice as much; else lines of equals. */
function spansOf(panels: readonly Panel[]): readonly number[] {
  const shares = panels.map(({ isMany = false }) => (isMany ? 2 : 1));
  const all = shares.reduce((sum, share) => sum + share, 0);
  if (all <= 4) return shares.map(share => (width / all) * share);
  return panels.map(() => width / (panels.length % 4 === 0 ? 4 : 3));
}

function panelOf(panel: Panel): StatBuilder | TimeseriesBuilder | StatesBuilder {
  const { title, about, kind = 'curves', unit, series, words, nothing } = panel;
  const builder = { curves: curvesOf, number: numberOf, states: statesOf }[kind](panel);
  builder.title(title).description(about).unit(unit).min(0);
  builder.datasource({ type: 'prometheus', uid: '$prometheus' });
  if (nothing !== undefined) builder.noValue(nothing);
  if (words !== undefined) {
    const named = Object.entries(words).map(([value, [text, color]], index) => [value, { text, color, index }]);
    builder.mappings([{ type: MappingType.ValueToText, options: Object.fromEntries(named) }]);
  }
  Object.entries(series).forEach(([name, expression], at) => {
    const letter = String.fromCharCode(65 + at);
    const query = new DataqueryBuilder().refId(letter).expr(expression).legendFormat(name);
    // Of a range the number would be the last there was, an hour old perhaps.
    builder.withTarget(kind === 'number' ? query.instant() : query);
  });
  return builder;
}

/** Without thresholds of its own Grafana shows every number of 80 and more in red. */
function numberOf({ isBad = false }: Panel): StatBuilder {
  const steps = isBad
    ? [
        { value: null, color: 'green' },
        { value: Number.MIN_VALUE, color: 'red' },
      ]
    : [{ value: null, color: 'text' }];
  return new StatBuilder()
    .graphMode(BigValueGraphMode.None)
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps));
}

function statesOf(): StatesBuilder {
  return new StatesBuilder().mergeValues(true).legend(new VizLegendOptionsBuilder().showLegend(false));
}

function curvesOf({ isStacked = false, isMany = false }: Panel): TimeseriesBuilder {
  const builder = new TimeseriesBuilder()
    .lineWidth(1)
    .fillOpacity(isStacked ? 40 : 8)
    .showPoints(VisibilityMode.Never);
  const legend = new VizLegendOptionsBuilder().showLegend(true);
  builder.legend(
    isMany
      ? legend
          .displayMode(LegendDisplayMode.Table)
          .placement(LegendPlacement.Right)
          .calcs(['lastNotNull'])
          .sortBy('Last *')
          .sortDesc(true)
      : legend.displayMode(LegendDisplayMode.List).placement(LegendPlacement.Bottom),
  );
  builder.tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  if (isStacked) builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
  return builder;
}
