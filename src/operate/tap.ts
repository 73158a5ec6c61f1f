// `ugc tap`: events as they pass, on stdout, of one instance or several. What is no event (a connection that ends, events
// that were left out) is said on stderr.

import { choice, choices, flag, integer, type Setting, text, type Values } from '../config/kinds.ts';
import { command, type Exit } from './arguments.ts';
import { inWords } from './failure.ts';
import { columnsOut, count, plain, say, writeOut } from './output.ts';
import { lineOf, type TapFormat, tapFormats } from './tap-line.ts';
import { type Message, untilSignalled, urlsFlag, urlsOf, watchInstance } from './watch.ts';

const list = (help: string, takes: string): Setting<string> => ({
  ...text({ default: '', takes, help }),
  repeats: true,
});

export const tapFlags = {
  url: urlsFlag,
  type: list('Event types, with * and ?; several with commas', 'names, with * and ?'),
  outcome: choices({
    of: ['accepted', 'rejected', 'dropped', 'failed'],
    default: '',
    help: 'What became of it: accepted, rejected, dropped (by a rule), failed (its sender tries again); absent = all',
  }),
  key: list('Of these API keys, by name', 'names'),
  user: list('Of these users: user_id, else anonymous_id', 'ids'),
  sample: {
    ...text({
      default: '1',
      takes: '0–1',
      pattern: /^(0?\.\d{1,6}|0|1|1\.0+)$/,
      help: 'The share of them that is shown',
    }),
  },
  rate: integer({
    default: 200,
    min: 1,
    max: 10_000,
    help: 'At most so many a second of an instance; the rest is counted',
  }),
  limit: integer({ default: 0, min: 0, max: 1e9, help: 'End after so many; 0 = go on' }),
  format: choice<TapFormat>({ of: tapFormats, default: 'text', help: 'text for people, json or logfmt: a line each' }),
  quiet: flag({
    default: false,
    help: 'Say nothing on stderr of events that were left out and connections that ended',
  }),
};

type Flags = Values<typeof tapFlags>;

export const tapCommand = command(tapFlags, ({ args, flags, config, colours }) =>
  inWords(async (): Promise<Exit> => {
    if (args.length > 0) {
      say(`ugc: tap takes flags alone, not ${plain(args[0]!)}; see ugc help tap`);
      return 2;
    }
    const stop = untilSignalled();
    const urls = urlsOf(flags.url, config);
    const notice = (url: string, words: string): void => {
      if (!flags.quiet) say(`ugc tap: ${urls.length > 1 ? `${url}: ` : ''}${plain(words)}`);
    };
    const columns = columnsOut();
    const style = { columns: columns ?? Number.POSITIVE_INFINITY, colours: colours && columns !== null };
    let left = flags.limit === 0 ? Number.POSITIVE_INFINITY : flags.limit;
    const show = (url: string, { event, data }: Message): void => {
      if (event === 'dropped') notice(url, droppedWords(data));
      if ((event !== 'event' && event !== 'rejected') || left <= 0) return;
      writeOut(lineOf(data, { format: flags.format, instance: urls.length > 1 ? url : null, ...style }));
      if (--left === 0) stop.abort();
    };
    await Promise.all(
      urls.map(url =>
        watchInstance({
          url,
          query: queryOf(flags),
          key: config.adminKey,
          signal: stop.signal,
          onMessage: message => show(url, message),
          onState: away => away !== null && notice(url, `${away}; it is tried again`),
        }),
      ),
    );
    return 0;
  }),
);

function queryOf({ type, key, user, outcome, sample, rate }: Flags): URLSearchParams {
  const query = new URLSearchParams({ kinds: 'events', rate: String(rate) });
  if (sample !== '1') query.set('sample', String(Number(sample)));
  for (const [name, said] of Object.entries({ type, key, user }))
    for (const value of said.split(',')) if (value !== '') query.append(name, value);
  for (const name of outcome) query.append('outcome', name);
  return query;
}

const why: Readonly<Record<string, string>> = {
  rate: 'more than --rate',
  slow: 'they were not read fast enough',
  gone: 'they passed while there was no connection, and are no longer kept',
  unwatched: 'the instance was started anew, or nobody had watched for a time',
};

function droppedWords(data: string): string {
  const told = JSON.parse(data) as { readonly count: number | null; readonly why: string };
  const number = told.count === null ? 'what passed meanwhile is' : `${count(told.count)} events are`;
  return `${number} not shown: ${why[told.why] ?? told.why}`;
}
