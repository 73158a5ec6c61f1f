// A value that components watch: what outlives a view (the key, the stream, the history of queries) lies in one of these.

import { useEffect, useState } from 'preact/hooks';

export interface Store<T> {
  get(): T;
  set(value: T): void;
  /** Answers how to stop. */
  watch(onChange: () => void): () => void;
}

export function store<T>(first: T): Store<T> {
  let value = first;
  const watchers = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const watcher of [...watchers]) watcher();
    },
    watch(onChange) {
      watchers.add(onChange);
      return () => void watchers.delete(onChange);
    },
  };
}

export function useStore<T>(watched: Store<T>): T {
  const [value, setValue] = useState(watched.get());
  useEffect(() => {
    const update = (): void => setValue(() => watched.get());
    update();
    return watched.watch(update);
  }, [watched]);
  return value;
}
