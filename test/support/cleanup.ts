// Loaded before a run's test files: when the tests of a file are over, however they went, no process or folder of theirs is
// left. And no test of a file that is run by itself is over before its own waits are, which say what did not come
// (until.ts); runs of many files are told so by their command (.ci/test.ts).

import { afterAll, setDefaultTimeout } from 'bun:test';
import { cleanUp } from './ugc.ts';

setDefaultTimeout(600_000);
afterAll(cleanUp);
