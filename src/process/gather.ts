/**
 * One result for each of `count`, in their order, however and whenever each comes: `start` is called at once and settles each
 * exactly once by its index. Never rejects unless `start` throws.
 */
export function gather<T>(
  count: number,
  start: (settle: (index: number, result: T) => void) => void,
): Promise<readonly T[]> {
  if (count === 0) return Promise.resolve([]);
  return new Promise(resolve => {
    const results: T[] = Array(count);
    let open = count;
    start((index, result) => {
      results[index] = result;
      if (--open === 0) resolve(results);
    });
  });
}
