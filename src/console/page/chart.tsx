// A chart of what changes with time: drawn by uPlot, in the colours of the page, and as a table for who does not see it.

import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { Grid } from './parts.tsx';
import { useStore } from './store.ts';
import { theme } from './theme.ts';
import { clock, moment } from './words.ts';

export interface Line {
  readonly label: string;
  /** Null = not known then. */
  readonly values: readonly (number | null)[];
}

export interface ChartProps {
  readonly title: string;
  /** Seconds since 1970, ascending. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  /** How a value is told, its unit with it. */
  readonly tell: (value: number | null) => string;
  /** A point is a day; else a moment. */
  readonly isDaily?: boolean;
}

const tableRowsMax = 60;
const dayIncrements = [1, 2, 7, 14, 30, 90, 365].map(days => days * 86_400);
const heightPx = 170;

export function Chart(props: ChartProps) {
  const { title, times, lines, tell } = props;
  const last = (line: Line): string => tell(line.values.at(-1) ?? null);
  return (
    <figure class="chart">
      <figcaption>
        <h2>{title}</h2>
        <ul class="legend">
          {lines.map((line, at) => (
            <li key={line.label}>
              <svg viewBox="0 0 16 4" class={`line line-${at}`} aria-hidden="true">
                <path d="M0 2H16" />
              </svg>
              {line.label} <b>{last(line)}</b>
            </li>
          ))}
        </ul>
      </figcaption>
      {times.length === 0 ? <p class="dim none">Nothing to draw yet</p> : <Drawn {...props} />}
      <AsTable {...props} />
    </figure>
  );
}

function AsTable({ title, times, lines, tell, isDaily = false }: ChartProps) {
  const [isOpen, setOpen] = useState(false);
  const at = (second: number): string => {
    const iso = new Date(second * 1_000).toISOString();
    return isDaily
      ? iso.slice(0, 10)
      : times.length > 0 && times.at(-1)! - times[0]! > 86_400
        ? moment(iso)
        : clock(iso);
  };
  const first = Math.max(0, times.length - tableRowsMax);
  const rows = isOpen
    ? times
        .slice(first)
        .map((second, row) => [at(second), ...lines.map(({ values }) => tell(values[first + row] ?? null))])
    : [];
  return (
    <details onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>
        As a table<span class="unseen">: {title}</span>
      </summary>
      {isOpen && (
        <Grid
          caption={`${title}, oldest first`}
          columns={[isDaily ? 'Day' : 'Time (UTC)', ...lines.map(({ label }) => `#${label}`)]}
          rows={rows}
        />
      )}
    </details>
  );
}

function Drawn({ times, lines, tell, isDaily = false }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const shown = useStore(theme);
  const labels = lines.map(({ label }) => label).join('\n');
  const telling = useRef(tell);
  telling.current = tell;
  const data = [[...times], ...lines.map(({ values }) => [...values])] as uPlot.AlignedData;
  const current = useRef(data);
  current.current = data;

  useEffect(() => {
    const box = place.current;
    if (box === null) return;
    const made = new uPlot(
      optionsFor(box, labels.split('\n'), value => telling.current(value), isDaily),
      current.current,
      box,
    );
    plot.current = made;
    const watching = new ResizeObserver(() => made.setSize({ width: Math.max(80, box.clientWidth), height: heightPx }));
    watching.observe(box);
    return () => {
      watching.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [labels, shown, isDaily]);
  useEffect(() => plot.current?.setData(data));
  return <div class="drawn" ref={place} aria-hidden="true" />;
}

function optionsFor(
  box: HTMLElement,
  labels: readonly string[],
  tell: (value: number | null) => string,
  isDaily: boolean,
): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const font = `${Math.round(Number.parseFloat(style.fontSize) * 0.78)}px system-ui, sans-serif`;
  const axis = {
    font,
    stroke: colour('--dim'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: Math.max(80, box.clientWidth),
    height: heightPx,
    tzDate: second => uPlot.tzDate(new Date(second * 1_000), 'Etc/UTC'),
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    padding: [8, 24, 0, 0],
    scales: { x: { time: true }, y: { range: (_, low, high) => [Math.min(0, low), high <= 0 ? 1 : high * 1.08] } },
    axes: [
      {
        ...axis,
        size: 30,
        ...(isDaily && { incrs: dayIncrements }),
        space: isDaily ? 90 : 70,
        values: (_, ticks, __, ___, stepSeconds) => ticks.map(tick => tickOf(tick, stepSeconds)),
      },
      { ...axis, size: 66, values: (_, ticks) => ticks.map(tell) },
    ],
    series: [
      {},
      ...labels.map((label, at) => ({
        label,
        stroke: colour(`--line-${at % 6}`),
        width: 1.5,
        dash: at % 2 === 1 ? [6, 3] : [],
        points: { show: isDaily, fill: colour('--panel') },
      })),
    ],
  };
}

/** As short as the distance between two allows. */
function tickOf(second: number, stepSeconds: number): string {
  const iso = new Date(second * 1_000).toISOString();
  if (stepSeconds >= 86_400) return iso.slice(5, 10);
  return stepSeconds >= 60 ? iso.slice(11, 16) : iso.slice(11, 19);
}
