// Waiting on a condition, never on the clock. There is one limit for everything, and it is generous: it only ends a
// broken test, by the name of what did not come. A loaded machine with cold caches is slower than a quiet one by far.

const patienceMs = 90_000;

type Truthy<T> = Exclude<T, null | undefined | false | 0 | ''>;

interface UntilOptions {
  readonly msMax?: number;
  readonly pauseMs?: number;
  readonly what?: string;
}

/** What `probe` gives once it is truthy; fails with what it last gave or threw. */
export async function eventually<T>(
  probe: () => Promise<T> | T,
  { msMax = patienceMs, pauseMs = 20, what = 'the condition' }: UntilOptions = {},
): Promise<Truthy<T>> {
  const deadline = performance.now() + msMax;
  for (;;) {
    let last: unknown;
    try {
      const value = await probe();
      if (value) return value as Truthy<T>;
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) throw new Error(`${what} did not come true within ${msMax} ms; last: ${last}`);
    await Bun.sleep(pauseMs);
  }
}

/** The same of what happens in this process, seen as soon as it does. */
export const until = async (condition: () => boolean | Promise<boolean>, what: string): Promise<void> =>
  void (await eventually(condition, { what, pauseMs: 1 }));

/** The value, or an error that says what did not come. For promises that a bug would leave open for ever. */
export function soon<T>(promise: Promise<T>, what: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`waited ${patienceMs} ms in vain for ${what}`)), patienceMs);
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
