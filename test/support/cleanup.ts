// Loaded before every test file: when its tests are over, however they went, no process of theirs is left.

import { afterAll } from 'bun:test';
import { killAll } from './ugc.ts';

afterAll(killAll);
