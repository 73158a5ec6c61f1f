// Drawings of a run as SVG: axes, lines and a legend, nothing that moves or asks for anything. Colours are classes that the
// page or the file gives (`chartStyle`), so that a dark screen gets dark ones. Whatever text comes in is escaped here.

export interface Axis {
  /** 0 at the near end, 1 at the far one; what lies outside is drawn at the end. */
  place(value: number): number;
  readonly ticks: readonly { readonly value: number; readonly label: string }[];
}

export interface Line {
  readonly name: string;
  /** Of `chartStyle`. */
  readonly colour: 'grey' | 'blue' | 'green' | 'orange' | 'red';
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Chart {
  readonly title: string;
  /** Under the horizontal axis. */
  readonly below: string;
  readonly x: Axis;
  readonly y: Axis;
  /** The later ones lie on top. */
  readonly lines: readonly Line[];
}

export const chartSize = { width: 860, height: 250 };
const plot = { left: 64, right: 20, top: 34, bottom: 40 };
const inner = {
  width: chartSize.width - plot.left - plot.right,
  height: chartSize.height - plot.top - plot.bottom,
};

export const chartStyle = `
.chart{--paper:#fff;--ink:#1c2430;--faint:#667085;--rule:#e4e7ec;--grey:#98a2b3;--blue:#1570cd;--green:#12805c;--orange:#c4660a;--red:#c9302c}
@media (prefers-color-scheme:dark){.chart{--paper:#14181f;--ink:#e6e9ee;--faint:#98a2b3;--rule:#2b323d;--grey:#8390a3;--blue:#5aa9f5;--green:#43c59e;--orange:#f0a04b;--red:#f47c78}}
.chart text{font:12px system-ui,sans-serif;fill:var(--faint)}
.chart .title{font-size:14px;font-weight:600;fill:var(--ink)}
.chart .rule{stroke:var(--rule);stroke-width:1}
.chart .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
${['grey', 'blue', 'green', 'orange', 'red'].map(name => `.chart .line.${name}{stroke:var(--${name})}.chart .dot.${name}{fill:var(--${name})}`).join('\n')}
.chart .line.grey{stroke-dasharray:5 4}`;

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** For text and for attributes in quotes; control characters, and what XML has no place for, are replaced. */
export const escaped = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\ufffe\uffff]/gu, '\ufffd')
    .replace(/[&<>"']/g, character => entities[character]!);

/** The inside of an `<svg>` of `chartSize`. */
export function chartBody({ title, below, x, y, lines }: Chart): string {
  const across = (value: number): number => plot.left + inner.width * within(x.place(value));
  const up = (value: number): number => plot.top + inner.height * (1 - within(y.place(value)));
  const rows = y.ticks.map(({ value, label }) => {
    const at = fixed(up(value));
    return `<line class="rule" x1="${plot.left}" x2="${plot.left + inner.width}" y1="${at}" y2="${at}"/><text x="${plot.left - 8}" y="${at}" dy="4" text-anchor="end">${escaped(label)}</text>`;
  });
  const bottom = plot.top + inner.height;
  const columns = x.ticks.map(
    ({ value, label }) =>
      `<line class="rule" x1="${fixed(across(value))}" x2="${fixed(across(value))}" y1="${bottom}" y2="${bottom + 4}"/><text x="${fixed(across(value))}" y="${bottom + 18}" text-anchor="middle">${escaped(label)}</text>`,
  );
  const paths = lines
    .filter(({ points }) => points.length > 0)
    .map(({ colour, points }) => {
      const [[firstX, firstY], ...more] = points as [Line['points'][number], ...Line['points'][number][]];
      // A single point is a dot: a line of no length with round ends.
      const rest = more.length === 0 ? [[firstX, firstY] as const] : more;
      const path = rest.map(([px, py]) => `L${fixed(across(px))} ${fixed(up(py))}`).join('');
      return `<path class="line ${colour}" d="M${fixed(across(firstX))} ${fixed(up(firstY))}${path}"/>`;
    });
  return [
    `<text class="title" x="${plot.left}" y="18">${escaped(title)}</text>`,
    legend(lines.filter(({ points }) => points.length > 0)),
    ...rows,
    ...columns,
    ...paths,
    `<text x="${plot.left + inner.width}" y="${chartSize.height - 5}" text-anchor="end">${escaped(below)}</text>`,
  ].join('\n');
}

/** To the right of the title: a square and a name each; letters are taken for 7 wide. */
function legend(lines: readonly Line[]): string {
  let right = plot.left + inner.width;
  return lines
    .toReversed()
    .map(({ name, colour }) => {
      const text = `<text x="${right}" y="18" text-anchor="end">${escaped(name)}</text>`;
      right -= name.length * 7 + 16;
      const square = `<rect class="dot ${colour}" x="${right}" y="9" width="10" height="10" rx="2"/>`;
      right -= 14;
      return square + text;
    })
    .join('');
}

const within = (share: number): number => Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0));
const fixed = (number: number): string => String(Math.round(number * 10) / 10);

