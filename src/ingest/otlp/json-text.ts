// JSON of values among which integers beyond 2^53 are bigints: to their last digit.

const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    // There is a bigint, which is rare: asked for each value it would cost every record three times as much.
    return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? rawJSON(String(inner)) : inner));
  }
}
