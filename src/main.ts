// argv → a command or the server. The only caller of process.exit.
// Exit codes: 0 done, 1 failed, 2 wrong use.

import packageJson from '../package.json' with { type: 'json' };
import { growThreadPool } from './adapters/chdb/library.ts';
import { type Config, readConfig } from './config.ts';
import { messageOf, PipelineError } from './errors.ts';
import { hintOf } from './nearest.ts';
import { commandHelp, configHelp, generalHelp } from './operate/help.ts';
import { query } from './operate/query.ts';
import { schema } from './operate/schema.ts';
import { serve } from './serve.ts';

type Exit = 0 | 1 | 2;

/** A command takes its own arguments and whatever settings it needs. */
type Command = (args: readonly string[], config: Config) => Promise<Exit>;

const commands: Readonly<Record<string, Command>> = { query, schema };

async function main(argv: readonly string[]): Promise<Exit> {
  const [first = ''] = argv;
  if (argv.includes('--version')) return say(`ugc ${packageJson.version} (bun ${Bun.version})`);
  if (first === 'help') return help(argv[1]);
  if (argv.includes('--help') || argv.includes('-h')) return help(first in commands ? first : undefined);
  const command = first.startsWith('-') || first === '' ? undefined : commands[first];
  if (command === undefined && first !== '' && !first.startsWith('-'))
    return refuse([`there is no command ${first}${hintOf(first, [...Object.keys(commands), 'help'])}; see ugc help`]);

  const rest = command === undefined ? argv : argv.slice(1);
  const isSetting = (arg: string) => arg.startsWith('--') && !ownFlags.has(arg);
  const result = readConfig({ flags: rest.filter(isSetting), env: process.env });
  if (!result.ok) return refuse(result.problems);
  if (command === undefined) {
    const stray = rest.find(arg => !isSetting(arg));
    if (stray !== undefined)
      return refuse([`${stray.split('=', 1)[0]} is not understood; settings are given as --name=value`]);
    return serve(result.config, packageJson.version);
  }
  return command(
    rest.filter(arg => !isSetting(arg)),
    result.config,
  );
}

/** Flags of commands that are no settings. */
const ownFlags = new Set(['--json']);

function help(topic: string | undefined): Exit {
  if (topic === undefined) return say(generalHelp());
  if (topic === 'config') return say(configHelp());
  const text = commandHelp(topic);
  return text === undefined ? refuse([`there is no help on ${topic}; see ugc help`]) : say(text);
}

function say(text: string): Exit {
  process.stdout.write(`${text}\n`);
  return 0;
}

function refuse(problems: readonly string[]): Exit {
  process.stderr.write(problems.map(problem => `ugc: ${problem}\n`).join(''));
  return 2;
}

growThreadPool(process.env.UV_THREADPOOL_SIZE); // before anything uses the pool
main(process.argv.slice(2)).then(
  code => process.exit(code),
  error => {
    const text = error instanceof PipelineError ? messageOf(error) : ((error as Error).stack ?? messageOf(error));
    process.stderr.write(`ugc: ${text}\n`);
    process.exit(1);
  },
);
