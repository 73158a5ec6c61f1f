// argv → a command or the server. The only caller of process.exit.
// Exit codes: 0 done, 1 failed, 2 wrong use, 141 whoever read our output has ended.

import packageJson from '../package.json' with { type: 'json' };
import { hintOf } from '../schemas/nearest.ts';
import { growThreadPool, separateEnvironment } from './adapters/chdb/library.ts';
import { endWithParent } from './adapters/linux/parent.ts';
import { supervisorOf } from './adapters/linux/supervisor.ts';
import { foreignJudgeOf } from './catalogue/foreign.ts';
import { catalogueFor } from './catalogue/type-folder.ts';
import type { Config } from './config/config.ts';
import { flagName } from './config/parse.ts';
import { readConfig } from './config/read.ts';
import { shownSecretsOf } from './config/shown-secrets.ts';
import { messageOf, PipelineError } from './errors.ts';
import { compactCommand } from './operate/archive-compact.ts';
import { lsCommand } from './operate/archive-ls.ts';
import { restoreCommand } from './operate/archive-restore.ts';
import { verifyCommand } from './operate/archive-verify.ts';
import { type Command, type Exit, isFlag, readFlags, splitArguments } from './operate/arguments.ts';
import { audited } from './operate/audit.ts';
import { bufferCommands } from './operate/buffer.ts';
import { buffers } from './operate/buffers.ts';
import { capacityCommand } from './operate/capacity.ts';
import { changes } from './operate/changes.ts';
import { rebuildCommand } from './operate/content-rebuild.ts';
import { deadCommands } from './operate/dead.ts';
import { doctorCommand } from './operate/doctor.ts';
import { exportPersonCommand } from './operate/export-person.ts';
import { flowsCommands } from './operate/flows.ts';
import { forgetCommand } from './operate/forget.ts';
import { commandHelp, configHelp, generalHelp } from './operate/help.ts';
import { importCommand } from './operate/import.ts';
import { keysCommands } from './operate/keys.ts';
import { loadCommand } from './operate/load.ts';
import { OutputError, say, writeOut } from './operate/output.ts';
import { query } from './operate/query.ts';
import { reconcileCommand } from './operate/reconcile.ts';
import { rulesCommands } from './operate/rules.ts';
import { schema } from './operate/schema.ts';
import { tapCommand } from './operate/tap.ts';
import { topCommand } from './operate/top.ts';
import { traceCommand } from './operate/trace.ts';
import { upCommand } from './operate/up.ts';
import type { Transport } from './ports/transport.ts';
import { build, buildText } from './process/build.ts';
import { openLogs, openMetrics } from './process/telemetry.ts';
import { hiveTablesOf } from './roles/archive.ts';
import { openColdStore } from './roles/cold-stores.ts';
import { contentOf } from './roles/content-store.ts';
import { keysFileOf } from './roles/door.ts';
import { flowsWiring } from './roles/flow-control.ts';
import { kafkaOptionsOf, spansOfLog } from './roles/kafka.ts';
import { rolesOf } from './roles/list.ts';
import { pulsarOptionsOf } from './roles/pulsar.ts';
import { rabbitmqOptionsOf } from './roles/rabbitmq.ts';
import { formatsOf } from './roles/row-files/formats.ts';
import { rulesFileOf } from './roles/rules.ts';
import { frontCertificate } from './roles/tls.ts';
import { transportOf } from './roles/transport.ts';
import { serve } from './serve.ts';

/** Tells a child of ours whom it ends with; no setting. */
const followedParent = 'STARTED_BY_UGC_UP';

const archiveWiring = {
  storeOf: openColdStore,
  formatsOf,
  judgeOf: (config: Config) => foreignJudgeOf({ ...config, catalogue: catalogueFor(config) }),
};

/** For a command that writes to the broker itself. */
function transportFor(config: Config): Transport | null {
  const { logger } = openLogs({ level: config.logLevel, requests: { share: 0, slowMs: null } });
  const catalogue = { accepted: () => catalogueFor(config) };
  return transportOf({ config, catalogue, logger, metrics: openMetrics(), isTraced: false });
}

/** By name, and by the word that follows it. */
const commands: Readonly<Record<string, Command | Readonly<Record<string, Command>>>> = {
  query,
  schema,
  buffer: bufferCommands(buffers),
  reconcile: reconcileCommand(buffers, contentOf),
  content: { rebuild: rebuildCommand({ contentOf, watchedShareOf: config => config.viewWatchedShare }) },
  import: importCommand(buffers),
  flows: flowsCommands(flowsWiring),
  tap: tapCommand,
  top: topCommand,
  trace: traceCommand({ buffers, kafkaOf: kafkaOptionsOf, pulsarOf: pulsarOptionsOf, rabbitmqOf: rabbitmqOptionsOf }),
  keys: keysCommands(keysFileOf),
  rules: rulesCommands(rulesFileOf),
  forget: forgetCommand({
    buffers,
    kafkaOf: kafkaOptionsOf,
    pulsarOf: pulsarOptionsOf,
    rabbitmqOf: rabbitmqOptionsOf,
    contentOf,
  }),
  up: upCommand({ rolesOf: rolesInOrder, env: envOfChildren(), supervisor: startedBy }),
  'export-person': exportPersonCommand({ buffers, contentOf }),
  doctor: doctorCommand({
    buffers,
    kafkaOf: kafkaOptionsOf,
    pulsarOf: pulsarOptionsOf,
    rabbitmqOf: rabbitmqOptionsOf,
    storeOf: openColdStore,
    frontCertificate,
    keysFileOf,
  }),
  dead: deadCommands(archiveWiring.judgeOf),
  load: loadCommand({ transportOf: transportFor }),
  capacity: capacityCommand,
  archive: {
    ls: lsCommand(archiveWiring),
    verify: verifyCommand({ ...archiveWiring, logOf: spansOfLog }),
    restore: restoreCommand(archiveWiring),
    compact: compactCommand({ ...archiveWiring, hiveOf: hiveTablesOf }),
  },
};

