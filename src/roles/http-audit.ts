// Who did what over HTTP as an operator, for the log of this process: in the words of the audit log of the commands
// (operate/audit.ts).

import type { Call } from '../http/route.ts';
import type { Logger } from '../process/telemetry.ts';

export interface OperatorsDeed {
  /** `dead-replay`, as a command would be called. */
  readonly action: string;
  readonly type: 'access' | 'change';
  readonly outcome: 'success' | 'failure';
  /** What follows the name of who did it: `is shown events as they pass`. */
  readonly words: string;
}

export function tellDeed(
  logger: Logger,
  { caller, address }: Pick<Call, 'caller' | 'address'>,
  deed: OperatorsDeed,
): void {
  const name = caller.name || 'anybody';
  const { action, type, outcome, words } = deed;
  const about = {
    'event.dataset': 'ugc.audit',
    'event.kind': 'event',
    'event.category': ['database'],
    'event.type': [type],
    'event.action': action,
    'event.outcome': outcome,
    'user.name': name,
    'client.address': address,
  };
  logger.info(about, `${name} ${words}`);
}
