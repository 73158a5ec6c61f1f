/** What it gives, or undefined when it throws: a storage may refuse at any time, even to be looked at. */
export function tried<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}

/** What there may be none of. */
export type MaybeStorage = Storage | false | undefined;
