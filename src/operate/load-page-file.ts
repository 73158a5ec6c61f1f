// Where the report of `ugc load` is put: looked at before the run, written after it.

import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf, PipelineError } from '../errors.ts';
import { build, buildText } from '../process/build.ts';
import { replaceFile } from '../process/file.ts';
import { htmlOf, type Page, svgOf } from './load-page.ts';

/** In words; null = it can be. An hour of running is not to be lost to a wrong path. */
export function unwritableIn(path: string): string | null {
  if (path === '') return null;
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch (error) {
    return `--report=${path} cannot be written: ${messageOf(error)}`;
  }
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ? `--report=${path} is a folder` : null;
}

export function writePage(path: string, page: Omit<Page, 'version'>): void {
  const whole = { ...page, version: buildText(build) };
  const text = path.endsWith('.svg') ? svgOf(whole) : htmlOf(whole);
  try {
    replaceFile(path, text, { mode: 0o644, isSynced: false });
  } catch (error) {
    throw new PipelineError('config_invalid', `--report=${path} cannot be written: ${messageOf(error)}`);
  }
}
