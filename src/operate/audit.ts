// The audit log: one line of ECS JSON for each command that changed something, or read out a person, with who did it and how
// it ended.
//
// - It is written once the command has ended, and before a signal ends it: then nobody knows how far it came, and the outcome is
//   `unknown`. Only what is killed (SIGKILL, no power) leaves no line.
// - What was used wrongly (exit code 2) has changed nothing, and has none.
// - A log that takes no line holds nobody up: a command may be what frees the disk. The line is told on stderr instead.
// - No secret is in it, and a person only by a hash, as in the receipts of `ugc forget`.

import { hostname, userInfo } from 'node:os';
import { hashOf } from '../adapters/clickhouse/ask/person.ts';
import { type Config, settings } from '../config/config.ts';
import { flagName } from '../config/parse.ts';
import { messageOf } from '../errors.ts';
import { appendLine } from '../process/file.ts';
import { auditFile } from '../process/instance.ts';
import type { Exit } from './arguments.ts';
import type { Change } from './changes.ts';
import { say } from './output.ts';

/** It is put aside then, under the time of that; what was put aside is for operators to delete. */
export const auditBytesMax = 16 * 2 ** 20;
const commandLengthMax = 4_096;

export interface Audited {
  /** The command: `keys add`. */
  readonly name: string;
  readonly change: Change;
  readonly config: Pick<Config, 'auditLog' | 'dataDir'>;
  /** What was typed after it. */
  readonly typed: readonly string[];
  /** Who became the user of this process by sudo; undefined = nobody. */
  readonly sudoUser: string | undefined;
}

export async function audited(asked: Audited, run: () => Promise<Exit>): Promise<Exit> {
  const startedMs = performance.now();
  const write = (ended: Ended): void => append(asked, { ...ended, durationMs: performance.now() - startedMs });
  const release = onSignals(signal => write({ outcome: 'unknown', how: `ended by ${signal}` }));
  try {
    const exit = await run();
    if (exit === 0) write({ outcome: 'success', how: 'done', exit });
    if (exit === 1) write({ outcome: 'failure', how: 'failed, or not all of it done', exit });
    return exit;
  } catch (error) {
    write({ outcome: 'failure', how: `failed: ${messageOf(error)}`, exit: 1 });
    throw error;
  } finally {
    release();
  }
}

interface Ended {
  readonly outcome: 'success' | 'failure' | 'unknown';
  /** In words. */
  readonly how: string;
  readonly exit?: Exit;
}

/** The first of them is told, and then does what it would have done. */
function onSignals(tell: (signal: NodeJS.Signals) => void): () => void {
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const release = (): void => {
    for (const name of names) process.removeListener(name, end);
  };
  const end = (signal: NodeJS.Signals): void => {
    release();
    tell(signal);
    process.kill(process.pid, signal);
  };
  for (const name of names) process.on(name, end);
  return release;
}

function append({ config, ...asked }: Audited, ended: Ended & { readonly durationMs: number }): void {
  const path = auditFile(config);
  const line = auditLine({ ...asked, ...ended });
  try {
    appendLine(path, line, auditBytesMax);
  } catch (error) {
    say(`ugc: UGC_AUDIT_LOG ${path} takes no line (${messageOf(error)}); it would have been:\n${line}`);
  }
}

type Line = Omit<Audited, 'config'> & Ended & { readonly durationMs: number };

/** Fields: https://www.elastic.co/guide/en/ecs/8.10 */
export function auditLine({ name, change, typed, sudoUser, outcome, how, exit, durationMs }: Line): string {
  const command = commandText([...name.split(' '), ...typed]);
  const who = user();
  return JSON.stringify({
    '@timestamp': new Date().toISOString(),
    'log.level': outcome === 'success' ? 'info' : 'warn',
    message: `${who.name}${sudoUser === undefined ? '' : ` (sudo of ${sudoUser})`}: ${command}: ${how}`,
    'ecs.version': '8.10.0',
    'service.name': 'ugc',
    'event.dataset': 'ugc.audit',
    'event.kind': 'event',
    'event.category': [change.category],
    'event.type': [change.type],
    'event.action': name.replace(' ', '-'),
    'event.outcome': outcome,
    'event.duration': Math.round(durationMs * 1e6),
    'user.name': who.name,
    'user.id': who.id,
    'related.user': sudoUser === undefined ? [who.name] : [who.name, sudoUser],
    'host.name': hostname(),
    'process.pid': process.pid,
    'process.command_line': command,
    ...(exit !== undefined && { 'process.exit_code': exit }),
  });
}

/** In containers an id need have no name. */
function user(): { readonly name: string; readonly id: string } {
  const id = String(process.getuid?.() ?? '');
  try {
    return { name: userInfo().username, id };
  } catch {
    return { name: `uid ${id}`, id };
  }
}

const secretFlags: ReadonlySet<string> = new Set(
  Object.entries(settings).flatMap(([key, { secret }]) => (secret ? [flagName(key)] : [])),
);
const personFlags: ReadonlySet<string> = new Set(['--user-id', '--anonymous-id']);

/** As it was typed, without secrets, nor what names a person. */
export function commandText(typed: readonly string[]): string {
  const words = ['ugc', ...typed].map(word => {
    const [name = '', ...rest] = word.split('=');
    const value = rest.join('=');
    if (rest.length > 0 && secretFlags.has(name)) return `${name}=***`;
    if (personFlags.has(name)) return `${name}=${pseudonyms(value)}`;
    return word.replace(/(?<=:\/\/[^/?#@\s]*:)[^/?#@\s]+(?=@)/g, '***');
  });
  const all = words.map(quoted).join(' ');
  return all.length > commandLengthMax ? `${all.slice(0, commandLengthMax).toWellFormed()}…` : all.toWellFormed();
}

const pseudonyms = (ids: string): string =>
  ids
    .split(',')
    .map(id => `sha256:${hashOf(id.trim())}`)
    .join(',');

const quoted = (word: string): string =>
  /^[\w./:=@,%+*~-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
