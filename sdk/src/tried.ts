/** What it gives, or undefined when it throws: a storage may refuse at any time, even to be looked at. */
export function tried<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}

/** localStorage or sessionStorage, as far as the SDK asks it; its keys are those of the object. */
export interface Items {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** What there may be none of. */
export type MaybeItems = Items | false | undefined;
