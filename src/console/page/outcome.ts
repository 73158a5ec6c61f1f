// The sign of an event's outcome.

import type { StateName } from './parts.tsx';
import type { Passed } from './passing.ts';

export const stateOf: Readonly<Record<Passed['outcome'], StateName>> = {
  accepted: 'ok',
  rejected: 'failing',
  dropped: 'absent',
  failed: 'failing',
};
