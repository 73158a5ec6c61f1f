// The group `disk`: the data folder's volume. What it is, whether it takes a file and how long an fsync takes, what is left,
// and who has the folder open. The only file written has no name any more when it is: a killed doctor leaves nothing.

import { constants } from 'node:fs';
import { access, open, stat, statfs, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileSystemOf, holdersOf } from '../../adapters/linux/volume.ts';
import type { Config } from '../../config/config.ts';
import { bufferFile, clickhouseFolder, contentFile } from '../../process/instance.ts';
import { size } from '../output.ts';
import { type Check, doubtful, type GroupOf, good, wrong } from './check.ts';

const page = 'docs/operate/incidents/disk-full.md';
const hint = 'look at the volume of UGC_DATA_DIR';

export const diskGroup: GroupOf = ({ config, isBeforeStart }) => ({
  name: 'disk',
  probes: [
    { id: 'disk.kind', hint, page, look: async () => [kindOf(await folderOf(config))] },
    { id: 'disk.room', hint, page, look: async () => [await roomOf(await folderOf(config), config)] },
    { id: 'disk.writable', hint, page, look: async () => [await writableOf(await folderOf(config))] },
    { id: 'disk.files', hint, page, look: () => filesOf(config) },
    { id: 'disk.owner', hint, page, look: () => (isBeforeStart ? [freeOf(config)] : [heldOf(config)]) },
  ],
});

/** The data folder, or before the first start the folder it will be made in. */
async function folderOf({ dataDir }: Config): Promise<string> {
  for (let at = resolve(dataDir); ; at = dirname(at)) if (at === dirname(at) || (await isFolder(at))) return at;
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    found => found.isDirectory(),
    () => false,
  );

/** In memory: a restart of the machine, or of the container, takes it along. */
const volatile = new Set(['tmpfs', 'ramfs']);
const distant = /^(nfs|cifs|smb|9p|fuse|ceph|gluster|virtiofs)/;

function kindOf(folder: string): Check {
  const kind = fileSystemOf(folder);
  const id = 'disk.kind';
  if (kind === null)
    return doubtful(id, {
      seen: `what ${folder} lies on cannot be told here`,
      follows: 'nobody knows whether what is written there outlives the machine',
      hint,
      page,
    });
  if (volatile.has(kind))
    return wrong(id, {
      seen: `${folder} lies in memory (${kind})`,
      follows: 'events that were answered 200 are gone when the machine or the container ends',
      hint: 'set UGC_DATA_DIR to a folder on a disk',
      page: 'docs/operate/buffer.md',
    });
  if (kind === 'overlay')
    return doubtful(id, {
      seen: `${folder} lies in the container's own layer (overlay)`,
      follows: 'it is gone when the container is removed',
      hint: 'mount a volume there, or set UGC_DATA_DIR to one',
      page: 'docs/operate/deploy.md',
    });
  if (distant.test(kind))
    return doubtful(id, {
      seen: `${folder} lies on another machine (${kind})`,
      follows: 'locks and fsync are what that file system makes of them; two processes could take the folder at once',
      hint: 'set UGC_DATA_DIR to a folder on a disk of this machine',
      page: 'docs/operate/buffer.md',
    });
  return good(id, `${folder} lies on ${kind}`);
}

/** Above the reserve: below so much, or so small a part of the volume, an operator should know. */
const scarceBytes = 2 ** 30;

async function roomOf(folder: string, config: Config): Promise<Check> {
  const { bavail, bsize, blocks } = await statfs(folder);
  const [free, all, reserve] = [bavail * bsize, blocks * bsize, config.bufferDiskReserveBytes];
  const seen = `${size(free)} free of ${size(all)}; the last ${size(reserve)} are kept free (UGC_BUFFER_DISK_RESERVE_BYTES)`;
  const id = 'disk.room';
  if (free <= reserve)
    return wrong(id, {
      seen,
      follows: 'the disk buffer takes nothing: what the broker does not take is answered 503',
      hint: 'make room on that volume, or enlarge it; it goes on by itself',
      page,
    });
  if (free - reserve < scarceBytes)
    return doubtful(id, {
      seen,
      follows: `the disk buffer may take ${size(free - reserve)} more, then events are answered 503`,
      hint: 'make room on that volume, or enlarge it',
      page,
    });
  return good(id, seen);
}

