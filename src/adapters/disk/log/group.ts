// From envelopes to runs: what several callers appended, sorted by topic and type, bodies joined as NDJSON. A run is of
// one schema version, too: its reader looks at the first record's (read.ts).

import type { Envelope } from '../../../ports/log.ts';
import type { RunHead } from './worker.ts';

/** Runs are cut here, so that rows stay small to read and to delete. UTF-16 units of the bodies. */
const runLengthMax = 256 * 1024;

interface Gathering {
  readonly topic: string;
  readonly type: string;
  readonly version: number;
  readonly keys: (string | null)[];
  receivedAtMs: number;
  /** A rope: joined once, when it crosses to the worker. */
  bodies: string;
}

export interface Group {
  /** RunHead[] as JSON. */
  readonly head: string;
  /** For each run its bodies, then its keys. */
  readonly text: string;
}

export function groupRuns(appended: Iterable<readonly Envelope[]>): Group {
  const open = new Map<string, Map<string, Gathering>>();
  const heads: RunHead[] = [];
  let text = '';

  const finish = ({ topic, type, keys, receivedAtMs, bodies }: Gathering): void => {
    const keysText = JSON.stringify(keys);
    heads.push([topic, type, keys.length, receivedAtMs, bodies.length, keysText.length]);
    text += bodies + keysText;
  };

  for (const envelopes of appended) {
    for (const { topic, type, version, key, body, receivedAtMs } of envelopes) {
      const ofTopic = open.get(topic) ?? new Map<string, Gathering>();
      if (ofTopic.size === 0) open.set(topic, ofTopic);
      let run = ofTopic.get(type);
      if (run && (run.version !== version || run.bodies.length + body.length > runLengthMax)) {
        finish(run);
        run = undefined;
      }
      if (!run) {
        run = { topic, type, version, keys: [], receivedAtMs, bodies: '' };
        ofTopic.set(type, run);
      }
      run.bodies += body + '\n';
      run.keys.push(key);
      if (receivedAtMs < run.receivedAtMs) run.receivedAtMs = receivedAtMs;
    }
  }
  for (const ofTopic of open.values()) for (const run of ofTopic.values()) finish(run);
  return { head: JSON.stringify(heads), text };
}
