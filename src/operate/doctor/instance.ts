// The instance that runs with these settings, asked over HTTP at the port they name: its readiness in words, and its
// metrics twice, so that what grows can be told from what is only large.

import { readFileSync } from 'node:fs';
import type { Config } from '../../config/config.ts';
import { spellHostPort } from '../../process/address.ts';

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
    const labels = Object.fromEntries(
      [...labelled.matchAll(labelPattern)].map(([, key, said = '']) => [key, plainLabel(said)]),
    );
    const known = samples.get(name) ?? [];
    known.push({ labels, value: Number(value) });
    samples.set(name, known);
  }
  return samples;
}

const plainLabel = (said: string): string => said.replaceAll(/\\(.)/g, (_, one: string) => (one === 'n' ? '\n' : one));

/** Of all label values; null = there is no sample. */
export function sumOf(samples: Samples, name: string): number | null {
  const found = samples.get(name);
  return found === undefined ? null : found.reduce((sum, { value }) => sum + value, 0);
}
