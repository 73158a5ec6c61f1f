// The flags of `ugc load`, and what of them contradicts itself.

import { bytes, choice, flag, integer, type Setting, text, type Values } from '../config/kinds.ts';
import { shapes } from '../load/bodies.ts';
import { serialMax } from '../load/run-ids.ts';

/** A part of all, as 0.05 or 5%. */
const share = (help: string): Setting<number> => ({
  help,
  takes: 'a share, 0.05 or 5%',
  defaultText: '0',
  secret: false,
  parse: given => {
    const found = /^(\d{1,3}(?:\.\d{1,9})?)(%?)$/.exec(given);
    const value = found === null ? Number.NaN : Number(found[1]) / (found[2] === '%' ? 100 : 1);
    if (!(value >= 0 && value <= 1)) throw new Error(`must be a share from 0 to 1, like 0.05 or 5%, not "${given}"`);
    return value;
  },
});

/** Where there is none, the default: one of this machine. */
const urls = (help: string): Setting<readonly URL[]> => ({
  help,
  takes: 'http(s)://host:port, several with commas',
  defaultText: 'http://127.0.0.1:8080',
  secret: false,
  repeats: true,
  parse: given =>
    given.split(',').map(item => {
      const url = URL.parse(item.trim());
      if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '')
        throw new Error(`must be addresses like http://127.0.0.1:8080, several with commas, not "${item}"`);
      return url;
    }),
});

export const loadFlags = {
  url: urls('Whom to load; several, with commas or given again, in turn. http://127.0.0.1:8080 if not given'),
  into: choice({
    of: ['http', 'broker'],
    default: 'http',
    help: 'broker: judged here and written to the broker of the settings, as an edge does; no edge is loaded',
  }),
  rate: integer({
    default: 1_000,
    min: 0,
    max: 10_000_000,
    help: 'Events a second, sent when they are due whatever the server does; 0: as fast as answers come',
  }),
  duration: integer({ default: 30, min: 1, max: 604_800, help: 'Seconds; 30 if not given' }),
  ramp: integer({ default: 0, min: 0, max: 86_400, help: 'Seconds of it in which the rate rises from nothing' }),
  steps: integer({
    default: 1,
    min: 1,
    max: 100,
    help: 'So many levels, each a step higher: the curve of rate and times',
  }),
  connections: integer({
    default: 64,
    min: 1,
    max: 20_000,
    help: 'As many requests are under way at most; 64 if not given',
  }),
  shape: choice({ of: shapes, default: 'single', help: 'single | batch | ndjson | beacon | segment' }),
  batch: integer({
    default: 100,
    min: 1,
    max: 10_000,
    help: 'Events of a request of batch, ndjson and segment; 100 if not given',
  }),
  eventBytes: bytes({
    default: '0',
    min: '0',
    max: '16MiB',
    help: 'An event has at least so many, by text in its properties; 0: as large as it is, about 300',
  }),
  gzip: flag({ default: false, help: 'Compress bodies' }),
  key: text({
    default: '',
    takes: 'a key or a token',
    secret: true,
    help: 'Shown with every request, as a bearer; to segment as its write key',
  }),
  ca: text({ default: '', takes: 'a PEM file', help: 'The authority to trust behind https, beside the system’s' }),
  seed: integer({
    default: 0,
    min: 0,
    max: 4_294_967_295,
    help: 'The same seed, the same events; one is drawn, and told, if not given',
  }),
  users: integer({
    default: 500_000,
    min: 1,
    max: 10_000_000,
    help: 'How many people there are; 500 000 if not given',
  }),
  films: integer({ default: 10_000, min: 1, max: 1_000_000, help: 'How many films; 10 000 if not given' }),
  types: text({
    default: '',
    takes: 'event types with commas',
    help: 'Instead of journeys the examples of these types; with UGC_SCHEMAS_DIR those of the folder if not given',
  }),
  badShare: share('Of the events, how many are broken and have to be refused'),
  duplicateShare: share('Of the events, how many were sent before'),
  clockSkew: integer({
    default: 0,
    min: 0,
    max: 3_600,
    help: 'Seconds by which clients’ clocks are wrong, either way',
  }),
  verify: flag({
    default: false,
    help: 'Afterwards hold every accepted event against the tables; exit code 1 when one is missing',
  }),
  verifySeconds: integer({ default: 60, min: 0, max: 86_400, help: 'Rows may take so long; 60 if not given' }),
  report: text({
    default: '',
    takes: 'a file that ends with .html or .svg',
    pattern: /^$|.\.(html|svg)$/,
    help: 'The report as a page with drawings, or the drawings alone: a file that ends with .html or .svg',
  }),
  json: flag({ default: false, help: 'One JSON object instead of text for people' }),
};

/** In words; null = nothing. */
export function wrongIn(flags: Values<typeof loadFlags>, args: readonly string[]): string | null {
  if (args.length > 0) return `${args[0]} is not understood: an address is given as --url=…`;
  if (flags.into === 'broker' && (flags.shape === 'beacon' || flags.shape === 'segment' || flags.shape === 'ndjson'))
    return `--into=broker has no --shape=${flags.shape}: single, or batch for as many events at once`;
  if (flags.into === 'broker' && (flags.gzip || flags.key !== '' || flags.ca !== ''))
    return '--gzip, --key and --ca are of HTTP: --into=broker takes the settings of the broker';
  if (flags.connections < flags.url.length)
    return `--connections=${flags.connections} are fewer than there are addresses: each needs one`;
  if (flags.ramp > flags.duration) return '--ramp cannot be longer than --duration';
  if (flags.rate === 0 && (flags.ramp > 0 || flags.steps > 1))
    return '--ramp and --steps rise to a rate: say --rate=… in events a second';
  if (flags.rate * flags.duration > serialMax)
    return 'a run has at most 4 294 967 295 events: less --rate or --duration';
  if (flags.badShare + flags.duplicateShare > 1) return '--bad-share and --duplicate-share together are more than all';
  return null;
}
