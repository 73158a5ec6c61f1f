// A part of the process that runs until told to stop.

/** A part of the process that runs until told to stop. */
export interface Loop {
  /** Resolves after the loop has stopped cleanly; rejects if it broke. */
  readonly done: Promise<void>;
  /** Idempotent. Finishes what is in flight, then stops. */
  stop(): Promise<void>;
}
