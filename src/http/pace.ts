// How much of what comes can be done in time, as far as the last two seconds tell. While the thread that answers is busy, what
// waits before it is done later than it was sent; beyond what it gets done in a sixth of a second a request had better be
// refused at once, which costs a fraction of doing it, and its sender comes again.
//
// A thread that is not busy waits for a disk or a broker, and is not helped by refusing anything.

export interface Pace {
  /** So many bytes were done. */
  done(bytes: number): void;
  /** Bytes that may be worked on at once; null = as many as there is memory for. */
  bound(): number | null;
}

export interface PaceOptions {
  /** Monotonic, in milliseconds. */
  readonly now?: () => number;
  /** Of the thread that answers, in milliseconds. */
  readonly cpuMs?: () => number;
}

/** Also what the slowest machine gets done: no burst of a few requests is too much. */
const bytesMin = 2 * 1024 * 1024;
const targetMs = 170;
const windowMs = 100;
const windowsKept = 20;
/** Of its time. */
const busyShare = 0.85;

export function paceOf({ now = () => performance.now(), cpuMs = threadCpuMs }: PaceOptions = {}): Pace {
  let fromMs = now();
  let fromCpuMs = cpuMs();
  let doneBytes = 0;
  let isBusy = false;
  /** Bytes a millisecond, of the last windows. */
  let rates: number[] = [];

  function turn(): void {
    const elapsedMs = now() - fromMs;
    if (elapsedMs < windowMs) return;
    const isLong = elapsedMs > windowMs * windowsKept; // nobody asked: what was before is no longer so
    rates = [...(isLong ? [] : rates.slice(1 - windowsKept)), doneBytes / elapsedMs];
    const cpu = cpuMs();
    isBusy = cpu - fromCpuMs > elapsedMs * busyShare;
    fromMs += elapsedMs;
    fromCpuMs = cpu;
    doneBytes = 0;
  }

  return {
    done(bytes) {
      doneBytes += bytes;
    },
    bound() {
      turn();
      return isBusy ? Math.max(bytesMin, Math.max(...rates) * targetMs) : null;
    },
  };
}

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
