// What an automatic part has begun, to be ended all at once.

export interface Begun {
  /** Hears events of these types, separated by spaces, before the page does: nobody's stopPropagation hides one. */
  listen<E extends Event>(target: EventTarget, types: string, listener: (event: E) => void): void;
  /** Something else to be done at the end. */
  also(undo: () => void): void;
  end(): void;
}

export function begun(): Begun {
  const undoings: (() => void)[] = [];
  const also = (undo: () => void): void => void undoings.push(undo);
  return {
    also,
    listen(target, types, listener) {
      for (const type of types.split(' ')) {
        target.addEventListener(type, listener as EventListener, true);
        also(() => target.removeEventListener(type, listener as EventListener, true));
      }
    },
    end() {
      for (const undo of undoings.splice(0)) undo();
    },
  };
}
