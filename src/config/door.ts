// Settings: who may send.

import { choice } from './kinds.ts';

export const doorSettings = {
  auth: choice({ of: ['none'], default: 'none', help: 'Who may send. Must be said when listening beyond loopback' }),
};
