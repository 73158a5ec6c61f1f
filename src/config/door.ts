// Settings: who may send.

import { choices, text } from './kinds.ts';

export const doorSettings = {
  auth: choices({
    of: ['none', 'keys', 'jwt'],
    default: 'none',
    help: 'Who may send: everybody, who shows an API key (ugc keys), or who shows a token (JWT). Must be said when listening beyond loopback',
  }),
  keysPath: text({
    default: '',
    takes: 'a file',
    help: 'The API keys, as hashes; empty = keys.json in the data folder. A change counts within a second',
  }),
};
