// Settings: who watches what passes.

import { flag, integer, text } from './kinds.ts';

export const watchingSettings = {
  console: flag({
    default: true,
    help: 'The console at / for browsers, and what it asks under /v1/console/; on UGC_ADMIN_PORT where there is one',
  }),
  streamReaders: integer({
    default: 8,
    min: 0,
    max: 1_000,
    help: 'Who may read GET /v1/stream (ugc tap, ugc top) at once. While somebody does, some MiB of what passed are kept; 0 = nobody',
  }),
  adminKey: text({
    default: '',
    takes: 'an API key or a token',
    pattern: /^[!-~]*$/,
    secret: true,
    help: 'With the scope admin: ugc tap and ugc top show it to the instances they watch; the server has no use for it',
  }),
};
