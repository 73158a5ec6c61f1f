// Where the events of a type go: the topic pattern with the type's own words in it.

import type { EventType } from './event.ts';

/** `pattern` as UGC_TOPIC gives it: {event_type}, {family} and {stream} stand for the type's. */
export const topicOf = (pattern: string, { name, family, stream }: EventType): string =>
  pattern.replaceAll('{event_type}', name).replaceAll('{family}', family).replaceAll('{stream}', stream);

/** What operators wish of flows goes to a topic of its own: no event type can be called so. */
export const controlTopic = (pattern: string): string => {
  const word = 'flow-control';
  return /\{(event_type|family|stream)\}/.test(pattern) ? ownTopic(pattern, word) : `${pattern}.${word}`;
};

/** The same for what is no event type: whatever stands in the pattern for a type’s words, it is a word of its own. */
export const ownTopic = (pattern: string, word: string): string =>
  pattern.replaceAll(/\{(event_type|family|stream)\}/g, word);
