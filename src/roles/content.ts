// The role `content`: likes, reviews, bookmarks and where viewing stopped, over HTTP; each change is an event, too.

import type { Config } from '../config/config.ts';
import { hasContent, keepsHistory } from '../config/content.ts';
import type { Content } from '../content/content.ts';
import { contentApiOf } from '../content/openapi.ts';
import { contentRoutes } from '../content/routes.ts';
import type { ApiPart } from '../http/openapi.ts';
import { startContentFlow } from './content-flow.ts';
import { openContentStore } from './content-store.ts';
import type { RoleDefinition } from './role.ts';

export const content: RoleDefinition = {
  name: 'content',
  writes: true,
  isMeant: hasContent,
  async open(parts) {
    const { config, clock } = parts;
    const store = openContentStore(config);
    const flow = startContentFlow({
      parts,
      store,
      watchedShare: config.viewWatchedShare,
      keepsHistory: keepsHistory(config),
    });
    const served: Content = {
      store,
      clock,
      limits: limitsOf(config),
      reviewLengthMax: config.reviewLengthMax,
      isShownAtOnce: config.reviewsShown === 'at_once',
      wake: flow.wake,
    };
    let api: ApiPart | null = null;
    return {
      routes: contentRoutes(served),
      api: () => {
        api ??= contentApiOf(config);
        return api;
      },
      hint: 'likes, reviews, bookmarks and progress are below /v1/films, /v1/reviews and /v1/me',
      problems: () => {
        const problem = store.problem();
        return { ...(problem === null ? {} : { content: problem }), ...flow.problems() };
      },
      scrape: flow.scrape,
      close: async () => {
        await flow.close();
        await store.close();
      },
    };
  },
};

/** A review of the longest text there may be, each character escaped, has room in the body. */
function limitsOf(config: Config): Content['limits'] {
  const roomy = config.reviewLengthMax * 6 + 8_192;
  const { bodyBytesMax, bodyDecompressedBytesMax, bodyTimeoutMs } = config;
  if (bodyBytesMax <= roomy) return { bodyBytesMax, bodyDecompressedBytesMax, bodyTimeoutMs };
  return {
    bodyBytesMax: roomy,
    bodyDecompressedBytesMax: Math.min(roomy, bodyDecompressedBytesMax),
    bodyTimeoutMs,
    boundedBy: 'UGC_REVIEW_LENGTH_MAX',
  };
}
