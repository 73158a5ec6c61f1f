// Loaded before every test file: when its tests are over, however they went, no process or folder of theirs is left.

import { afterAll } from 'bun:test';
import { cleanUp } from './ugc.ts';

afterAll(cleanUp);
