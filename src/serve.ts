// The server: configuration → shared parts → roles → the HTTP front → signals → everything closed in reverse. Wiring only.

import { resolve } from 'node:path';
import { isatty } from 'node:tty';
import type { Supervisor } from './adapters/linux/supervisor.ts';
import type { Config } from './config/config.ts';
import { plainHopsOf } from './config/plain-hops.ts';
import { keptOf } from './http/client-address.ts';
import { type Server, startServer } from './http/server.ts';
import { listening } from './process/address.ts';
import { endAtBugs, endOf, outliveHangups, signalled } from './process/ending.ts';
import { greet } from './process/greeting.ts';
import { urlOf } from './process/instance.ts';
import {
  type LoggedRequests,
  type Logs,
  logWarnings,
  type Metrics,
  openLogs,
  openMetrics,
} from './process/telemetry.ts';
import { type Door, openDoor } from './roles/door.ts';
import { roles as everyRole, rolesOf } from './roles/list.ts';
import { openOtlp } from './roles/otlp.ts';
import { openParts } from './roles/parts.ts';
import type { Ready, Role, RoleDefinition } from './roles/role.ts';
import type { Stream } from './roles/stream.ts';
import { openTls, type Tls } from './roles/tls.ts';

export interface ServeOptions {
  readonly config: Config;
  /** Of ugc. */
  readonly version: string;
  readonly roles?: readonly RoleDefinition[];
  /** On how it was started. */
  readonly warnings?: readonly string[];
  /** Who started it, where they want to know how it is. */
  readonly supervisor?: Supervisor | null;
}

/** Resolves with the exit code once the process may end. */
export async function serve({
  config,
  version,
  roles = everyRole,
  warnings = [],
  supervisor = null,
}: ServeOptions): Promise<0 | 1> {
  endAtBugs();
  const logs = openLogs({ level: config.logLevel, requests: requestsToLog(config) });
  const { logger } = logs;
  const opened: Closing[] = [];
  try {
    const signal = signalled(logs); // from the first moment on
    logWarnings(logger);
    for (const words of warnings) logger.warn(words);
    outliveHangups(logs, config.schemasDir === '' ? 'nothing' : 'event types');
    const { broken } = await start({ config, version, roles, logs, opened });
    supervisor?.ready();
    const reason = await Promise.race([signal, broken]);
    supervisor?.stopping();
    const failure = await endOf(config.shutdownTimeoutMs, closeAll(opened, logs));
    if (failure !== null)
      logger.error({ reason: failure }, 'stopped before everything was closed; nothing acked is lost');
    else logger.info({ reason }, 'stopped');
    return reason.startsWith('SIG') ? 0 : 1;
  } catch (error) {
    await endOf(config.shutdownTimeoutMs, closeAll(opened, logs));
    throw error;
  } finally {
    await logs.close();
  }
}

function requestsToLog({ requestLog, requestLogShare, requestLogSlowMs }: Config): LoggedRequests {
  return { share: requestLog ? requestLogShare : 0, slowMs: requestLog ? requestLogSlowMs : null };
}

export type Closing = Pick<Role, 'close'>;

interface Starting extends Required<Omit<ServeOptions, 'warnings' | 'supervisor'>> {
  readonly logs: Logs;
  /** What has to be closed, in the order it was opened. */
  readonly opened: Closing[];
}

export interface Started {
  readonly server: Server;
  /** Resolves, with the reason, when the process cannot go on. */
  readonly broken: Promise<string>;
}

