// Load for a running ugc: wrk where it is installed, autocannon otherwise. Closed loop, so its p99 is that of a saturated
// server; latency at a given rate is what open-load.ts measures.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catalogue } from '../schemas/catalogue.ts';
import { clientEvent } from '../test/support/events.ts';
import { randomOf } from '../test/support/random.ts';

export interface LoadResult {
  readonly tool: string;
  readonly requestsPerS: number;
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers other than 2xx, and errors. */
  readonly bad: number;
}

/** Those of the documents, and what peers know. */
export const filmTypes: ReadonlySet<string> = new Set([
  'click',
  'page_view',
  'search_filter_use',
  'quality_change',
  'film_watched',
]);

/** `count` bodies of `size` film events each, under their own names, mean 330 bytes an event, ids left to the edge. */
export function bodiesOf(size: number, count: number, types = filmTypes): string[] {
  const random = randomOf('bodies');
  const filmEvent = () => {
    for (;;) {
      const { event_id: _, ...event } = clientEvent(random);
      const type = catalogue.find(event.event_type)!;
      if (types.has(type.name)) return { ...event, event_type: type.name };
    }
  };
  return Array.from({ length: count }, () => {
    const events = Array.from({ length: size }, filmEvent);
    return JSON.stringify(size === 1 ? events[0] : events);
  });
}

export interface LoadOptions {
  readonly url: string;
  /** What of the address is not the server. */
  readonly path?: string;
  readonly bodies: readonly string[];
  /** Beside the content type. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly seconds: number;
}

export const load = (options: LoadOptions): Promise<LoadResult> =>
  Bun.which('wrk') === null ? withAutocannon(options) : withWrk(options);

async function withWrk(options: LoadOptions): Promise<LoadResult> {
  const { url, path = '/v1/events', bodies, headers = {}, connections, seconds } = options;
  const script = join(mkdtempSync(join(tmpdir(), 'ugc-bench-')), 'post.lua');
  const set = Object.entries(headers).map(([name, value]) => `  wrk.headers["${name}"] = [==[${value}]==]`);
  const quoted = bodies.map(body => `[==[${body}]==]`).join(',\n');
  writeFileSync(
    script,
    `local bodies = {${quoted}}
local requests, at = {}, 0
function init()
  wrk.method = "POST"
  wrk.headers["content-type"] = "application/json"
${set.join('\n')}
  for i, body in ipairs(bodies) do requests[i] = wrk.format(nil, nil, nil, body) end
end
function request() at = at % #requests + 1; return requests[at] end
function done(s, latency)
  local bad = s.errors.connect + s.errors.read + s.errors.write + s.errors.status + s.errors.timeout
  print(string.format("RESULT %d %d %d %d %d", s.requests, s.duration, latency:percentile(50), latency:percentile(99), bad))
end`,
  );
  const child = Bun.spawn(['wrk', '-t1', `-c${connections}`, `-d${seconds}`, '-s', script, url + path], {
    stdout: 'pipe',
  });
  const text = await new Response(child.stdout).text();
  const [requests, us, p50, p99, bad] = (/RESULT (.*)/.exec(text)?.[1] ?? '').split(' ').map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return { tool: 'wrk', requests, requestsPerS: requests / (us / 1e6), p50Ms: p50 / 1000, p99Ms: p99 / 1000, bad };
}

async function withAutocannon(options: LoadOptions): Promise<LoadResult> {
  const { url, path = '/v1/events', bodies, headers = {}, connections, seconds } = options;
  const { default: autocannon } = await import('autocannon');
  const result = await autocannon({
    url: url + path,
    connections,
    duration: seconds,
    requests: bodies.map(body => ({
      method: 'POST' as const,
      headers: { 'content-type': 'application/json', ...headers },
      body,
    })),
  });
  return {
    tool: 'autocannon',
    requests: result['2xx'],
    requestsPerS: result['2xx'] / result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    bad: result.non2xx + result.errors + result.timeouts,
  };
}
