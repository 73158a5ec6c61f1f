// The report of `ugc load` as a file to show: a page of HTML, or its drawings alone as SVG. One file, without a script, a font
// or anything fetched; readable on paper, bright and dark.

import { flagName } from '../config/parse.ts';
import type { Curve, Span, Times } from '../load/tally.ts';
import {
  type Chart,
  chartBody,
  chartSize,
  chartStyle,
  escaped,
  evenAxis,
  logAxis,
  percentAxis,
  timeAxis,
} from './load-chart.ts';
import { loadFlags } from './load-flags.ts';
import { type LoadReport, outcomesOf, requestsOf, shownTimes, verdictText } from './load-report.ts';
import { count, countOf, size } from './output.ts';

export interface Page extends LoadReport {
  /** ISO 8601 */
  readonly startedAt: string;
  /** Of this binary. */
  readonly version: string;
}

/** Points of a line: more are not seen, and a run of a week has 600 000 seconds. */
const pointsMax = 400;

export const svgOf = (page: Page): string => {
  const charts = chartsOf(page);
  const top = 64;
  const height = top + charts.length * (chartSize.height + 16);
  const bodies = charts.map(
    (chart, at) => `<g transform="translate(10 ${top + at * (chartSize.height + 16)})">${chartBody(chart)}</g>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" class="chart" width="${chartSize.width + 20}" height="${height}" viewBox="0 0 ${chartSize.width + 20} ${height}" role="img" aria-label="${escaped(titleOf(page))}">
<style>${chartStyle}.chart .paper{fill:var(--paper)}.chart .head{font-size:18px;font-weight:600;fill:var(--ink)}</style>
<rect class="paper" width="100%" height="100%"/>
<text class="head" x="20" y="30">${escaped(titleOf(page))}</text>
<text x="20" y="50">${escaped(summaryOf(page))}</text>
${bodies.join('\n')}
</svg>
`;
};

const pageStyle = `
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:${chartSize.width}px;margin:0 auto;padding:32px 20px 48px}
h1{font-size:24px;line-height:1.25;margin:0 0 4px}h2{font-size:17px;margin:36px 0 8px}
p{margin:0 0 8px}.faint{color:var(--faint)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:12px;margin:20px 0 28px}
.tile{border:1px solid var(--rule);border-radius:8px;padding:10px 14px}
.tile b{display:block;font-size:21px;line-height:1.3;font-variant-numeric:tabular-nums}
.good b{color:var(--green)}.bad b{color:var(--red)}
svg.chart{display:block;width:100%;height:auto;margin:0 0 18px}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
td,th{padding:5px 10px;border-bottom:1px solid var(--rule);text-align:left;vertical-align:top}
.settings td{overflow-wrap:anywhere}
th{font-weight:600;color:var(--faint)}td.n,th.n{text-align:right;white-space:nowrap}
code{font:13px ui-monospace,monospace}`;

export function htmlOf(page: Page): string {
  const { result } = page;
  const charts = chartsOf(page).map(
    chart =>
      `<svg class="chart" viewBox="0 0 ${chartSize.width} ${chartSize.height}" role="img" aria-label="${escaped(chart.title)}">${chartBody(chart)}</svg>`,
  );
  const rows = (of: readonly [string, number][]) => of.filter(([, number]) => number > 0);
  return `<!doctype html>
<html lang="en" class="chart">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(titleOf(page))}</title>
<style>${chartStyle}${pageStyle}</style>
</head>
<body>
<main>
<h1>${escaped(titleOf(page))}</h1>
<p class="faint">${escaped(summaryOf(page))}</p>
${tilesOf(page)}
${charts.join('\n')}
<h2>Times in milliseconds</h2>
${timesTable(result.totals.due, result.totals.sent)}
<h2>What became of the events</h2>
${table(['', 'events'], rows(outcomesOf(page)))}
<h2>Answers</h2>
${table(['', 'requests'], rows(requestsOf(page)))}
${edgesTable(page)}${levelsTable(page)}<h2>Rows</h2>
<p>${escaped(page.verified === null ? 'Not looked at: --verify holds every accepted event against the tables.' : verdictText(page.verified))}</p>
<h2>How it was run</h2>
${settingsTable(page)}
</main>
</body>
</html>
`;
}

function titleOf({ flags, result, endedEarly }: Page): string {
  const where = flags.into === 'broker' ? 'the broker' : flags.url.map(url => url.host).join(', ');
  return `${count(Math.round(result.totals.events / result.seconds))} events/s to ${where}${endedEarly ? ', ended early' : ''}`;
}

const summaryOf = ({ startedAt, result, flags, batch, seed }: Page): string =>
  `${startedAt.slice(0, 19).replace('T', ' ')} UTC, ${result.seconds.toFixed(1)} s, ${countOf(result.totals.requests, 'request')} of ${countOf(batch, 'event')} (${flags.shape}), seed ${seed}`;

function tilesOf({ result, verified, batch }: Page): string {
  const { totals, seconds } = result;
  const [wrong, bodies] = [totals.failed + totals.wronglyRefused + totals.wronglyTaken, totals.bytes / seconds];
  const tile = (name: string, value: string, mark = '') =>
    `<div class="tile ${mark}"><b>${escaped(value)}</b>${escaped(name)}</div>`;
  const lost = verified === null ? 0 : verified.missing + verified.duplicate;
  return `<div class="tiles">${[
    tile('events accepted a second', count(Math.round(totals.accepted / seconds))),
    tile(batch === 1 ? 'bodies a second' : `bodies a second, ${batch} events each`, size(Math.round(bodies))),
    tile('p95 from when due', `${msText(totals.due.p95)} ms`),
    tile('p99 from when due', `${msText(totals.due.p99)} ms`),
    tile('not as they had to be', count(wrong), wrong === 0 ? 'good' : 'bad'),
    ...(verified === null ? [] : [tile('missing or twice, of all rows', count(lost), lost === 0 ? 'good' : 'bad')]),
  ].join('')}</div>`;
}

function chartsOf({ result }: Page): Chart[] {
  const { perSecond, curves, seconds, totals } = result;
  const spans = thinned(perSecond);
  const each = perSecond.length > pointsMax ? `, a point each ${Math.ceil(perSecond.length / pointsMax)} s` : '';
  const middle = ({ at, seconds: length }: Span): number => at + length / 2;
  const line = (readOf: (span: Span) => number | null) =>
    spans.flatMap(span => {
      const value = readOf(span);
      return value === null ? [] : [[middle(span), value] as const];
    });
  const most = (values: readonly number[]): number => values.reduce((high, value) => Math.max(high, value), 0);
  const least = (values: readonly number[]): number =>
    values.reduce((low, value) => (value > 0 ? Math.min(low, value) : low), Number.POSITIVE_INFINITY);
  const rate = most(spans.flatMap(({ askedPerS, sentPerS, acceptedPerS }) => [askedPerS ?? 0, sentPerS, acceptedPerS]));
  const times = spans.flatMap(({ due }) => [due.p50, due.max]);
  const msOf = (curve: Curve) => curve.map(([, ms]) => ms);
  const curveTimes = [...msOf(curves.due), ...msOf(curves.sent)];
  const x = timeAxis(Math.max(seconds, 1e-3));
  const logOf = (values: readonly number[]) => logAxis(values.length === 0 ? 1 : least(values), most(values));
  return [
    {
      title: 'Events a second',
      below: `since the start${each}`,
      x,
      y: evenAxis(rate, value => count(Math.round(value))),
      lines: [
        { name: 'asked for', colour: 'grey', points: line(({ askedPerS }) => askedPerS) },
        { name: 'sent', colour: 'blue', points: line(({ sentPerS }) => sentPerS) },
        { name: 'accepted', colour: 'green', points: line(({ acceptedPerS }) => acceptedPerS) },
      ],
    },
    {
      title: 'Times from when requests were due',
      below: `since the start${each}`,
      x,
      y: logOf(times),
      lines: [
        { name: 'p50', colour: 'green', points: line(({ due }) => due.p50) },
        { name: 'p99', colour: 'orange', points: line(({ due }) => due.p99) },
        { name: 'longest', colour: 'red', points: line(({ due }) => due.max) },
      ],
    },
    {
      title: 'Requests answered within a time',
      below: 'of all requests',
      x: percentAxis(totals.requests),
      y: logOf(curveTimes),
      lines: [
        { name: 'from when sent', colour: 'grey', points: curves.sent },
        { name: 'from when due', colour: 'blue', points: curves.due },
      ],
    },
  ];
}

/** Of neighbours one: rates by their means, times by the worst. */
function thinned(spans: readonly Span[]): readonly Span[] {
  if (spans.length <= pointsMax) return spans;
  const each = Math.ceil(spans.length / pointsMax);
  return Array.from({ length: Math.ceil(spans.length / each) }, (_, at) => {
    const group = spans.slice(at * each, (at + 1) * each);
    const seconds = group.reduce((sum, span) => sum + span.seconds, 0);
    const mean = (readOf: (span: Span) => number): number =>
      group.reduce((sum, span) => sum + readOf(span) * span.seconds, 0) / seconds;
    const first = group[0]!;
    return {
      at: first.at,
      seconds,
      askedPerS: first.askedPerS === null ? null : mean(({ askedPerS }) => askedPerS ?? 0),
      sentPerS: mean(({ sentPerS }) => sentPerS),
      acceptedPerS: mean(({ acceptedPerS }) => acceptedPerS),
      due: group.reduce((worst, { due }) => worstOf(worst, due), first.due),
    };
  });
}

const worstOf = (a: Times, b: Times): Times =>
  Object.fromEntries(
    Object.entries(a).map(([name, ms]) => [name, Math.max(ms, b[name as keyof Times])]),
  ) as unknown as Times;

const msText = (value: number): string => (value >= 100 ? count(Math.round(value)) : value.toFixed(1));

/** The first column is text, the others are numbers. */
function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cell = (name: 'td' | 'th', value: string | number, at: number): string =>
    `<${name}${at > 0 ? ' class="n"' : ''}>${escaped(typeof value === 'number' ? count(Math.round(value)) : value)}</${name}>`;
  const row = (name: 'td' | 'th', cells: readonly (string | number)[]) =>
    `<tr>${cells.map((value, at) => cell(name, value, at)).join('')}</tr>`;
  return `<div class="wide"><table>${row('th', head)}${rows.map(cells => row('td', cells)).join('')}</table></div>`;
}

