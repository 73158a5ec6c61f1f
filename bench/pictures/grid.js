// In the page: each panel where Grafana's grid has it, drawn as Grafana draws its kind, with Grafana's defaults for what the
// dashboard does not say.

const [cell, gap, width] = [30, 8, document.documentElement.clientWidth - 32];
const column = (width + gap) / 24;
// The colours Grafana gives to series, in its order.
const palette = [
  '#56A64B',
  '#F2CC0C',
  '#3274D9',
  '#FF780A',
  '#E02F44',
  '#A352CC',
  '#19730E',
  '#CC9D00',
  '#1F60C4',
  '#FA6400',
  '#C4162A',
  '#8F3BB8',
];
const named = {
  green: '#37872D',
  red: '#C4162A',
  orange: '#E55400',
  yellow: '#CC9D00',
  blue: '#1F60C4',
  text: '#24292e',
  'light-green': '#73BF69',
};
const colourOf = name => named[name] ?? name;

const hex = value => Math.round(value).toString(16).padStart(2, '0');
/** As it looks on white when so much of it is seen. */
const paler = (colour, share) =>
  `#${[1, 3, 5].map(at => hex(255 - (255 - Number.parseInt(colour.slice(at, at + 2), 16)) * share)).join('')}`;

document.querySelector('h1').textContent = given.title;
const main = document.querySelector('main');
let bottom = 0;
for (const { panel, series } of given.panels) {
  const { x, y, w, h } = panel.gridPos;
  const section = document.createElement('section');
  const box = { left: x * column, top: y * (cell + gap), width: w * column - gap, height: h * (cell + gap) - gap };
  for (const [side, px] of Object.entries(box)) section.style[side] = `${px}px`;
  bottom = Math.max(bottom, box.top + box.height);
  main.append(section);
  if (panel.type === 'row') {
    section.className = 'row';
    section.textContent = `⌄ ${panel.title}`;
    continue;
  }
  const title = document.createElement('h2');
  title.textContent = panel.title;
  section.append(title);
  const draw = { stat: number, timeseries: curves, 'state-timeline': bands }[panel.type];
  if (draw === undefined) throw new Error(`no picture of ${panel.type}`);
  draw(section, panel, series, box);
}
main.style.height = `${bottom + 16}px`;
document.body.dataset.drawn = 'yes';

function nothing(section, panel) {
  const words = document.createElement('div');
  words.className = 'nothing';
  words.textContent = panel.fieldConfig?.defaults.noValue ?? 'No data';
  section.append(words);
}

function mappingOf(panel, value) {
  for (const { type, options } of panel.fieldConfig?.defaults.mappings ?? []) {
    if (type === 'value' && options[String(value)] !== undefined) return options[String(value)];
    if (type === 'special' && options.match === 'null+nan' && (value === null || Number.isNaN(value)))
      return options.result;
  }
  return {};
}

function thresholdColour(panel, value) {
  // Without thresholds of its own a panel has these.
  const standard = {
    steps: [
      { value: null, color: 'green' },
      { value: 80, color: 'red' },
    ],
  };
  const { steps } = panel.fieldConfig?.defaults.thresholds ?? standard;
  return colourOf(steps.findLast(({ value: from }) => from === null || value >= from)?.color ?? 'green');
}

function number(section, panel, series) {
  const last = series[0]?.samples.at(-1)?.[1];
  if (last === undefined) return nothing(section, panel);
  const { unit, color } = panel.fieldConfig.defaults;
  const value = document.createElement('div');
  value.className = 'value';
  const mapped = mappingOf(panel, last);
  value.textContent = mapped.text ?? (Number.isNaN(last) ? 'NaN' : units[unit](last));
  value.style.color = mapped.color
    ? colourOf(mapped.color)
    : color?.mode === 'fixed'
      ? colourOf(color.fixedColor)
      : thresholdColour(panel, last);
  section.append(value);
}

