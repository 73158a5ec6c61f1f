// Topics that a setting names for reading and that no event type has, of any broker.

import { hintOf } from '../../schemas/nearest.ts';
import { PipelineError } from '../errors.ts';
import type { StartingPoint } from '../ports/transport.ts';

/**
 * Throws `config_invalid` when --from names a topic that this process does not read: it would be passed over in
 * silence.
 */
export function refuseStrange(from: StartingPoint | null, topics: readonly string[]): void {
  if (from === null || 'atMs' in from) return;
  const named = [...from.offsets.keys()].map(place => place.slice(0, place.lastIndexOf('/')));
  const strange = named.find(topic => !topics.includes(topic));
  if (strange !== undefined)
    throw new PipelineError(
      'config_invalid',
      `UGC_FROM (--from) names ${strange}, which is no topic of an event type${hintOf(strange, topics)}`,
    );
}
