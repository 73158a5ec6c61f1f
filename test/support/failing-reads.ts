// A process whose reads of its buffer's files fail now and then, as on a network's disk (ESTALE, ETIMEDOUT, ENOMEM): a
// library in front of the system's. How many of a million fail is kept in a file, so that it changes while it runs; how
// many did is appended to another, a byte each.

import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './ugc.ts';

const code = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned long long state;

static unsigned dice(void) {
  if (!state) state = strtoull(getenv("FAILING_READS_SEED"), 0, 10) | 1;
  state ^= state << 13; state ^= state >> 7; state ^= state << 17;
  return (state >> 16) % 1000000;
}

static int fails(int fd) {
  static const int errors[] = {ESTALE, ETIMEDOUT, ENOMEM};
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  const char *name = strrchr(path, '/');
  if (!name || strncmp(name, "/buffer.sqlite", 14) != 0) return 0;
  char text[32] = {0};
  int file = open(getenv("FAILING_READS"), O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  ssize_t size = read(file, text, sizeof text - 1);
  close(file);
  if (size <= 0 || dice() >= (unsigned)atol(text)) return 0;
  int count = open(getenv("FAILED_READS"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (count >= 0) { if (write(count, ".", 1)) {} close(count); }
  errno = errors[dice() % 3];
  return 1;
}

#define PREAD(name, offset) \\
  ssize_t name(int fd, void *to, size_t size, offset at) { \\
    static ssize_t (*real)(int, void *, size_t, offset); \\
    if (!real) real = dlsym(RTLD_NEXT, #name); \\
    return fails(fd) ? -1 : real(fd, to, size, at); \\
  }
PREAD(pread, off_t)
PREAD(pread64, off64_t)
`;

export interface FailingReads {
  /** For the process. */
  readonly env: Readonly<Record<string, string>>;
  /** So many of a million from now on. */
  fail(perMillion: number): void;
  failed(): number;
}

/** Null where there is no C compiler. */
export function failingReads(seed: number): FailingReads | null {
  const compiler = Bun.which('cc');
  if (process.platform !== 'linux' || compiler === null) return null;
  const folder = temporaryFolder();
  const at = (name: string): string => join(folder, name);
  writeFileSync(at('reads.c'), code);
  const made = Bun.spawnSync([compiler, '-shared', '-fPIC', '-O1', '-o', at('reads.so'), at('reads.c'), '-ldl']);
  if (made.exitCode !== 0) throw new Error(`the library cannot be made: ${made.stderr}`);
  const fail = (perMillion: number): void => writeFileSync(at('share'), String(perMillion));
  fail(0);
  return {
    env: {
      LD_PRELOAD: at('reads.so'),
      FAILING_READS: at('share'),
      FAILED_READS: at('failed'),
      FAILING_READS_SEED: String(seed),
    },
    fail,
    failed: () => (existsSync(at('failed')) ? statSync(at('failed')).size : 0),
  };
}