/** Opens everything. */
export async function start({ config, version, roles, logs, opened }: Starting): Promise<Started> {
  const startedAt = performance.now();
  const metrics = openMetrics();
  const broken = Promise.withResolvers<string>();
  const active = rolesOf(config, roles);
  const { parts, shared, stream } = await openParts({
    config,
    version,
    logs,
    metrics,
    roles: active,
    onBroken: broken.resolve,
  });
  opened.push(shared);
  opened.push(stream);
  const isShut = active.every(role => role.hasNoCallers === true);
  const door = openDoor({
    config,
    isShut,
    logger: logs.logger,
    metrics,
  });
  opened.push(door);
  const tls = openTls(config, logs.logger, metrics);
  opened.push(tls);
  const open: Role[] = [shared, stream, door, tls];
  for (const definition of active) {
    const role = await definition.open(parts);
    open.push(role);
    opened.push(role);
  }
  for (const role of open) void role.broken?.then(broken.resolve);
  const front = startFront({ config, version, door, isShut, tls, stream, roles: open, logs, metrics });
  opened.push(front);
  parts.catalogue.watch();
  process.on('SIGHUP', parts.catalogue.look);
  opened.push(parts.catalogue);
  const { server } = front;
  const scrape = () => scrapeAll(open);
  const exported = openOtlp({ config, version, metrics, scrape, logger: logs.logger });
  if (exported !== null) opened.push(exported);
  const names = active.map(({ name }) => name);
  for (const words of plainHopsOf(config)) logs.logger.warn(words);
  const told: Ready = Object.assign({}, ...open.map(({ ready }) => ready));
  const startMs = Math.round(performance.now() - startedAt);
  const about = {
    version,
    roles: names,
    ...urlsOf(config, server),
    ...told,
    data_dir: resolve(config.dataDir),
    start_ms: startMs,
  };
  if (isatty(2)) greet(about);
  if (!(isatty(1) && isatty(2))) logs.logger.info(about, 'ready'); // not twice to the same eyes
  return { server, broken: broken.promise };
}

function urlsOf({ host, tlsCert, adminPort, adminTls }: Config, server: Server) {
  const scheme = tlsCert === '' ? 'http' : 'https';
  const adminScheme = adminPort < 0 || adminTls ? scheme : 'http';
  return {
    url: urlOf(host, server.port, scheme),
    admin: urlOf(host, server.adminPort, adminScheme),
    ...(server.redirectPort >= 0 && { redirect: urlOf(host, server.redirectPort) }),
  };
}

interface FrontOptions extends Pick<Starting, 'config' | 'version' | 'logs'> {
  readonly door: Door;
  /** No role lets anybody do anything. */
  readonly isShut: boolean;
  readonly tls: Tls;
  readonly stream: Stream;
  readonly roles: readonly Role[];
  readonly metrics: Metrics;
}

/** Throws `config_invalid` when it cannot listen. */
function startFront({
  config,
  version,
  door,
  isShut,
  tls,
  stream,
  roles,
  logs,
  metrics,
}: FrontOptions): Closing & { readonly server: Server } {
  const { host, port, adminPort } = config;
  const health = () => ({
    ready: roles.every(role => role.isReady?.() !== false),
    detail: Object.assign({}, ...roles.map(role => role.problems?.())),
  });
  const scrape = () => scrapeAll(roles);
  const server = listening({ host, port, what: '', remedy: 'set UGC_HOST or UGC_PORT' }, () =>
    startServer({
      host,
      port,
      adminPort,
      version,
      routes: roles.flatMap(role => role.routes ?? []),
      guards: door.guards,
      admit: door.admit,
      crossOrigin: door.crossOrigin,
      isTrusted: config.trustedProxies?.has,
      keptAddress: keptOf(config.ip),
      ...(tls.front !== undefined && { tls: tls.front }),
      hint: hintOf(roles),
      requestsBytesMax: config.requestsBytesMax,
      connectionsMax: config.connectionsMax,
      api: () => roles.flatMap(role => role.api?.() ?? []),
      graceMs: config.shutdownTimeoutMs / 3,
      tools: stream.tools({ door: isShut ? 'none' : door.guards.length === 0 ? 'open' : 'asked', scrape, health }),
      health,
      scrape,
      metrics,
      logs,
    }),
  );
  return {
    server,
    close: () => {
      for (const role of roles) role.finish?.();
      return server.stop();
    },
  };
}

async function scrapeAll(roles: readonly Role[]): Promise<void> {
  for (const role of roles) await role.scrape?.();
}

/** Where to go, for a client that asks for what is not there. */
function hintOf(roles: readonly Role[]): (port: 'here' | number) => string {
  const hint = roles.map(role => role.hint).find(words => words !== undefined);
  if (hint === undefined) return () => 'this process takes no events: it has no ingest role (UGC_ROLE)';
  return port => (port === 'here' ? hint : `this is the port for health and metrics, ${hint} on port ${port}`);
}

/** In reverse order; what cannot be closed keeps nothing else open. */
export async function closeAll(opened: Closing[], { logger }: Logs): Promise<void> {
  for (let part = opened.pop(); part !== undefined; part = opened.pop())
    await part.close().catch(error => logger.error({ err: error }, 'something could not be closed'));
}
