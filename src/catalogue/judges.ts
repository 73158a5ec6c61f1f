// What is made of the catalogue, and made anew when it changes while the process runs: the judge of the edge, the judge of
// records no edge has written, and the document that tells clients.

import type { Config } from '../config/config.ts';
import { type OpenApi, openApiOf } from '../ingest/openapi.ts';
import type { JudgeForeign } from '../ports/ports.ts';
import { foreignJudgeOf } from './foreign.ts';
import { type Judge, judgeOf } from './judge.ts';
import type { KnownTypes } from './run-time-types.ts';

export interface Judges {
  readonly judge: Judge;
  readonly judgeForeign: JudgeForeign;
  readonly api: () => OpenApi;
  renew(known: KnownTypes): void;
}

export function judgesOf(config: Config, version: string, known: KnownTypes): Judges {
  let now = made(known);
  return {
    judge: (event, origin) => now.judge(event, origin),
    judgeForeign: (record, place) => now.judgeForeign(record, place),
    api: () => now.api(),
    renew: next => {
      now = made(next);
    },
  };

  function made({ accepted, all }: KnownTypes) {
    let api: OpenApi | null = null;
    return {
      judge: judgeOf({ ...config, catalogue: accepted }),
      judgeForeign: foreignJudgeOf({ ...config, catalogue: all }),
      // Made when somebody asks: it is large, and most processes are never asked.
      api: () => (api ??= openApiOf({ ...config, catalogue: accepted, version })),
    };
  }
}
