// One AMQP connection and its channels. Nothing here tries again: a connection that is over is over, and whoever had it
// opens another.
// - a server that does not answer while it is connected to is given up after connectTimeoutMs
// - whatever ends a connection or a channel is told once, as a PipelineError

import { type Channel, type ChannelModel, type ConfirmChannel, connect } from 'amqplib';
import { PipelineError } from '../../../errors.ts';
import { timed } from '../../../process/sleep.ts';
import { errorOfRabbitmq } from './error.ts';
import { connectionDefaults, type RabbitmqConnection } from './options.ts';

export interface Opened<C extends Channel> {
  /** Without its own `close`, which never resolves when the connection ends before the server's answer. */
  readonly channel: Omit<C, 'close'>;
  /** Resolves once the channel is over, whoever ended it. */
  readonly over: Promise<PipelineError>;
  /** Resolves once it is over, or after `closeMsMax`. Idempotent. */
  close(): Promise<void>;
}

export interface Connection {
  /** Without the password. */
  readonly address: string;
  /** Why the server takes nothing now, in its words (an alarm); null while it does. */
  blocked(): string | null;
  /** Resolves once it is over, whoever ended it. */
  readonly over: Promise<PipelineError>;
  channel(): Promise<Opened<Channel>>;
  confirmChannel(): Promise<Opened<ConfirmChannel>>;
  /** At once, without a word to the server. */
  drop(error: PipelineError): void;
  /** In words to the server, `closeMsMax` at most. */
  close(): Promise<void>;
}

const closeMsMax = 1_000;

/** Each of the nodes once, beginning with `first`. Rejects with what the last of them said. */
export async function openConnection(options: RabbitmqConnection, first = 0): Promise<Connection> {
  const { urls } = options;
  for (let at = 0; ; at++) {
    const url = urls[(first + at) % urls.length]!;
    try {
      return await openNode(url, options);
    } catch (thrown) {
      if (at >= urls.length - 1) throw errorOfRabbitmq(thrown, 'before sending', addressOf(url));
    }
  }
}

async function openNode(url: string, given: RabbitmqConnection): Promise<Connection> {
  const { tls = {}, connectTimeoutMs, heartbeatSeconds } = { ...connectionDefaults, ...given };
  const address = addressOf(url);
  const opening = connect(withHeartbeat(url, heartbeatSeconds), {
    ...tls,
    noDelay: true,
    keepAlive: true,
    timeout: connectTimeoutMs,
    clientProperties: { connection_name: 'ugc' },
    // Listened to from its first moment on, a late one too: an error that nobody listens to ends the process.
  }).then(model => connectionOver(model, address));
  const late = new PipelineError('log_unavailable', `${address} has not answered within ${connectTimeoutMs} ms`);
  let isLate = false;
  opening.then(
    connection => isLate && connection.drop(late),
    () => {},
  );
  return timed(connectTimeoutMs, opening, () => {
    isLate = true;
    throw late;
  });
}

function connectionOver(model: ChannelModel, address: string): Connection {
  const { promise: over, resolve } = Promise.withResolvers<PipelineError>();
  let blocked: string | null = null;
  let failure: unknown = null;
  let dropped: PipelineError | null = null;
  model.on('blocked', reason => {
    blocked = reason;
  });
  model.on('unblocked', () => {
    blocked = null;
  });
  model.on('error', error => {
    failure = error;
  });
  model.on('close', error => {
    resolve(errorOfRabbitmq(failure ?? error ?? new Error('the connection was closed'), 'sent', address));
  });

  async function opened<C extends Channel>(opening: Promise<C>): Promise<Opened<C>> {
    const channel = await opening;
    const end = Promise.withResolvers<PipelineError>();
    let said: unknown = null;
    channel.on('error', error => {
      said = error;
    });
    channel.on('close', () =>
      end.resolve(errorOfRabbitmq(said ?? dropped ?? failure ?? new Error('the channel was closed'), 'sent', address)),
    );
    void over.then(end.resolve);
    return {
      channel,
      over: end.promise,
      async close() {
        // What is over throws.
        const closing = Promise.try(() => channel.close()).catch(() => {});
        await timed(closeMsMax, Promise.race([closing, end.promise.then(() => {})]), () => {});
      },
    };
  }

  return {
    address,
    blocked: () => blocked,
    over,
    // A connection that is over throws at once, in amqplib's words.
    channel: async () => opened(model.createChannel()),
    confirmChannel: async () => opened(model.createConfirmChannel()),
    drop(error) {
      dropped ??= error;
      resolve(error);
      drop(model);
    },
    async close() {
      const closing = Promise.try(() => model.close()).catch(() => {});
      await timed(closeMsMax, closing, () => {});
      drop(model);
    },
  };
}

/** amqplib has no word for this: its socket is taken from under it, and it notices. */
function drop(model: ChannelModel): void {
  const { stream } = model.connection as unknown as { readonly stream: { destroy(): void } };
  stream.destroy();
}

function withHeartbeat(url: string, seconds: number): string {
  const parsed = new URL(url);
  parsed.searchParams.set('heartbeat', String(seconds));
  return parsed.href;
}

/** For people: no user, no password. */
export function addressOf(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
}
