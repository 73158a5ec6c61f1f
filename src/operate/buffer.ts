// `ugc buffer …`: the commands for the disk buffer, beside a running instance or on a stopped one. Which file, and how it
// is opened, the wiring says.

import type { Config } from '../config/config.ts';
import { flag, integer, type Settings, text } from '../config/kinds.ts';
import { PipelineError } from '../errors.ts';
import type { BufferFile, BufferRepair } from '../ports/buffer-file.ts';
import { type Command, command, type Exit, type Invocation, topicFlag } from './arguments.ts';
import { exportRecords } from './buffer-export.ts';
import { forget } from './buffer-forget.ts';
import { inspect } from './buffer-inspect.ts';
import { requeue } from './buffer-requeue.ts';
import { stat } from './buffer-stat.ts';
import { verify } from './buffer-verify.ts';
import { inWords } from './failure.ts';
import { say } from './output.ts';

/** What the wiring gives, for the buffer of these settings. */
export interface Buffers {
  path(config: Config): string;
  /** Opens it to read only. */
  read(config: Config): BufferFile;
  /** Opens it to change it. */
  repair(config: Config): BufferRepair;
  /** Whether a process has it open. Asked before it is opened here. */
  isInUse(config: Config): boolean;
  /** The readers an instance of these settings has. */
  readers(config: Config): readonly string[];
  /** The topic of an event type of the catalogue, or null. */
  topicOf(config: Config, type: string): string | null;
}

const json = flag({ default: false, help: 'JSON instead of text for people' });
const word = (help: string) => text({ default: '', takes: 'text', help });
const topic = topicFlag;
const type = word('Only of this event type');
const quarantine = flag({ default: false, help: 'What was set aside instead of what is in the log' });

/** Each command's own flags; `ugc help buffer` prints them. */
export const bufferFlags = {
  stat: { json },
  inspect: {
    topic,
    type,
    id: word('Only the event with this event_id'),
    limit: integer({ default: 20, min: 0, max: 1e12, help: 'At most so many, the oldest first; 0 = all' }),
    quarantine,
    json,
  },
  verify: { json },
  export: { topic, type, quarantine, json: flag({ default: false, help: 'How much it was as JSON, on stderr' }) },
  requeue: {
    topic,
    reason: word('Only with a reason that begins like this'),
    dryRun: flag({ default: false, help: 'Say what would be done' }),
    json,
  },
  forget: { yes: flag({ default: false, help: 'Also when it has not passed every event' }), json },
} as const satisfies Readonly<Record<string, Settings>>;

export const bufferCommands = (buffers: Buffers): Readonly<Record<keyof typeof bufferFlags, Command>> => {
  const reading = <F extends Settings>(
    flags: F,
    look: (file: BufferFile, invocation: Invocation<F>) => Exit,
  ): Command =>
    command(flags, invocation =>
      inWords(async () => {
        refuseArguments(invocation.args);
        return using(buffers.read(invocation.config), file => look(file, invocation));
      }),
    );
  return {
    stat: reading(bufferFlags.stat, (file, { flags, config }) => stat(file, buffers.path(config), flags.json)),
    inspect: reading(bufferFlags.inspect, (file, { flags }) => inspect(file, flags)),
    verify: reading(bufferFlags.verify, (file, { flags, config }) => verify(file, buffers.path(config), flags.json)),
    export: reading(bufferFlags.export, (file, { flags }) => exportRecords(file, flags)),
    requeue: command(bufferFlags.requeue, ({ args, flags, config }) =>
      inWords(async () => {
        refuseArguments(args);
        const topicOf = (name: string) => buffers.topicOf(config, name);
        if (flags.dryRun) return using(buffers.read(config), file => requeue(file, null, { ...flags, topicOf }));
        return using(buffers.repair(config), file => requeue(file, file, { ...flags, topicOf }));
      }),
    ),
    forget: command(bufferFlags.forget, ({ args, flags, config }) =>
      inWords(async () => {
        const [reader] = args;
        if (args.length !== 1 || !reader) {
          say('ugc: forget takes the name of one reader; ugc buffer stat lists them');
          return 2;
        }
        const path = buffers.path(config);
        await using(buffers.read(config), () => {}); // or it says what is wrong with the file
        const isLive = buffers.isInUse(config);
        const isOurs = buffers.readers(config).includes(reader);
        return using(buffers.repair(config), file => forget(file, { ...flags, path, reader, isLive, isOurs }));
      }),
    ),
  };
};

function refuseArguments(args: readonly string[]): void {
  if (args.length > 0) throw new PipelineError('config_invalid', `${args[0]} is not understood; see ugc help buffer`);
}

/** Closed whatever happens. */
async function using<F extends BufferFile, T>(file: F, use: (file: F) => T | Promise<T>): Promise<T> {
  try {
    return await use(file);
  } finally {
    file.close();
  }
}
