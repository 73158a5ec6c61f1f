// `ugc keys add|ls|revoke|rotate`: the API keys of an instance, beside it or while it is stopped. A key is printed once,
// when it is made, on stdout and alone there; what is said about it goes to stderr.

import type { Config } from '../config/config.ts';
import { choice, choices, flag, instant, integer, type Settings, text } from '../config/kinds.ts';
import { readKeys, type StoredKey } from '../door/keys/keys-file.ts';
import { addKey, revokeKey, rotateKey } from '../door/keys/manage.ts';
import { isOwnSource } from '../ports/own-source.ts';
import { scopes } from '../ports/scope.ts';
import { parseOrigin } from '../process/origin.ts';
import { type Command, command, type Exit, type Invocation } from './arguments.ts';
import { inWords } from './failure.ts';
import { plain, say, table, writeOut } from './output.ts';

const json = flag({ default: false, help: 'JSON instead of text for people' });
const listed = (parse: (item: string) => string) => (given: string) =>
  given === ''
    ? ''
    : given
        .split(',')
        .map(item => parse(item.trim()))
        .join(',');

/** Each command's own flags; `ugc help keys` prints them. */
export const keysFlags = {
  add: {
    kind: choice({
      of: ['public', 'secret'],
      default: 'public',
      help: 'public: stands in web pages, may only send events',
    }),
    scopes: choices({ of: scopes, default: 'events:write', help: 'What it may' }),
    origins: {
      ...text({
        default: '',
        takes: 'origins with commas',
        help: 'Browsers may use it from these alone, e.g. https://*.shop.example',
      }),
      parse: listed(parseOrigin),
    },
    eventTypes: text({ default: '', takes: 'types with commas', help: 'Events it may send; empty = all' }),
    rate: integer({
      default: 0,
      min: 0,
      max: 10_000_000,
      help: 'Events it may send a second; 0 = as UGC_RATE_LIMIT_KEY says',
    }),
    expires: instant({ help: 'It counts until then' }),
    json,
  },
  ls: { all: flag({ default: false, help: 'Also those that count no more' }), json },
  revoke: { json },
  rotate: {
    overlapSeconds: integer({ default: 86_400, min: 0, max: 31_536_000, help: 'So long the old one still counts' }),
    json,
  },
} as const satisfies Readonly<Record<string, Settings>>;

type FileOf = (config: Config) => string;

export const keysCommands = (fileOf: FileOf): Readonly<Record<keyof typeof keysFlags, Command>> => ({
  add: command(keysFlags.add, ({ args, flags, config }) =>
    inWords(async () => {
      const [name] = args;
      if (args.length !== 1 || !name) return misused('add takes one name, which becomes the source of its events');
      if (isOwnSource(name))
        return misused('names that begin with ugc: are the sources of what ugc itself writes; choose another');
      if (flags.kind === 'public' && flags.scopes.some(scope => scope !== 'events:write'))
        return misused('a public key stands in web pages and may only send events: --kind=secret for more');
      const wanted = { ...flags, name, origins: itemsOf(flags.origins), eventTypes: itemsOf(flags.eventTypes) };
      const made = addKey(
        fileOf(config),
        { ...wanted, rate: flags.rate === 0 ? null : flags.rate, expiresAtMs: flags.expires },
        Date.now(),
      );
      return shown(made.text, made.stored, flags.json);
    }),
  ),
  ls: command(keysFlags.ls, ({ args, flags, config }) =>
    inWords(async () => {
      if (args.length > 0) return misused('ls takes no argument');
      const nowMs = Date.now();
      const keys = readKeys(fileOf(config)).filter(key => flags.all || stateOf(key, nowMs) !== 'gone');
      if (flags.json) for (const { sha256: _, ...key } of keys) writeOut(`${JSON.stringify(key)}\n`);
      else if (keys.length === 0) say('there are none; ugc keys add <name> makes one');
      else writeOut(`${table(['id', 'name', 'kind', 'may', 'from', 'made', ''], keys.map(rowOf))}\n`);
      return 0;
    }),
  ),
  revoke: onOne(
    keysFlags.revoke,
    'revoke',
    async ({ which, flags, path }) => {
      const key = revokeKey(path, which, Date.now());
      if (flags.json) writeOut(`${JSON.stringify({ id: key.id, revoked_at: key.revoked_at })}\n`);
      else say(`${key.id} (${plain(key.name)}) counts no more, within a second wherever it is used`);
      return 0;
    },
    fileOf,
  ),
  rotate: onOne(
    keysFlags.rotate,
    'rotate',
    async ({ which, flags, path }) => {
      const {
        text: made,
        stored,
        old,
      } = rotateKey(path, which, { nowMs: Date.now(), overlapMs: flags.overlapSeconds * 1_000 });
      if (!flags.json) say(`the old one, ${old.id}, counts until ${old.expires_at}`);
      return shown(made, stored, flags.json);
    },
    fileOf,
  ),
});

interface OnOne<F extends Settings> extends Pick<Invocation<F>, 'flags'> {
  readonly which: string;
  readonly path: string;
}

const onOne = <F extends Settings>(
  flags: F,
  name: string,
  act: (asked: OnOne<F>) => Promise<Exit>,
  fileOf: FileOf,
): Command =>
  command(flags, ({ args, flags: given, config }) =>
    inWords(async () => {
      const [which] = args;
      if (args.length !== 1 || !which)
        return misused(`${name} takes one key, by its id or name; ugc keys ls lists them`);
      return act({ which, flags: given, path: fileOf(config) });
    }),
  );

function misused(words: string): Exit {
  say(`ugc: ${words}; see ugc help keys`);
  return 2;
}

function shown(key: string, { id, name, kind }: StoredKey, asJson: boolean): Exit {
  if (asJson) writeOut(`${JSON.stringify({ id, name, kind, key })}\n`);
  else {
    say(`${id} (${plain(name)}), ${kind}; the key is shown this once:`);
    writeOut(`${key}\n`);
  }
  return 0;
}

const itemsOf = (list: string): string[] => (list === '' ? [] : list.split(','));

const stateOf = (key: StoredKey, nowMs: number): 'counts' | 'gone' =>
  key.revoked_at !== undefined || (key.expires_at !== undefined && Date.parse(key.expires_at) <= nowMs)
    ? 'gone'
    : 'counts';

const rowOf = (key: StoredKey): string[] => [
  key.id,
  plain(key.name),
  key.kind,
  key.scopes.join(' ') +
    (key.event_types ? `: ${plain(key.event_types.join(' '))}` : '') +
    (key.rate ? `, ${key.rate}/s` : ''),
  key.origins?.join(' ') ?? 'everywhere',
  key.created_at.slice(0, 16),
  key.revoked_at
    ? `revoked ${key.revoked_at.slice(0, 16)}`
    : key.expires_at
      ? `until ${key.expires_at.slice(0, 16)}`
      : '',
];
