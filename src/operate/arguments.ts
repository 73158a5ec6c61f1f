// What was typed after a command's name: its own flags, settings, and the rest. A flag is `--name` or `--name=value`;
// anything else is the command's to read, so a query may begin with an SQL comment. After `--` nothing is a flag.

import type { Config } from '../config/config.ts';
import { type Setting, type Settings, text, type Values } from '../config/kinds.ts';
import { flagName, parseSettings } from '../config/parse.ts';

export type Exit = 0 | 1 | 2;

/** A command: its own flags, declared as settings are, and what it does with its arguments. */
export interface Command {
  readonly flags: Settings;
  readonly run: (invocation: Invocation<Settings>) => Promise<Exit>;
  /** In place of `run` where the settings cannot be read; absent = they are refused, and so is the command. */
  readonly misread?: (invocation: Misread<Settings>) => Promise<Exit>;
}

export interface Misread<F extends Settings> extends Omit<Invocation<F>, 'config' | 'settings'> {
  /** Of the settings, in words. */
  readonly problems: readonly string[];
}

export interface Invocation<F extends Settings> {
  readonly args: readonly string[];
  readonly flags: Values<F>;
  readonly config: Config;
  /** The settings that were typed, as they were. */
  readonly settings: readonly string[];
  /** Whether a terminal may be given colours: NO_COLOR (no-color.org) and TERM=dumb say no. */
  readonly colours: boolean;
}

export const command = <F extends Settings>(
  flags: F,
  run: (invocation: Invocation<F>) => Promise<Exit>,
  misread?: (invocation: Misread<F>) => Promise<Exit>,
): Command => ({
  flags,
  run: run as Command['run'],
  ...(misread !== undefined && { misread: misread as Command['misread'] & {} }),
});

export interface Split {
  /** Flags that are not the command's own: settings, or unknown ones. */
  readonly settings: readonly string[];
  readonly own: readonly string[];
  readonly args: readonly string[];
}

export function splitArguments(typed: readonly string[], flags: Settings): Split {
  const end = typed.indexOf('--');
  const [before, after] = end < 0 ? [typed, []] : [typed.slice(0, end), typed.slice(end + 1)];
  const names = new Set(Object.keys(flags).map(flagName));
  const isOwn = (arg: string): boolean => names.has(arg.split('=', 1)[0]!);
  const given = before.filter(isFlag);
  return {
    own: given.filter(isOwn),
    settings: given.filter(arg => !isOwn(arg)),
    args: [...before.filter(arg => !isFlag(arg)), ...after],
  };
}

/** `-- a comment` is none, and neither is a comment of one word that a line break ends. */
export const isFlag = (arg: string): boolean => /^--[a-z][\w-]*(=|$)/i.test(arg);

/** Reads a command's own flags; the environment has no say in them. */
export const readFlags = <F extends Settings>(flags: F, own: readonly string[]) =>
  parseSettings(flags, { flags: own, env: {} });

/** Of a command that looks for one topic: it stands in the place of the setting of that name, whose pattern is refused here. */
export const topicFlag: Setting<string> = {
  ...text({
    default: '',
    takes: 'a topic',
    help: 'Only of this topic; the setting of that name is given as UGC_TOPIC',
  }),
  parse: given => {
    if (/[{}]/.test(given))
      throw new Error(`must be one topic, like ugc.click, not "${given}": give the setting of that name as UGC_TOPIC`);
    return given;
  },
};

/** One line of help for each flag. */
export const flagsHelp = (flags: Settings): string =>
  Object.entries(flags)
    .map(([key, { takes, help }]) => {
      const name = takes === 'true | false' ? flagName(key) : `${flagName(key)}=…`;
      return `      ${name.padEnd(14)} ${help}`;
    })
    .join('\n');
