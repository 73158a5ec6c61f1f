// What was found out lately, by text, in two halves: a half that is full becomes the older one, and the older one of
// before is gone. What is asked for again and again stays. Bounded in number and in characters.

export interface Remembered<T> {
  get(text: string): T | undefined;
  set(text: string, value: T): void;
}

export interface RememberedOptions {
  readonly numberMax: number;
  /** Of all texts together. */
  readonly charactersMax: number;
}

export function remembered<T>({ numberMax, charactersMax }: RememberedOptions): Remembered<T> {
  let older = new Map<string, T>();
  let newer = new Map<string, T>();
  let characters = 0;

  function set(text: string, value: T): void {
    if (newer.size >= numberMax / 2 || characters + text.length > charactersMax / 2) {
      older = newer;
      newer = new Map();
      characters = 0;
    }
    newer.set(text, value);
    characters += text.length;
  }

  return {
    get(text) {
      const found = newer.get(text);
      if (found !== undefined) return found;
      const before = older.get(text);
      if (before !== undefined) set(text, before);
      return before;
    },
    set,
  };
}
