// A process whose clock is wrong, and can be set while it runs: a library in front of the system's tells the time moved by
// what a file says. Its monotonic clock goes on as ever.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './ugc.ts';

const code = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long moved(void) {
  char text[32] = {0};
  const char *path = getenv("MOVED_CLOCK");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return 0;
  ssize_t size = read(file, text, sizeof text - 1);
  close(file);
  return size > 0 ? atol(text) : 0;
}

int clock_gettime(clockid_t id, struct timespec *at) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
  int code = real(id, at);
  if (code == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) at->tv_sec += moved();
  return code;
}

int gettimeofday(struct timeval *at, void *zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *to) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (to) *to = now.tv_sec;
  return now.tv_sec;
}
`;

export interface MovedClock {
  /** For the process. */
  readonly env: Readonly<Record<string, string>>;
  /** By so many seconds from the machine's time. */
  move(seconds: number): void;
}

/** Null where there is no C compiler. */
export function movedClock(): MovedClock | null {
  const compiler = Bun.which('cc');
  if (process.platform !== 'linux' || compiler === null) return null;
  const folder = temporaryFolder();
  const [source, library, file] = ['clock.c', 'clock.so', 'moved'].map(name => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(source, code);
  const made = Bun.spawnSync([compiler, '-shared', '-fPIC', '-O1', '-o', library, source, '-ldl']);
  if (made.exitCode !== 0) throw new Error(`the clock cannot be made: ${made.stderr}`);
  const move = (seconds: number): void => writeFileSync(file, String(Math.round(seconds)));
  move(0);
  return { env: { LD_PRELOAD: library, MOVED_CLOCK: file }, move };
}
