// Everything that can go wrong between a client and Kafka, as faults with a beginning and an end: of the brokers'
// processes, of the network before them, of the disk, of ugc itself. A deck deals them, so that each kind comes as often
// as the others and none is left out.

import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterNode, TestCluster } from './kafka-cluster.ts';
import type { Random } from './random.ts';
import type { SmallDisk } from './small-disk.ts';
import type { UgcLives } from './ugc-lives.ts';

export interface Fault {
  readonly name: string;
  begin(): Promise<unknown> | unknown;
  end(): Promise<unknown> | unknown;
}

export interface FaultsOptions {
  readonly cluster: TestCluster;
  readonly random: Random;
  readonly lives: () => UgcLives;
  /** Where ugc's folder lies; null = there is none that could be filled. */
  readonly disk: SmallDisk | null;
}

type Make = () => Fault;

/** Deals one fault of each kind in random order, then again. */
export function deckOf(options: FaultsOptions): Make {
  const { random } = options;
  const kinds = kindsOf(options);
  let deck: Make[] = [];
  return () => {
    if (deck.length === 0) deck = [...kinds];
    const [make] = deck.splice(random.between(0, deck.length - 1), 1);
    return make!();
  };
}

function kindsOf({ cluster: { nodes }, random, lives, disk }: FaultsOptions): readonly Make[] {
  /** Mostly one broker, sometimes all of them. */
  const some = (all = 0.3): readonly ClusterNode[] => (random.next() < all ? nodes : [random.pick(nodes)]);
  const named = (what: string, hit: readonly ClusterNode[]) => `${what} ${hit.map(({ id }) => id).join('+')}`;

  const ofNetwork = (what: string, begin: (node: ClusterNode) => void): Make => {
    return () => {
      const hit = some();
      return {
        name: named(what, hit),
        begin: () => hit.forEach(begin),
        end: () => {
          for (const { proxy } of hit) proxy.heal();
        },
      };
    };
  };

  const killed: Make = () => {
    const hit = some(0.15);
    return {
      name: named('broker killed', hit),
      begin: () => Promise.all(hit.map(({ kill }) => kill())),
      // Started, not waited for: what comes next may meet it on its way up.
      end: () => Promise.all(hit.map(({ start }) => start())),
    };
  };
  const hung: Make = () => {
    const hit = some();
    return {
      name: named('broker hung', hit),
      begin: () => {
        for (const { stop } of hit) stop();
      },
      end: () => {
        for (const { cont } of hit) cont();
      },
    };
  };
  const ugcKilled: Make = () => ({ name: 'ugc killed', begin: () => lives().next('SIGKILL'), end: () => {} });
  const ugcStopped: Make = () => ({ name: 'ugc stopped', begin: () => lives().next('SIGTERM'), end: () => {} });

  const ugcFrozen: Make = () => ({
    name: ugcFrozenName,
    begin: () => lives().current().kill('SIGSTOP'),
    end: () => lives().current().kill('SIGCONT'),
  });

  return [
    killed,
    hung,
    ofNetwork('slow', ({ proxy }) => proxy.delay(random.between(2, 400), random.between(0, 200))),
    ofNetwork('cut', ({ proxy }) => proxy.cut()),
    ofNetwork('silent', ({ proxy }) => proxy.hang()),
    ofNetwork('refusing', ({ proxy }) => proxy.refuse()),
    ofNetwork('trickling', ({ proxy }) => proxy.trickle(random.between(1, 20))),
    ugcKilled,
    ugcStopped,
    ugcFrozen,
    ...(disk === null ? [] : [() => diskFull(disk, random.pick([0, 512 * 1024]))]),
  ];
}

/** Somebody else takes the volume, all but so many bytes. */
function diskFull(disk: SmallDisk, leftBytes: number): Fault {
  const { path } = disk;
  return {
    name: diskFullName,
    begin: () => {
      const { bavail, bsize } = statfsSync(path);
      try {
        writeFileSync(fillerOf(disk), Buffer.alloc(Math.max(0, Number(bavail) * Number(bsize) - leftBytes)));
      } catch (error) {
        if ((error as { code?: string }).code !== 'ENOSPC') throw error; // ugc took some meanwhile: it is full
      }
    },
    end: () => makeRoom(disk),
  };
}

export const makeRoom = (disk: SmallDisk): void => rmSync(fillerOf(disk), { force: true });

const fillerOf = ({ path }: SmallDisk): string => join(path, 'filler');

export const diskFullName = 'disk full';
export const ugcFrozenName = 'ugc frozen';
