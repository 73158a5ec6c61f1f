// Waiting on a condition, never on the clock. What does not come true in time fails by name.

const pauseMs = 1;
const patienceMs = 4_000;

export async function until(condition: () => boolean, what: string, msMax = patienceMs): Promise<void> {
  const deadline = performance.now() + msMax;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited ${msMax} ms in vain until ${what}`);
    await Bun.sleep(pauseMs);
  }
}

/** The value, or an error that says what did not come. For promises that a bug would leave open for ever. */
export function soon<T>(promise: Promise<T>, what: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`waited ${patienceMs} ms in vain for ${what}`)), patienceMs);
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
