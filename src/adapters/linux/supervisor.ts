// What systemd is told of a service of Type=notify (sd_notify(3)): datagrams to the socket it names in NOTIFY_SOCKET. A unit
// that waits for `ready` is started once events are taken, not once the process is there; with WatchdogSec it has to be
// heard of now and then, and is started again if it is not.

import { dlopen, ptr } from 'bun:ffi';

export interface Supervisor {
  ready(): void;
  /** Not heard of any more, but for being at its end. */
  stopping(): void;
}

export interface SupervisorOptions {
  /** NOTIFY_SOCKET: a path, or @ and a name that is in no file system. Undefined: nobody wants to know. */
  readonly socket: string | undefined;
  /** WATCHDOG_USEC, microseconds: heard of no more for so long, it is started again. */
  readonly watchdogUs: string | undefined;
}

const afUnix = 1;
const sockDgram = 2;
const sockCloexec = 0o2000000;
const dontWait = 0x40;
/** sun_path of unix(7). */
const pathBytesMax = 108;

/** Null where nobody wants to know, or cannot be told. */
export function supervisorOf({ socket, watchdogUs }: SupervisorOptions): Supervisor | null {
  if (socket === undefined || !/^[/@]/.test(socket) || process.platform !== 'linux') return null;
  const tell = tellerOf(socket);
  if (tell === null) return null;
  const watchdogMs = Number(watchdogUs ?? 0) / 1_000;
  let pings: ReturnType<typeof setInterval> | undefined;
  return {
    ready() {
      tell('READY=1');
      // From the thread that answers: one that hangs is not heard of.
      if (watchdogMs > 0) pings = setInterval(() => tell('WATCHDOG=1'), watchdogMs / 3);
    },
    stopping() {
      clearInterval(pings);
      tell('STOPPING=1');
    },
  };
}

function tellerOf(socket: string): ((state: string) => void) | null {
  const path = Buffer.from(socket);
  if (path.length >= pathBytesMax) return null;
  if (socket.startsWith('@')) path[0] = 0;
  const { i32, ptr: pointer, u32, u64 } = { i32: 'i32', ptr: 'ptr', u32: 'u32', u64: 'u64' } as const;
  const { socket: open, sendto } = dlopen('libc.so.6', {
    socket: { args: [i32, i32, i32], returns: i32 },
    sendto: { args: [i32, pointer, u64, i32, pointer, u32], returns: 'i64' },
  }).symbols;
  const fd = open(afUnix, sockDgram | sockCloexec, 0);
  if (fd < 0) return null;
  const address = Buffer.concat([Buffer.from(new Uint16Array([afUnix]).buffer), path]);
  return state => {
    const bytes = Buffer.from(state);
    // A supervisor that does not read is not waited for.
    sendto(fd, ptr(bytes), bytes.length, dontWait, ptr(address), address.length);
  };
}