const timesTable = (due: Times, sent: Times): string =>
  table(
    ['', ...shownTimes.map(([, name]) => name)],
    [
      ['from when a request was due', ...shownTimes.map(([key]) => msText(due[key]))],
      ['from when it was sent', ...shownTimes.map(([key]) => msText(sent[key]))],
    ],
  );

/** Several edges beside each other. */
function edgesTable({ result }: Page): string {
  const edges = result.edges.flatMap(({ totals, ...edge }) => (totals === null ? [] : [{ ...edge, totals }]));
  if (edges.length === 0) return '';
  const rows = edges.map(({ url, totals, refusals }) => [
    url.origin,
    totals.requests,
    totals.accepted,
    totals.failed,
    refusals,
    ...[totals.due.p50, totals.due.p99].map(value => (totals.requests === 0 ? '–' : msText(value))),
  ]);
  const head = ['', 'requests', 'accepted', 'failed', 'not connected', 'p50 ms', 'p99 ms'];
  return `<h2>By instance</h2>\n${table(head, rows)}\n`;
}

function levelsTable({ result }: Page): string {
  if (result.perLevel.length <= 1) return '';
  const rows = result.perLevel.map(({ at, askedPerS, sentPerS, acceptedPerS, due }) => [
    `from ${at.toFixed(0)} s`,
    askedPerS ?? 0,
    sentPerS,
    acceptedPerS,
    ...[due.p50, due.p95, due.p99, due.max].map(msText),
  ]);
  const head = ['', 'asked/s', 'sent/s', 'accepted/s', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms'];
  return `<h2>Levels</h2>\n${table(head, rows)}\n`;
}

/** A secret is told to be there; an address is told without what may stand in front of its host. */
function settingsTable({ flags, seed, version }: Page): string {
  const rows = Object.entries(loadFlags).flatMap(([key, setting]) => {
    const value = key === 'seed' ? seed : flags[key as keyof typeof flags];
    const text = Array.isArray(value)
      ? value.map(({ origin, pathname }: URL) => origin + pathname).join(', ')
      : String(value);
    const shown = setting.secret && text !== '' ? 'given, not shown' : text;
    return shown === '' ? [] : [`<tr><td><code>${flagName(key)}</code></td><td>${escaped(shown)}</td></tr>`];
  });
  return `<table class="settings"><tr><td>ugc</td><td>${escaped(version)}</td></tr>${rows.join('')}</table>`;
}
