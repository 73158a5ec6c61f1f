// Which of several listeners on one port gets the new connections. By itself the kernel deals them out by a hash; a
// program of one instruction, "the one with this number" (SO_ATTACH_REUSEPORT_CBPF, socket(7)), is asked instead. It
// needs no privilege. Connections whose handshake has begun stay with the listener they began with.

import { dlopen, ptr } from 'bun:ffi';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const solSocket = 1;
const attachReuseportCbpf = 51;
/** BPF_RET | BPF_K: gives back a constant. */
const retConstant = 0x06;

/**
 * Brings new connections to the port to its listener with this index: they count in the order they came, and where one is
 * closed the last takes its place. False where that cannot be done: not on Linux, or without /proc.
 */
export function steerTo(port: number, index: number): boolean {
  try {
    const [fd] = listenersAt(port);
    return fd !== undefined && attach(fd, index);
  } catch {
    return false;
  }
}

type Setsockopt = (fd: number, level: number, name: number, value: Uint8Array, length: number) => number;
let setsockopt: Setsockopt | null = null;

/** On any socket of the group: the program is the group's. */
function attach(fd: number, index: number): boolean {
  const { i32, ptr: pointer, u32 } = { i32: 'i32', ptr: 'ptr', u32: 'u32' } as const;
  setsockopt ??= dlopen('libc.so.6', {
    setsockopt: { args: [i32, i32, i32, pointer, u32], returns: i32 },
  }).symbols.setsockopt;
  const instruction = new DataView(new ArrayBuffer(8)); // struct sock_filter: code, jt, jf, k
  instruction.setUint16(0, retConstant, true);
  instruction.setUint32(4, index, true);
  const held = new Uint8Array(instruction.buffer);
  const program = new DataView(new ArrayBuffer(16)); // struct sock_fprog: len, filter
  program.setUint16(0, 1, true);
  program.setBigUint64(8, BigInt(ptr(held)), true);
  const value = new Uint8Array(program.buffer);
  return setsockopt(fd, solSocket, attachReuseportCbpf, value, value.length) === 0;
}

const listenState = '0A';

/** Files of this process that listen on the port (proc(5), /proc/net/tcp: local address, state, inode). */
function listenersAt(port: number): readonly number[] {
  const ending = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const sockets = new Set(
    ['tcp', 'tcp6'].flatMap(name =>
      readFileSync(`/proc/self/net/${name}`, 'utf8')
        .split('\n')
        .map(line => line.trim().split(/\s+/))
        .filter(([, local, , state]) => state === listenState && local?.endsWith(ending))
        .map(fields => `socket:[${fields[9]}]`),
    ),
  );
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter(fd => sockets.has(linkOf(fd)));
}

function linkOf(fd: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return ''; // closed meanwhile, as the one this folder was read with
  }
}
