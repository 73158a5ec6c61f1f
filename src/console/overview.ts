// What the process is made of, as the way of an event: which parts there are, what they are called here, and how they are
// by what the process says of itself to /healthz/ready.

import type { FlowPart, Overview } from './answers.ts';

/** One part as this process has it. */
export interface Place {
  readonly id: FlowPart['id'];
  readonly name: string;
  /** Absent from this process; told all the same, that the way is whole. */
  readonly isHere: boolean;
  readonly to: readonly FlowPart['id'][];
  /** What does not work, in words, by part. */
  problems(): Readonly<Record<string, string>>;
  /** It works, and something waits for another. */
  isWaiting?(): Promise<boolean>;
}

export interface About extends Pick<Overview, 'version' | 'commit' | 'roles' | 'auth' | 'may_act'> {
  readonly places: readonly Place[];
  /** Milliseconds since the start. */
  readonly upMs: () => number;
  /** Whether there has been an event yet. */
  readonly hasEvents: () => Promise<boolean>;
  /** Where events are posted, by how this request came. */
  readonly eventsUrl: (request: Request) => string;
}

export async function consoleOverview(about: About, request: Request): Promise<Overview> {
  const { places, upMs, hasEvents, eventsUrl, ...rest } = about;
  const [flow, isSeen] = await Promise.all([Promise.all(places.map(partOf)), hasEvents()]);
  return {
    ...rest,
    up_seconds: Math.floor(upMs() / 1_000),
    events_url: eventsUrl(request),
    flow,
    is_empty: !isSeen,
  };
}

async function partOf({ id, name, isHere, to, problems, isWaiting }: Place): Promise<FlowPart> {
  if (!isHere) return { id, name, state: 'absent', problem: '', to };
  const problem = Object.values(problems()).join('; ');
  if (problem !== '') return { id, name, state: 'failing', problem, to };
  return { id, name, state: (await isWaiting?.()) === true ? 'waiting' : 'ok', problem: '', to };
}

/** `POST /v1/events` as who sent this request would reach it; on another port where events have one of their own. */
export function eventsUrlOf(
  { headers }: Request,
  { scheme, port }: { readonly scheme: string; readonly port: number | null },
): string {
  const host = headers.get('host') ?? '';
  const forwarded = headers.get('x-forwarded-proto')?.split(',')[0]?.trim() ?? '';
  const by = /^https?$/.test(forwarded) ? forwarded : scheme;
  const shown = /^(\[[0-9a-fA-F:.]+\]|[\w.-]+)(:\d{1,5})?$/.exec(host);
  if (shown === null) return '/v1/events';
  return `${by}://${port === null ? host : `${shown[1]}:${port}`}/v1/events`;
}
