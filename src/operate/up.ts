// `ugc up`: each role as a process of its own on this machine, kept running, so that one of them dies alone.

import type { Supervisor } from '../adapters/linux/supervisor.ts';
import type { Config } from '../config/config.ts';
import { PipelineError } from '../errors.ts';
import { type ChildProcess, runChildren } from '../process/children.ts';
import { openLogs } from '../process/telemetry.ts';
import { command, type Exit } from './arguments.ts';
import { say } from './output.ts';

export interface UpWiring {
  /** Of those that the settings mean, in the order in which they stop: who takes events before who moves them. */
  readonly rolesOf: (config: Config) => readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly supervisor: () => Supervisor | null;
}

/** Who has callers stops first, and has the port of the settings; the others follow. */
const inFront = ['ingest', 'content'];

/** More than a child takes by itself. */
const graceMs = 5_000;

export const upCommand = ({ rolesOf, env, supervisor: openSupervisor }: UpWiring) =>
  command({}, async ({ args, config, settings }): Promise<Exit> => {
    if (args[0] !== undefined) {
      say(`ugc: ${args[0]} is not understood; see ugc help up`);
      return 2;
    }
    const roles = rolesOf(config);
    const logs = openLogs({ level: config.logLevel, requests: { share: 0, slowMs: null } });
    const { logger } = logs;
    const children = roles.map(role => ({ ...processOf(role, roles.indexOf(role), config, settings), role }));
    const groups = [
      children.filter(({ role }) => inFront.includes(role)),
      children.filter(({ role }) => !inFront.includes(role)),
    ];
    const running = runChildren({ groups, env, stopMsMax: config.shutdownTimeoutMs + graceMs, logger });
    const supervisor = openSupervisor();
    supervisor?.ready();
    let isStopping = false;
    for (const name of ['SIGTERM', 'SIGINT'] as const)
      process.on(name, () => {
        supervisor?.stopping();
        logger.info({ signal: name }, isStopping ? 'ending at once' : 'stopping; a second signal ends at once');
        if (isStopping) running.killAll();
        else running.stop();
        isStopping = true;
      });
    process.on('SIGHUP', running.reload);
    const exit = await running.ended;
    await logs.close();
    return exit;
  });

/** With a port of its own: that of the settings for the first, the next ones for the others. Throws `config_invalid`. */
function processOf(
  role: string,
  place: number,
  { port, adminPort }: Config,
  settings: readonly string[],
): ChildProcess {
  const own = settings.filter(flag => !/^--(role|port|admin-port)(=|$)/.test(flag));
  const ports = [
    `--port=${portAt(port, place)}`,
    ...(adminPort > 0 ? [`--admin-port=${portAt(adminPort, place)}`] : []),
  ];
  return { name: role, command: [process.execPath, `--role=${role}`, ...ports, ...own] };
}

function portAt(first: number, place: number): number {
  const port = first === 0 ? 0 : first + place;
  if (port > 65_535)
    throw new PipelineError(
      'config_invalid',
      `there is no port ${port}: set UGC_PORT, or UGC_ADMIN_PORT, to a lower one`,
    );
  return port;
}
