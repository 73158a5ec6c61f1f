// Class-data sharing of Java (JEP 350): a server's classes as they are once loaded, in a file beside its jars. A server that
// tests start a hundred times takes half the CPU time for it. The file is made once, by a run of the server that ends in order;
// a Java that cannot use it starts as ever.

import { existsSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { eventually } from './until.ts';

/**
 * Flags for Java with this folder's jars as its class path; none where there can be no such file. `train` runs the server with
 * the flags it is given until it answers, and ends it by `endInOrder`.
 */
export async function classArchive(
  jars: string,
  train: (flags: readonly string[]) => Promise<void>,
): Promise<readonly string[]> {
  const java = realpathSync(Bun.which('java')!);
  const file = `${jars}.${Bun.hash(`${java} ${statSync(java).mtimeMs}`).toString(36)}.jsa`;
  if (!existsSync(file)) await make(file, train);
  // Empty: it was tried.
  return statSync(file).size === 0 ? [] : [`-XX:SharedArchiveFile=${file}`, '-Xlog:cds*=off'];
}

async function make(file: string, train: (flags: readonly string[]) => Promise<void>): Promise<void> {
  console.log(`starting a server once, to keep its loaded classes in ${file}`);
  const own = `${file}.${process.pid}`;
  try {
    await train([`-XX:ArchiveClassesAtExit=${own}`, '-Xlog:cds*=off']);
    renameSync(own, file); // of two tests that do it at once the later one's stays
  } catch (error) {
    console.log(`that could not be done, and it starts slower: ${error}`);
    rmSync(own, { force: true });
    writeFileSync(file, '');
  }
}

/** SIGTERM. Resolves when the process is gone. */
export async function endInOrder(pid: number): Promise<void> {
  process.kill(pid, 'SIGTERM');
  await eventually(() => !isThere(pid), { what: 'the server has ended', msMax: 60_000 });
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