const slowMs = 100;
const probeBytes = 4096;

async function writableOf(folder: string): Promise<Check> {
  const id = 'disk.writable';
  const path = join(folder, `.ugc-doctor-${process.pid}`);
  try {
    const file = await open(path, 'wx');
    try {
      await unlink(path);
      let took = 0;
      for (let tries = 0; tries < 3; tries++) {
        await file.write(new Uint8Array(probeBytes), 0, probeBytes, 0);
        const at = performance.now();
        await file.sync();
        took = Math.max(took, performance.now() - at);
      }
      const seen = `${whoami()} can write to ${folder}; the slowest of 3 fsyncs took ${took.toFixed(1)} ms`;
      if (took < slowMs) return good(id, seen);
      const follows = 'every answer from the disk buffer waits for one';
      return doubtful(id, { seen, follows, hint: 'look for what keeps the disk busy, or use a faster one', page });
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const isFull = code === 'ENOSPC' || code === 'EDQUOT';
    const mayList = await access(folder, constants.R_OK).then(
      () => true,
      () => false,
    );
    return wrong(id, {
      seen: `${folder} takes no file from ${whoami()}: ${message}`,
      follows: isFull ? 'no event can be stored on the disk' : 'ugc does not start as this user',
      hint: isFull
        ? 'make room on that volume'
        : `give the folder to the user ugc runs as: chown -R ${process.getuid?.() ?? 'USER'} ${folder}${mayList ? '' : ', which it cannot read either'}`,
      page: isFull ? page : 'docs/operate/deploy.md',
    });
  }
}

/** What the instance writes to. An earlier start by another user has left it to that one. */
async function filesOf({ dataDir }: Config): Promise<readonly Check[]> {
  const buffer = bufferFile(dataDir);
  const written = [buffer, `${buffer}-wal`, `${buffer}-shm`, contentFile(dataDir), clickhouseFolder(dataDir)];
  const foreign: string[] = [];
  for (const path of written) if (await isForeign(path)) foreign.push(path);
  const [first] = foreign;
  if (first === undefined) return [];
  const owner = await stat(first).then(
    ({ uid }) => ` of user ${uid}`,
    () => '',
  );
  return [
    wrong('disk.files', {
      seen: `${whoami()} may not write ${foreign.map(path => basename(path)).join(', ')}${owner} in ${resolve(dataDir)}`,
      follows: 'ugc does not start as this user',
      hint: `start it as the user it was started as before, or give the files to this one: chown -R ${process.getuid?.() ?? 'USER'} ${resolve(dataDir)}`,
      page: 'docs/operate/deploy.md',
    }),
  ];
}

/** There, and not for this user to write. */
const isForeign = (path: string): Promise<boolean> =>
  access(path, constants.R_OK | constants.W_OK).then(
    () => false,
    ({ code }: NodeJS.ErrnoException) => code === 'EACCES' || code === 'EPERM',
  );

/** A container's user may have no name. */
const whoami = (): string => `user ${process.getuid?.() ?? '?'}`;

function heldOf(config: Config): Check {
  const held = holdersIn(config);
  return good('disk.owner', held.length === 0 ? 'no process has the data folder open' : `open in ${namesOf(held)}`);
}

function freeOf(config: Config): Check {
  const held = holdersIn(config);
  if (held.length === 0) return good('disk.owner', 'no other process has the data folder open');
  return doubtful('disk.owner', {
    seen: `the data folder is open in ${namesOf(held)}`,
    follows: 'two processes can share the buffer of one folder, but not its embedded ClickHouse',
    hint: 'end that process first, or set UGC_DATA_DIR to another folder',
    page: 'docs/operate/deploy.md',
  });
}

const holdersIn = ({ dataDir }: Config): readonly number[] => [
  ...new Set([bufferFile(dataDir), join(clickhouseFolder(dataDir), 'status')].flatMap(holdersOf)),
];

const namesOf = (pids: readonly number[]): string =>
  pids.map(pid => (pid === 0 ? 'a process of another container' : `process ${pid}`)).join(', ');
