// Where cold files are kept: a folder, HDFS, S3. Types and contracts only.
//
// path   of a file below the store's root: names with / between them, no dots at their beginning, no empty ones
// whole  a file that can be seen under its name is complete and outlives the death of who wrote it

/** Errors are PipelineErrors: `archive_unavailable` (backoff) or `archive_halted` (an operator has to do something). */
export interface ColdStore {
  /** As people call it, without secrets: `file:///var/archive`, `s3://bucket/prefix`, `webhdfs://host:9870/path`. */
  readonly title: string;
  /** Makes what it needs, or rejects in words: the root, and that it takes a file that nobody has made, and only once. */
  prepare(): Promise<void>;
  /**
   * Writes a whole file unless there is one: true = made by this call, false = there was one, which is left as it is. Of two
   * calls at once exactly one makes it. A rejection leaves it open whether it was made; who asks again finds out.
   */
  create(path: string, bytes: Uint8Array, signal?: AbortSignal): Promise<boolean>;
  /** Null: there is none. */
  read(path: string, signal?: AbortSignal): Promise<Uint8Array | null>;
  /** Every file below a folder, however deep, by path in order of UTF-8 bytes; none where there is no such folder. */
  list(folder: string, signal?: AbortSignal): Promise<readonly ColdFile[]>;
  /** Idempotent. */
  remove(path: string, signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface ColdFile {
  readonly path: string;
  readonly bytes: number;
}
