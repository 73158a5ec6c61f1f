// How an event of a type is sent, to be copied: with this server's address, and the type's own example.

import type { ConsoleType } from '../answers.ts';

export interface Snippet {
  readonly name: string;
  readonly text: string;
}

export interface SnippetOptions {
  /** Where events are posted. */
  readonly eventsUrl: string;
  /** A key is asked for. */
  readonly isClosed: boolean;
}

export function snippetsOf(
  { type, example }: Pick<ConsoleType, 'type' | 'example'>,
  options: SnippetOptions,
): readonly Snippet[] {
  const { eventsUrl, isClosed } = options;
  const origin = new URL(eventsUrl).origin;
  const { event_type: _, user_id, anonymous_id, timestamp: __, ...fields } = example;
  const who = user_id ?? anonymous_id ?? 'someone';
  const shownKey = isClosed ? 'ugc_sk_…' : 'any';
  const json = JSON.stringify(example, null, 2);
  return [
    {
      name: 'curl',
      text: [
        `curl ${eventsUrl}`,
        ...(isClosed ? ["  -H 'authorization: Bearer ugc_sk_…'"] : []),
        "  -H 'content-type: application/json'",
        `  -d '${json.replaceAll("'", String.raw`'\''`)}'`,
      ].join(' \\\n'),
    },
    {
      name: 'SDK',
      text: [
        "import { init } from '@ugc/browser';",
        '',
        `const ugc = init({ url: '${origin}'${isClosed ? ", key: 'ugc_pk_…'" : ''} });`,
        `ugc.track('${type}', ${JSON.stringify(fields, null, 2)});`,
      ].join('\n'),
    },
    {
      name: 'Python',
      text: [
        'import json, urllib.request',
        '',
        `event = json.loads(r'''${json}''')`,
        'request = urllib.request.Request(',
        `    "${eventsUrl}",`,
        '    data=json.dumps(event).encode(),',
        `    headers={"content-type": "application/json"${isClosed ? ', "authorization": "Bearer ugc_sk_…"' : ''}},`,
        ')',
        'print(urllib.request.urlopen(request).read().decode())',
      ].join('\n'),
    },
    {
      name: 'Segment',
      text: [
        "import { Analytics } from '@segment/analytics-node';",
        '',
        `const analytics = new Analytics({ writeKey: '${shownKey}', host: '${origin}' });`,
        `analytics.track({ event: '${type}', userId: ${JSON.stringify(String(who))}, properties: ${JSON.stringify(fields, null, 2)} });`,
      ].join('\n'),
    },
  ];
}
