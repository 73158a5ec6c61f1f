// What SDKs in browsers ask for before they send: where to send, and that nothing else is to be done. They tell nothing of
// this server, and ask for no key.

import { PipelineError } from '../../errors.ts';
import { json } from '../../http/answer.ts';
import type { Handler } from '../../http/route.ts';

const noStore = { 'cache-control': 'no-store' };

/** Behind a proxy that ends TLS the browser is to use what it used to come here. */
function originOf(request: Request): { readonly protocol: string; readonly host: string } {
  const forwarded = request.headers.get('x-forwarded-proto')?.split(',', 1)[0]?.trim();
  const own = request.url.startsWith('https:') ? 'https' : 'http';
  const protocol = forwarded === 'https' || forwarded === 'http' ? forwarded : own;
  return { protocol, host: request.headers.get('host') ?? '' };
}

const enabled = { __default: { enabled: true, integrations: {} } };

/** Of analytics.js: `GET /v1/projects/{key}/settings`. */
export const projectSettings: Handler = ({ request, params }) => {
  const { key = '' } = params;
  // It is about to be sent from a page that anybody can read; nor is it to be repeated in an answer.
  if (key.startsWith('ugc_sk_')) throw new PipelineError('bad_request', 'a page sends with a public key, ugc_pk_…');
  const { protocol, host } = originOf(request);
  const segment = { apiKey: key, apiHost: `${host}/v1`, protocol, unbundledIntegrations: [] };
  const answer = json(
    200,
    JSON.stringify({
      integrations: { 'Segment.io': segment },
      plan: { track: enabled, identify: enabled, group: enabled },
      edgeFunction: {},
      analyticsNextEnabled: true,
      middlewareSettings: {},
      enabledMiddleware: {},
      metrics: { sampleRate: 0 },
      legacyVideoPluginsEnabled: false,
      remotePlugins: [],
      autoInstrumentationSettings: { disableTraffic: true, sampleRate: 0 },
    }),
  );
  return { ...answer, headers: { ...answer.headers, ...noStore } };
};

const off = { enabled: false };

/** Of RudderStack's SDK: `GET /sourceConfig/`. */
export const sourceConfig: Handler = () => {
  const source = {
    id: 'ugc',
    name: 'ugc',
    workspaceId: 'ugc',
    enabled: true,
    config: { statsCollection: { errors: off, metrics: off } },
    destinations: [],
    connections: [],
    dataplanes: {},
  };
  const answer = json(200, JSON.stringify({ source, updatedAt: '2026-01-01T00:00:00.000Z' }));
  return { ...answer, headers: { ...answer.headers, ...noStore } };
};
