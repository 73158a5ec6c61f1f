// What an automatic part has begun, to be ended all at once.

export interface Begun {
  /** Hears events of these types, separated by spaces, of the window by itself; before the page does, so nobody's stopPropagation hides one. */
  listen<E extends Event>(types: string, listener: (event: E) => void, target?: EventTarget): void;
  /** Something else to be done at the end. */
  also(undo: () => void): void;
  /** Again is nothing more. */
  end(): void;
}

export function begun(): Begun {
  const undoings: (() => void)[] = [];
  const also = (undo: () => void): void => void undoings.push(undo);
  return {
    also,
    listen(types, listener, target = window) {
      for (const type of types.split(' ')) {
        target.addEventListener(type, listener as EventListener, true);
        also(() => target.removeEventListener(type, listener as EventListener, true));
      }
    },
    end() {
      for (const undo of undoings) undo();
    },
  };
}
