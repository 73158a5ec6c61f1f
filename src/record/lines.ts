// A run of bodies, a line each, as the bodies one by one.

const newline = 10;

/** Without the \n at their ends; views of the run, not copies. What has no \n behind it is a line, too. */
export function linesOf(ndjson: Uint8Array): readonly Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < ndjson.length; ) {
    const found = ndjson.indexOf(newline, start);
    const end = found < 0 ? ndjson.length : found;
    lines.push(ndjson.subarray(start, end));
    start = end + 1;
  }
  return lines;
}
