// One port over many certificates. The runtime gives a listener its certificate once and for all, so a new one gets a
// listener of its own on the same port (SO_REUSEPORT), and
//
// - new connections are steered to the newest listener from that moment on
// - an older one goes on with the connections it has. Each of its answers closes its connection, idle ones run out, and
//   when there can be none left it is closed. So no connection is lost: to close a listener resets those whose
//   handshake has begun, and idle ones on which a request may just be coming.
//
// Where connections cannot be steered the older one is closed at once, and a few may be cut.

export interface Listener {
  readonly port: number;
  /** Closes connections that neither send nor wait for an answer; says how many. */
  closeIdle(): number;
  /** From now on every answer closes its connection. */
  retire(): void;
  /** Takes no more connections. Resolves when those it has are over. */
  end(): Promise<void>;
  /** The same, cutting them off after the grace of a stop. */
  stop(): Promise<void>;
}

/**
 * Brings new connections to one of the listeners on a port, counted as the kernel does: in the order they came, and where
 * one is closed the last takes its place. False where that cannot be done.
 */
export type Steer = (port: number, index: number) => boolean;

export interface GenerationsOptions {
  /** The port is 0 at the first, and then the one it got. */
  readonly open: (port: number) => Listener;
  readonly port: number;
  readonly steer: Steer;
  /** After so long an older listener can have no idle connection left. */
  readonly drainMs: number;
}

export interface Generations extends Omit<Listener, 'end' | 'retire'> {
  /** Opens a listener, for every connection from now on. Throws when that fails; then all is as before. */
  renew(): void;
}

/** Files and memory for at most so many: of those who renew every second the oldest has to go early. */
const listeningMax = 6;

export function generations({ open, port: asked, steer, drainMs }: GenerationsOptions): Generations {
  let newest = open(asked);
  let isStopped = false;
  const { port } = newest;
  /** In the kernel's order. */
  const listening = [newest];
  const draining = new Map<Listener, Timer>();
  /** They listen no more, and answer the last of what they were asked. */
  const ending = new Set<Listener>();

  function renew(): void {
    if (isStopped) return;
    const before = newest;
    newest = open(port);
    listening.push(newest);
    before.retire();
    if (!steerToNewest()) {
      end(before);
      return;
    }
    const timer = setTimeout(() => end(before), drainMs);
    timer.unref();
    draining.set(before, timer);
    const [oldest] = draining.keys();
    if (listening.length > listeningMax && oldest !== undefined) end(oldest);
  }

  function end(listener: Listener): void {
    clearTimeout(draining.get(listener));
    draining.delete(listener);
    ending.add(listener);
    void listener.end().finally(() => ending.delete(listener));
    const last = listening.pop()!;
    if (last !== listener) listening[listening.indexOf(listener)] = last;
    steerToNewest();
  }

  const steerToNewest = (): boolean => listening.length < 2 || steer(port, listening.indexOf(newest));
  const all = (): Listener[] => [...listening, ...ending];

  return {
    port,
    renew,
    closeIdle: () => all().reduce((sum, { closeIdle }) => sum + closeIdle(), 0),
    stop: async () => {
      isStopped = true;
      for (const timer of draining.values()) clearTimeout(timer);
      draining.clear();
      await Promise.all(all().map(({ stop }) => stop()));
    },
  };
}
