// The vocabulary of the chaos tests: what can go wrong, as faults with a beginning and an end. Here those that every test
// can meet: of the brokers' processes, of a network, of the disk, of the edge. A deck deals them, so that each kind comes
// as often as the others and none is left out.

import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FailingReads } from './failing-reads.ts';
import { freeze, thaw } from './freeze.ts';
import type { ClusterNode, TestCluster } from './kafka-cluster.ts';
import type { Random } from './random.ts';
import type { SmallDisk } from './small-disk.ts';
import type { TcpProxy } from './tcp-proxy.ts';
import type { UgcLives } from './ugc-lives.ts';

export interface Fault {
  readonly kind: string;
  /** Whom it hits, where there are several; '' = there is one. */
  readonly whom?: string;
  /** It begins when something happens that it waits for. */
  readonly waits?: boolean;
  /** `missed` = it could not be done just now, as what it was to hit was not there. */
  begin(): Promise<unknown> | unknown;
  /** Also after a miss. */
  end(): Promise<unknown> | unknown;
}

export type Make = () => Fault;

export const missed = 'missed';

/** Deals one fault of each kind in random order, then again. */
export function deckOf(random: Random, kinds: readonly Make[]): Make {
  let deck: Make[] = [];
  return () => {
    if (deck.length === 0) deck = [...kinds];
    const [make] = deck.splice(random.between(0, deck.length - 1), 1);
    return make!();
  };
}

export const nameOf = ({ kind, whom = '' }: Fault): string => `${kind} ${whom}`.trim();

/** Those of the processes of brokers, and of the network before them. */
export function brokerFaults({ nodes }: TestCluster, random: Random): readonly Make[] {
  /** Mostly one broker, sometimes all of them. */
  const some = (all = 0.3): readonly ClusterNode[] => (random.next() < all ? nodes : [random.pick(nodes)]);
  const named = (hit: readonly ClusterNode[]) => (nodes.length === 1 ? '' : hit.map(({ id }) => id).join('+'));

  const killed: Make = () => {
    const hit = some(0.15);
    return {
      kind: 'broker killed',
      whom: named(hit),
      begin: () => Promise.all(hit.map(({ kill }) => kill())),
      // Started, not waited for: what comes next may meet it on its way up.
      end: () => Promise.all(hit.map(({ start }) => start())),
    };
  };
  const hung: Make = () => {
    const hit = some();
    return {
      kind: 'broker hung',
      whom: named(hit),
      begin: () => {
        for (const { stop } of hit) stop();
      },
      end: () => {
        for (const { cont } of hit) cont();
      },
    };
  };
  const hitOf = () => {
    const hit = some();
    return { whom: named(hit), proxies: hit.map(({ proxy }) => proxy) };
  };
  return [killed, hung, ...networkFaults({ to: '', random, hitOf })];
}

export interface NetworkOptions {
  /** Where it leads, as the end of the name of a kind; '' = to the brokers. */
  readonly to: string;
  readonly random: Random;
  readonly hitOf: () => { readonly whom: string; readonly proxies: readonly TcpProxy[] };
}

export function networkFaults({ to, random, hitOf }: NetworkOptions): readonly Make[] {
  const bad = (what: string, begin: (proxy: TcpProxy) => void): Make => {
    return () => {
      const { whom, proxies } = hitOf();
      return {
        kind: `${what}${to}`,
        whom,
        begin: () => proxies.forEach(begin),
        end: () => {
          for (const proxy of proxies) proxy.heal();
        },
      };
    };
  };
  return [
    bad('slow', proxy => proxy.delay(random.between(2, 400), random.between(0, 200))),
    bad('cut', proxy => proxy.cut()),
    bad('silent', proxy => proxy.hang()),
    bad('refusing', proxy => proxy.refuse()),
    bad('trickling', proxy => proxy.trickle(random.between(1, 20))),
  ];
}

/** Those of the process that takes events. */
export const edgeFaults = (lives: () => UgcLives): readonly Make[] => [
  () => ({ kind: 'ugc killed', begin: () => lives().next('SIGKILL'), end: () => {} }),
  () => ({ kind: 'ugc stopped', begin: () => lives().next('SIGTERM'), end: () => {} }),
  () => ({
    kind: ugcFrozenName,
    begin: () => freeze(lives().current()),
    end: () => thaw(lives().current()),
  }),
];

/** Somebody else takes the volume, all or nearly all of it. */
export const diskFaults = (disk: SmallDisk, random: Random): readonly Make[] => [
  () => diskFull(disk, random.pick([0, 512 * 1024])),
];

/** The disk of the buffer gives an error for a read now and then, as a network's does; nothing on it is damaged. */
export const readFaults = (reads: FailingReads): readonly Make[] => [
  () => ({ kind: readsFailName, begin: () => reads.fail(80_000), end: () => reads.fail(0) }),
];

function diskFull(disk: SmallDisk, leftBytes: number): Fault {
  const { path } = disk;
  return {
    kind: diskFullName,
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

/** Both at once, one inside the other. */
export const within = (outer: Make, inner: Make): Make => {
  return () => {
    const [first, second] = [outer(), inner()];
    return {
      kind: `${second.kind} while ${first.kind}`,
      begin: async () => {
        await first.begin();
        await second.begin();
      },
      end: async () => {
        await second.end();
        await first.end();
      },
    };
  };
};

export const diskFullName = 'disk full';
export const readsFailName = 'reads of the buffer fail';
export const ugcFrozenName = 'ugc frozen';
