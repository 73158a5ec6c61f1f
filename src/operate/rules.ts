// `ugc rules add|ls|rm`: what is taken and not wanted, dropped, thinned out or sent elsewhere, beside a running instance.

import { randomBytes } from 'node:crypto';
import { catalogueFor } from '../catalogue/type-folder.ts';
import type { Config } from '../config/config.ts';
import { flag, instant, type Settings, text } from '../config/kinds.ts';
import {
  problemOf,
  type RuleAction,
  readRules,
  ruleActions,
  type StoredRule,
  writeRules,
} from '../door/rules/rules-file.ts';
import { changing } from '../process/file.ts';
import { type Command, command, type Exit } from './arguments.ts';
import { inWords } from './failure.ts';
import { plain, say, table, writeOut } from './output.ts';

const json = flag({ default: false, help: 'JSON instead of text for people' });

/** Each command's own flags; `ugc help rules` prints them. */
export const rulesFlags = {
  add: {
    key: text({ default: '', takes: 'a name', help: 'Events sent with this API key' }),
    eventType: text({ default: '', takes: 'an event type', help: 'Events of this type' }),
    user: text({ default: '', takes: 'an id', help: 'Events with this user_id, or without one this anonymous_id' }),
    address: text({ default: '', takes: 'an address or network', help: 'Events from there, e.g. 192.0.2.0/24' }),
    share: text({
      default: '',
      takes: '0 to 1',
      pattern: /^(|0|1|0?\.\d{1,9}|1\.0+)$/,
      help: 'Of sample: so much of the users is kept, and always the same ones',
    }),
    topic: text({ default: '', takes: 'a topic', help: 'Of divert: where the events go instead' }),
    until: instant({ help: 'It holds until then; without it until it is removed' }),
    why: text({ default: '', takes: 'words', help: 'For who finds it later' }),
    json,
  },
  ls: { all: flag({ default: false, help: 'Also those whose time is over' }), json },
  rm: { json },
} as const satisfies Readonly<Record<string, Settings>>;

type FileOf = (config: Config) => string;

export const rulesCommands = (fileOf: FileOf): Readonly<Record<keyof typeof rulesFlags, Command>> => ({
  add: command(rulesFlags.add, ({ args, flags, config }) =>
    inWords(async () => {
      const [action] = args;
      if (args.length !== 1 || !isAction(action)) return misused(`add takes one of ${ruleActions.join(', ')}`);
      const { eventType, share, until, json: asJson, ...words } = flags;
      const type = eventType === '' ? undefined : catalogueFor(config).find(eventType);
      if (eventType !== '' && type === undefined) return misused(`${plain(eventType)} is not an event type`);
      const rule: StoredRule = {
        id: randomBytes(4).toString('hex'),
        action,
        ...Object.fromEntries(Object.entries(words).filter(([, given]) => given !== '')),
        ...(type !== undefined && { event_type: type.name }),
        ...(share !== '' && { share: Number(share) }),
        ...(until !== null && { until: new Date(until).toISOString() }),
        created_at: new Date().toISOString(),
      };
      const problem = problemOf(rule);
      if (problem !== null) return misused(problem);
      change(fileOf(config), rules => [...rules, rule]);
      if (asJson) writeOut(`${JSON.stringify(rule)}\n`);
      else {
        say(`${action} counts within a second in every instance that reads the file; ugc rules rm takes it back:`);
        writeOut(`${rule.id}\n`);
      }
      return 0;
    }),
  ),
  ls: command(rulesFlags.ls, ({ args, flags, config }) =>
    inWords(async () => {
      if (args.length > 0) return misused('ls takes no argument');
      const nowMs = Date.now();
      const rules = readRules(fileOf(config)).filter(rule => flags.all || !isOver(rule, nowMs));
      if (flags.json) for (const rule of rules) writeOut(`${JSON.stringify(rule)}\n`);
      else if (rules.length === 0) say('there are none: everything that is taken is stored');
      else writeOut(`${table(['id', 'does', 'with events', 'until', 'made', 'why'], rules.map(rowOf))}\n`);
      return 0;
    }),
  ),
  rm: command(rulesFlags.rm, ({ args, flags, config }) =>
    inWords(async () => {
      const [id] = args;
      if (args.length !== 1 || !id) return misused('rm takes one rule, by its id; ugc rules ls lists them');
      let isThere = false;
      change(fileOf(config), rules => {
        isThere = rules.some(rule => rule.id === id);
        return rules.filter(rule => rule.id !== id);
      });
      if (!isThere) {
        say(`ugc: there is no rule ${plain(id)}; see ugc rules ls`);
        return 1;
      }
      if (flags.json) writeOut(`${JSON.stringify({ id })}\n`);
      else say(`${id} is gone, within a second wherever it is read`);
      return 0;
    }),
  ),
});

const isAction = (word: string | undefined): word is RuleAction => ruleActions.some(action => action === word);

const change = (path: string, next: (rules: readonly StoredRule[]) => readonly StoredRule[]): void =>
  changing(path, () => writeRules(path, next(readRules(path))));

const isOver = ({ until }: StoredRule, nowMs: number): boolean => until !== undefined && Date.parse(until) <= nowMs;

function misused(words: string): Exit {
  say(`ugc: ${words}; see ugc help rules`);
  return 2;
}

function rowOf({ id, action, share, topic, until, why = '', created_at: made, ...rest }: StoredRule): string[] {
  const does = share === undefined ? (topic === undefined ? action : `divert to ${topic}`) : `sample, keeps ${share}`;
  const which = (['key', 'event_type', 'user', 'address'] as const).flatMap(name =>
    rest[name] === undefined ? [] : [`${name} ${plain(rest[name])}`],
  );
  return [id, does, which.join(', ') || 'all', until?.slice(0, 16) ?? '', made.slice(0, 16), plain(why)];
}
