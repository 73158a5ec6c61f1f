// What panels are made of, and PromQL that several of them ask.

import type { Panel } from './panels.ts';

type Series = Panel['series'];
type More = Pick<Panel, 'isStacked' | 'isMany' | 'isBad' | 'nothing' | 'words'>;

export const number = (
  title: string,
  about: string,
  unit: Panel['unit'],
  expression: string,
  more: More = {},
): Panel => ({ title, about, kind: 'number', unit, series: { [title]: expression }, ...more });

/** What should be nothing. */
export const bad = (title: string, about: string, unit: Panel['unit'], expression: string): Panel =>
  number(title, about, unit, expression, { isBad: true });

export const curves = (title: string, about: string, unit: Panel['unit'], series: Series, more: More = {}): Panel => ({
  title,
  about,
  unit,
  series,
  ...more,
});

/** When something was so, by a gauge that is 0 or 1: as bands, since on a curve's axis there is nothing between No and Yes. */
export const states = (
  title: string,
  about: string,
  series: Series,
  words: NonNullable<Panel['words']>,
  nothing?: string,
): Panel => ({
  title,
  about,
  kind: 'states',
  unit: 'bool_yes_no',
  series,
  words,
  ...(nothing !== undefined && { nothing }),
});

export const quantiles = (
  metric: string,
  { by = '', which = '' }: { readonly by?: string; readonly which?: string } = {},
): Series =>
  Object.fromEntries(
    [0.5, 0.95, 0.99].map(q => [
      `p${q * 100}${by === '' ? '' : ` {{${by}}}`}`,
      `histogram_quantile(${q}, sum by (le${by === '' ? '' : `, ${by}`}) (rate(${metric}_bucket${which}[$__rate_interval])))`,
    ]),
  );

export const rateOf = (metric: string, by: string): string => `sum by (${by}) (rate(${metric}[$__rate_interval]))`;

/** What has happened never is drawn as 0, by a name of its own: an empty panel looks like a broken one. */
export const orNone = (expression: string, label: string): string =>
  `${expression} or on () label_replace(vector(0), "${label}", "none", "", "")`;

/**
 * How often something has happened in a time, the first one too: a counter with labels begins at what it is then, and
 * `increase` sees only what comes after.
 */
export const countOf = (metric: string, time: string): string =>
  `((increase(${metric}[${time}]) and ${metric} offset ${time}) or ${metric})`;