function curves(section, panel, series, box) {
  if (series.length === 0) return nothing(section, panel);
  const { unit, min, custom = {} } = panel.fieldConfig.defaults;
  const isStacked = custom.stacking?.mode === 'normal';
  const times = [...new Set(series.flatMap(({ samples }) => samples.map(([at]) => at)))].sort((a, b) => a - b);
  const rows = series.map(({ samples }) => {
    const byTime = new Map(samples);
    return times.map(at => (Number.isFinite(byTime.get(at)) ? byTime.get(at) : null));
  });
  const below = times.map(() => 0);
  const drawn = isStacked
    ? rows.map(row =>
        row.map((value, at) => {
          if (value !== null) below[at] += value;
          return value === null ? null : below[at];
        }),
      )
    : rows;
  const { legend = {} } = panel.options ?? {};
  const legendBox = legendOf(section, panel, series, rows);
  const isRight = legend.placement === 'right';
  const size = {
    width: box.width - 12 - (isRight ? legendBox.offsetWidth + 8 : 0),
    height: box.height - 44 - (isRight ? 0 : legendBox.offsetHeight),
  };
  const holder = document.createElement('div');
  section.append(holder);
  // What is stacked is drawn from the top down, each over the one that is higher: so a fill must not be seen through.
  const line = (at, fill = 0) => ({
    stroke: palette[at % palette.length],
    width: custom.lineWidth ?? 1,
    fill: isStacked
      ? paler(palette[at % palette.length], fill / 100)
      : `${palette[at % palette.length]}${hex((fill / 100) * 255)}`,
    points: { show: false },
  });
  const order = isStacked ? series.map((_, at) => series.length - 1 - at) : series.map((_, at) => at);
  const axis = {
    stroke: '#57606a',
    font: '12px DejaVu Sans',
    grid: { stroke: '#eceef0', width: 1 },
    ticks: { show: false },
  };
  new uPlot(
    {
      ...size,
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { range: [given.from, given.to] },
        y: { range: (_, low, high) => [min ?? low, high > 0 ? high * 1.08 : 1] },
      },
      axes: [
        {
          ...axis,
          values: (_, splits) => splits.map(at => new Date(at * 1000).toISOString().slice(11, 16)),
          space: 70,
        },
        {
          ...axis,
          size: 76,
          values: (_, splits) => splits.map(value => units[unit](value)),
          ...(ticksOf[unit] && { incrs: ticksOf[unit] }),
        },
      ],
      series: [{}, ...order.map(at => line(at, custom.fillOpacity))],
    },
    [times, ...order.map(at => drawn[at])],
    holder,
  );
}

function legendOf(section, panel, series, rows) {
  const { legend = {} } = panel.options ?? {};
  const box = document.createElement('div');
  const isTable = legend.displayMode === 'table';
  box.className = `legend ${isTable ? 'table' : ''} ${legend.placement === 'right' ? 'right' : ''}`;
  const shown = series.map(({ name }, at) => ({ name, at, last: rows[at].findLast(value => value !== null) ?? null }));
  if (legend.sortBy === 'Last *' || legend.sortBy === 'Last') shown.sort((a, b) => (b.last ?? -1) - (a.last ?? -1));
  for (const { name, at, last } of shown) {
    const entry = document.createElement('span');
    const colour = document.createElement('i');
    colour.style.background = palette[at % palette.length];
    entry.append(colour, name === '' ? 'Value' : name);
    if (isTable && legend.calcs?.length > 0) {
      const value = document.createElement('b');
      value.textContent = last === null ? '' : units[panel.fieldConfig.defaults.unit](last);
      entry.append(value);
    }
    box.append(entry);
  }
  section.append(box);
  if (box.scrollHeight > box.clientHeight + 2) box.classList.add('cut');
  return box;
}

function bands(section, panel, series) {
  if (series.length === 0) return nothing(section, panel);
  const box = document.createElement('div');
  box.className = 'bands';
  for (const { name, samples } of series) {
    const label = document.createElement('div');
    label.className = 'name';
    label.textContent = name === '' ? 'Value' : name;
    const band = document.createElement('div');
    band.className = 'band';
    const share = at => (100 * (at - given.from)) / (given.to - given.from);
    // Equal neighbours are one piece.
    const pieces = [];
    for (const [at, value] of samples) {
      if (pieces.length > 0) pieces.at(-1).to = at;
      if (pieces.at(-1)?.value !== value) pieces.push({ value, at, to: at });
    }
    for (const { value, at, to } of pieces) {
      const piece = document.createElement('div');
      const mapped = mappingOf(panel, value);
      Object.assign(piece.style, {
        left: `${share(at)}%`,
        width: `${share(to) - share(at)}%`,
        background: mapped.color ? colourOf(mapped.color) : thresholdColour(panel, value),
      });
      piece.textContent = mapped.text ?? units[panel.fieldConfig.defaults.unit](value);
      band.append(piece);
    }
    box.append(label, band);
  }
  section.append(box);
}
