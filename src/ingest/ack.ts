// What a client waits for: `?ack=durable`, the default, or `?ack=stored`, a row that can be read.

import { describe } from '../../schemas/misfit.ts';
import { PipelineError } from '../errors.ts';

export const acks = ['durable', 'stored'] as const;
export type Ack = (typeof acks)[number];

/** Throws `bad_request` for anything else. Other parameters of the URL are passed over. */
export function ackOf(url: string): Ack {
  const at = url.indexOf('?');
  if (at < 0) return 'durable';
  const given = new Set(new URLSearchParams(url.slice(at + 1)).getAll('ack'));
  if (given.size === 0) return 'durable';
  const known = acks.find(name => given.has(name));
  if (known !== undefined && given.size === 1) return known;
  throw new PipelineError('bad_request', `ack is ${acks.join(' or ')}, not ${describe([...given].join(', '))}`);
}
