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
  // The SDK says who the visitor is; types of known users ask for the user all the same.
  const ownFields = user_id === undefined ? fields : { user_id, ...fields };
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
        `ugc.track('${type}', ${JSON.stringify(ownFields, null, 2)});`,
      ].join('\n'),
    },
    {
      name: 'Python',
      text: [
        'import json, urllib.request',
        '',
        // As JSON may say it, so that no text of the event ends Python's.
        `event = json.loads(r'''${json.replaceAll("'", String.raw`\u0027`)}''')`,
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
        `analytics.track(${JSON.stringify({ ...segmentOf(type, fields), userId: String(who) }, null, 2)});`,
      ].join('\n'),
    },
  ];
}

/** In Segment's words: its properties are the fields and the properties of ours, and what is `custom` here is any other name there. */
function segmentOf(type: string, fields: Readonly<Record<string, unknown>>): object {
  const { properties = {}, ...rest } = fields;
  if (type !== 'custom') return { event: type, properties: { ...rest, ...(properties as object) } };
  const { name, country, device } = rest;
  return {
    event: name,
    properties,
    context: { location: { country }, device: { type: device } },
  };
}