/** The word that is meant where none follows. */
const byDefault: Readonly<Record<string, string>> = { flows: 'ls' };

async function main(argv: readonly string[]): Promise<Exit> {
  const [first = ''] = argv;
  const flags = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined);
  if (flags.includes('--version')) return print(`ugc ${packageJson.version} (${buildText(build)}, bun ${Bun.version})`);
  if (first === 'help') return help(argv[1]);
  if (flags.includes('--help') || flags.includes('-h')) return help(Object.hasOwn(commands, first) ? first : undefined);
  if (first === '' || first.startsWith('-')) return server(argv);
  const named = Object.hasOwn(commands, first) ? commands[first] : undefined;
  if (named === undefined)
    return refuse([`there is no command ${first}${hintOf(first, [...Object.keys(commands), 'help'])}; see ugc help`]);
  if (isCommand(named)) return perform(first, named, argv.slice(1));
  const at = argv.findIndex((arg, index) => index > 0 && !isFlag(arg));
  const [name = byDefault[first] ?? '', known] = [argv[at], Object.keys(named)];
  if (name === '' || !known.includes(name))
    return refuse([
      `ugc ${first} takes one of ${known.join(', ')}${name === '' ? '' : `, not ${name}${hintOf(name, known)}`}; see ugc help ${first}`,
    ]);
  return perform(`${first} ${name}`, named[name]!, at < 0 ? argv.slice(1) : argv.slice(1).toSpliced(at - 1, 1));
}

const isCommand = (named: Command | Readonly<Record<string, Command>>): named is Command =>
  typeof named.run === 'function';

async function server(argv: readonly string[]): Promise<Exit> {
  endWithParent(process.env[followedParent]);
  const { settings, args } = splitArguments(argv, {});
  const result = readConfig({ flags: settings, env: process.env });
  const [stray] = args;
  if (!result.ok) return refuse(result.problems);
  if (stray !== undefined)
    return refuse([`${stray.split('=', 1)[0]} is not understood; settings are given as --name=value`]);
  return serve({
    config: result.config,
    version: packageJson.version,
    warnings: shownSecretsOf(settings),
    supervisor: startedBy(),
  });
}

/** Who wants to know how this process is. */
function startedBy() {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: watchdogUs } = process.env;
  return supervisorOf({ socket, watchdogUs });
}

/** What a child of ours is started with: it is we who are looked after. */
function envOfChildren() {
  const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, ...env } = process.env;
  return { ...env, [followedParent]: String(process.pid) };
}

/** Who has callers before who moves what they sent. */
function rolesInOrder(config: Config): readonly string[] {
  const meant = rolesOf(config).map(({ name }) => name);
  return (['ingest', 'content', 'etl', 'archive'] as const).filter(role => meant.includes(role));
}

/** Its own flags and the settings, wrong ones of both told at once. */
async function perform(name: string, command: Command, typed: readonly string[]): Promise<Exit> {
  const { own, settings, args } = splitArguments(typed, command.flags);
  const flags = readFlags(command.flags, own);
  const config = readConfig({ flags: settings, env: process.env, alsoFlags: Object.keys(command.flags).map(flagName) });
  const { NO_COLOR: noColour, TERM: terminal } = process.env;
  const colours = (noColour ?? '') === '' && terminal !== 'dumb';
  if (flags.ok && !config.ok && command.misread !== undefined)
    return command.misread({ args, flags: flags.values, problems: config.problems, colours });
  if (!flags.ok || !config.ok) return refuse([flags, config].flatMap(result => (result.ok ? [] : result.problems)));
  const run = () => command.run({ args, flags: flags.values, config: config.config, settings, colours });
  const change = changes[name];
  if (change === undefined || change.unless?.some(flag => flags.values[flag] === true)) return run();
  return audited({ name, change, config: config.config, typed, sudoUser: process.env.SUDO_USER }, run);
}

function help(topic: string | undefined): Exit {
  if (topic === undefined) return print(generalHelp());
  if (topic === 'config') return print(configHelp());
  const text = commandHelp(topic);
  return text === undefined ? refuse([`there is no help on ${topic}; see ugc help`]) : print(text);
}

function print(text: string): Exit {
  writeOut(`${text}\n`);
  return 0;
}

function refuse(problems: readonly string[]): Exit {
  for (const problem of problems) say(`ugc: ${problem}`);
  return 2;
}

/** What a shell says of a program that a closed pipe has ended: 128 + SIGPIPE. */
const pipeClosed = 141;

function failed(error: unknown): number {
  if (error instanceof OutputError && error.isClosed) return pipeClosed;
  const isExpected = error instanceof PipelineError || error instanceof OutputError;
  say(`ugc: ${isExpected ? messageOf(error) : ((error as Error).stack ?? messageOf(error))}`);
  return 1;
}

growThreadPool(process.env.UV_THREADPOOL_SIZE); // before anything uses the pool
separateEnvironment(Object.keys(process.env));
// The runtime would ask the instance on this very machine, and a ClickHouse beside it, through the company's proxy.
for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy']) delete process.env[name];
void main(process.argv.slice(2))
  .catch(failed)
  .then(code => process.exit(code));
