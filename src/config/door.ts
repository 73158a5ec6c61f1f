// Settings: who may send.

import { choices, flag, integer, origins, text } from './kinds.ts';

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
  rulesPath: text({
    default: '',
    takes: 'a file',
    help: 'Rules on what is taken and not wanted (ugc rules); empty = rules.json in the data folder. A change counts within a second',
  }),
  rateLimitKey: integer({
    default: 0,
    min: 0,
    max: 10_000_000,
    help: 'Events a second each API key may send that has no rate of its own; 0 = no limit',
  }),
  rateLimitAddress: integer({
    default: 0,
    min: 0,
    max: 10_000_000,
    help: 'Events a second each client’s address may send (IPv6: each /64); 0 = no limit',
  }),
  rateLimitBurstSeconds: integer({
    default: 10,
    min: 1,
    max: 3_600,
    help: 'Who has been silent may send what comes in so long at once',
  }),
  rateLimitClientsMax: integer({
    default: 100_000,
    min: 100,
    max: 10_000_000,
    help: 'Addresses counted at once, about 150 bytes each; beyond it those not seen for the longest begin anew',
  }),
  corsOrigins: origins({
    help: 'Pages of which other origins may send, beside those the API keys name; empty = none',
  }),
  corsCredentials: flag({
    default: false,
    help: 'Such pages may send cookies, which a proxy before ugc may ask for; ugc itself has none',
  }),
};
