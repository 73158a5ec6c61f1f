// Settings: who may send.

import { choice, flag, origins, text } from './kinds.ts';

export const doorSettings = {
  auth: choice({
    of: ['none', 'keys'],
    default: 'none',
    help: 'Who may send: everybody, or who shows an API key (ugc keys). Must be said when listening beyond loopback',
  }),
  keysPath: text({
    default: '',
    takes: 'a file',
    help: 'The API keys, as hashes; empty = keys.json in the data folder. A change counts within a second',
  }),
  corsOrigins: origins({
    help: 'Pages of which other origins may send, beside those the API keys name; empty = none',
  }),
  corsCredentials: flag({
    default: false,
    help: 'Such pages may send cookies, which a proxy before ugc may ask for; ugc itself has none',
  }),
};
