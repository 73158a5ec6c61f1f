// The event types as the console shows them, each with an example that is accepted as it stands.

import type { Catalogue } from '../../schemas/catalogue.ts';
import { isoOf } from '../process/clock.ts';
import type { ConsoleTypes } from './answers.ts';

export interface TypesOptions {
  /** As they are just now. */
  readonly catalogue: () => Catalogue;
  readonly topicOf: (type: string) => string | null;
  readonly database: string;
  readonly now?: () => number;
}

export const consoleTypes = ({ catalogue, topicOf, database, now = Date.now }: TypesOptions): ConsoleTypes => ({
  types: catalogue().types.map(({ name, summary, allFields, example }) => ({
    type: name,
    description: summary,
    table: `${database}.${name}`,
    topic: topicOf(name) ?? '',
    fields: allFields.map(({ name: field, kind, absent, about }) => ({
      name: field,
      kind,
      required: absent === undefined,
      description: about,
    })),
    example: { ...example, event_type: name, timestamp: isoOf(now()) },
  })),
});