/** From 0 to the first step at or over `most`, a step of 1, 2 or 5 times a power of ten. */
export function evenAxis(most: number, labelOf: (value: number) => string, ticks = 4): Axis {
  const rough = Math.max(most, 1e-9) / ticks;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(of => of * power).find(one => one >= rough * 0.999)!;
  const end = step * Math.max(1, Math.ceil(most / step - 1e-9));
  return {
    place: value => value / end,
    ticks: Array.from({ length: Math.round(end / step) + 1 }, (_, at) => ({
      value: at * step,
      label: labelOf(at * step),
    })),
  };
}

/** Time from 0 to the end; ticks at whole steps within it. */
export function timeAxis(seconds: number): Axis {
  const steps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400];
  const step = steps.find(one => seconds / one <= 10) ?? 86_400;
  return {
    place: value => value / seconds,
    ticks: Array.from({ length: Math.floor(seconds / step + 1e-9) + 1 }, (_, at) => ({
      value: at * step,
      label: timeText(at * step),
    })),
  };
}

function timeText(seconds: number): string {
  if (seconds >= 86_400 && seconds % 3_600 === 0) return `${seconds / 3_600} h`;
  const [hours, minutes, rest] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (number: number): string => String(number).padStart(2, '0');
  if (hours > 0) return `${hours}:${two(minutes)}:${two(rest)}`;
  return minutes > 0 ? `${minutes}:${two(rest)}` : `${rest} s`;
}

/** Times in milliseconds from the power of ten under the least to the step over the most, each ten as far as the last. */
export function logAxis(least: number, most: number): Axis {
  const low = Math.floor(Math.log10(Math.max(1e-3, least)));
  const steps = Array.from({ length: 12 }, (_, at) => low + at).flatMap(power => [1, 2, 5].map(of => of * 10 ** power));
  const end = steps.find(step => step >= most && step > 10 ** low) ?? 10 ** (low + 12);
  const decades = Math.log10(end) - low;
  const shown = steps.filter(step => step <= end * 1.001 && (decades <= 2.4 || isPower(step) || step === end));
  return {
    place: value => (Math.log10(Math.max(10 ** low, value)) - low) / decades,
    ticks: shown.map(value => ({ value, label: msText(value) })),
  };
}

const isPower = (step: number): boolean => Math.abs(Math.log10(step) - Math.round(Math.log10(step))) < 1e-9;

const msText = (ms: number): string => (ms >= 1_000 ? `${trimmed(ms / 1_000)} s` : `${trimmed(ms)} ms`);
const trimmed = (value: number): string => String(Number(value.toPrecision(2)));

/** Percentiles as HdrHistogram draws them: each nine as wide as the one before. `requests` says where it ends. */
export function percentAxis(requests: number): Axis {
  const end = Math.max(1, Math.log10(Math.max(1, requests)));
  const place = (percent: number): number => -Math.log10(Math.max(1e-12, 1 - percent / 100)) / end;
  const named: readonly [number, string][] = [
    [0, '0'],
    [50, '50 %'],
    [75, '75 %'],
    [90, '90 %'],
    [95, '95 %'],
    [99, '99 %'],
    [99.9, '99.9 %'],
    [99.99, '99.99 %'],
    [99.999, '99.999 %'],
    [99.9999, '99.9999 %'],
  ];
  const ticks = named.map(([value, label]) => ({ value, label })).filter(({ value }) => place(value) <= 1.0001);
  return { place, ticks };
}
