// In the page: values in the words of Grafana's units (packages/grafana-data, valueFormats).

const trimmed = (value, digits = 3) => {
  if (value === 0) return '0';
  const places = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(value))));
  return String(Number(value.toFixed(Math.min(places, 6))));
};
const scaled = (value, base, names) => {
  let at = 0;
  let rest = value;
  while (Math.abs(rest) >= base && at < names.length - 1) {
    rest /= base;
    at++;
  }
  return `${trimmed(rest)}${names[at]}`;
};
const counted = symbol => value =>
  scaled(
    value,
    1000,
    ['', ' K', ' Mil', ' Bil'].map(name => name + (symbol && ` ${symbol}`)),
  );
const rated = symbol => value =>
  scaled(
    value,
    1000,
    ['', 'K', 'M', 'B'].map(name => `${name} ${symbol}`),
  );
const seconds = value => {
  const size = Math.abs(value);
  if (size === 0) return '0 s';
  if (size < 1e-3) return `${trimmed(value * 1e6)} µs`;
  if (size < 1) return `${trimmed(value * 1e3)} ms`;
  if (size < 60) return `${trimmed(value)} s`;
  if (size < 3600) return `${trimmed(value / 60)} mins`;
  return size < 86_400 ? `${trimmed(value / 3600)} hours` : `${trimmed(value / 86_400)} days`;
};
globalThis.units = {
  short: counted(''),
  eps: rated('evt/s'),
  reqps: rated('req/s'),
  cps: rated('c/s'),
  ops: rated('ops/s'),
  cpm: rated('c/m'),
  rowsps: rated('rows/s'),
  s: seconds,
  bytes: value => scaled(value, 1024, [' B', ' KiB', ' MiB', ' GiB']),
  Bps: value => scaled(value, 1000, [' B/s', ' kB/s', ' MB/s', ' GB/s']),
  percentunit: value => `${trimmed(value * 100)}%`,
  bool_yes_no: value => (value === 0 ? 'No' : 'Yes'),
};
/** Binary units have binary ticks, times those of a clock. */
globalThis.ticksOf = {
  bytes: [...Array(50).keys()].flatMap(power => [2 ** power]),
};
