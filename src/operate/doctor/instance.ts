// The instance that runs with these settings, asked over HTTP at the port they name: its readiness in words, and its
// metrics twice, so that what grows can be told from what is only large.

import { readFileSync } from 'node:fs';
import type { Config } from '../../config/config.ts';
import { spellHostPort } from '../../process/address.ts';
import { type Check, doubtful, type GroupOf, good, wrong } from './check.ts';

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** By name. */
export type Samples = ReadonlyMap<string, readonly Sample[]>;

export interface Instance {
  readonly url: string;
  /** An event could be stored durably. */
  readonly isReady: boolean;
  /** What does not work, in its words, by part. */
  readonly troubles: Readonly<Record<string, string>>;
  readonly now: Samples;
  /** A moment later. Null: it has ended meanwhile. */
  readonly later: Promise<Samples | null>;
}

const askMsMax = 3_000;
const laterMs = 1_500;

/** Null: nobody of ours answers there. Never rejects. */
export async function instanceOf(config: Config): Promise<Instance | null> {
  const url = adminUrlOf(config);
  try {
    const response = await fetch(`${url}/healthz/ready`, askingOf(config));
    const said = (await response.json()) as { readonly status?: unknown; readonly detail?: unknown };
    if (said.status !== 'ready' && said.status !== 'not ready') return null;
    const now = await samplesAt(url, config);
    if (now === null) return null;
    const later = Bun.sleep(laterMs).then(() => samplesAt(url, config));
    return { url, isReady: said.status === 'ready', troubles: (said.detail ?? {}) as Instance['troubles'], now, later };
  } catch {
    return null;
  }
}

export function adminUrlOf({ host, port, adminPort, tlsCert, adminTls }: Config): string {
  const isOwn = adminPort >= 0;
  const scheme = tlsCert !== '' && (!isOwn || adminTls) ? 'https' : 'http';
  const near = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `${scheme}://${spellHostPort({ host: near, port: isOwn ? adminPort : port })}`;
}

/** Of this machine, or as near: its certificate is for the names that clients use. */
const askingOf = ({ tlsCert, tlsKey, tlsClientCa }: Config): BunFetchRequestInit => ({
  signal: AbortSignal.timeout(askMsMax),
  tls: {
    rejectUnauthorized: false,
    // Its own certificate is as good as any where clients have to show one; whether it is taken, the authorities say.
    ...(tlsClientCa !== '' && { cert: readFileSync(tlsCert, 'utf8'), key: readFileSync(tlsKey, 'utf8') }),
  },
});

async function samplesAt(url: string, config: Config): Promise<Samples | null> {
  try {
    const response = await fetch(`${url}/metrics`, askingOf(config));
    return response.ok ? samplesIn(await response.text()) : null;
  } catch {
    return null;
  }
}

const linePattern = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/;
const labelPattern = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** Prometheus' text format: https://prometheus.io/docs/instrumenting/exposition_formats/ */
export function samplesIn(text: string): Samples {
  const samples = new Map<string, Sample[]>();
  for (const line of text.split('\n')) {
    const [, name = '', labelled = '', value = ''] = linePattern.exec(line) ?? [];
    if (name === '') continue;
    const labels = Object.fromEntries([...labelled.matchAll(labelPattern)].map(([, key, said]) => [key, said]));
    const known = samples.get(name) ?? [];
    known.push({ labels, value: Number(value) });
    samples.set(name, known);
  }
  return samples;
}

/** Of all label values; null = there is no sample. */
export function sumOf(samples: Samples, name: string): number | null {
  const found = samples.get(name);
  return found === undefined ? null : found.reduce((sum, { value }) => sum + value, 0);
}

/** Parts that have a group of their own say it there. */
const toldElsewhere = /^aggregate |^buffer$|^archive|^content|^tls$|^jwt$|^clock$/;

const pages: Readonly<Record<string, string>> = {
  kafka: 'docs/operate/incidents/kafka-down.md',
  clickhouse: 'docs/operate/incidents/clickhouse-down.md',
  schemas: 'docs/operate/incidents/broken-schema.md',
  keys: 'docs/operate/keys.md',
  rules: 'docs/operate/rules.md',
  geoip: 'docs/operate/clients.md',
};

export const instanceGroup: GroupOf = ({ config, isBeforeStart, instance }) =>
  isBeforeStart
    ? null
    : {
        name: 'instance',
        probes: [
          {
            id: 'instance.answers',
            hint: 'look at its log',
            look: async () => checksOf(await instance, adminUrlOf(config)),
          },
        ],
      };

function checksOf(instance: Instance | null, url: string): readonly Check[] {
  if (instance === null)
    return [
      doubtful('instance.answers', {
        seen: `no ugc answers at ${url}`,
        follows: 'what only a running instance knows is not looked at',
        hint: 'start it, or give doctor the settings it has (UGC_HOST, UGC_PORT, UGC_ADMIN_PORT)',
        page: 'docs/operate/deploy.md',
      }),
    ];
  const { isReady, troubles } = instance;
  const readiness = isReady
    ? good('instance.ready', `${instance.url} is ready: an event could be stored now`)
    : wrong('instance.ready', {
        seen: `${instance.url} is not ready`,
        follows: 'events are answered 503, and clients have to send them again',
        hint: 'repair what is named below; it goes on by itself',
        page: 'docs/operate/deploy.md',
      });
  const told = Object.entries(troubles).filter(([part]) => !toldElsewhere.test(part));
  return [
    readiness,
    ...told.map(([part, words]) =>
      wrong(`instance.${part}`, {
        seen: `${part}: ${words}`,
        hint: `see what this says of ${part} in its own group, or look at the instance's log`,
        page: pages[part] ?? 'docs/operate/deploy.md',
      }),
    ),
  ];
}
