// What a file system says, as what an operator does about it.

import { messageOf, PipelineError } from '../../errors.ts';

const needsHands: Readonly<Record<string, string>> = {
  ENOENT: 'the folder it is to be in is not there: make it, or mount it (UGC_ARCHIVE_URL)',
  ENOSPC: 'the disk is full: make room there',
  EDQUOT: 'the quota is used up: make room there or raise it',
  EROFS: 'the file system is read-only: mount it writable',
  EACCES: 'it is forbidden: let the user of ugc write there',
  EPERM: 'it is forbidden, or the file system has no links: let the user of ugc write there, or choose another one',
  ENOTSUP: 'the file system has no links of files: choose another one (UGC_ARCHIVE_URL)',
  ENOTDIR: 'something there is a file and no folder (UGC_ARCHIVE_URL)',
  EEXIST: 'something there is a file and no folder (UGC_ARCHIVE_URL)',
  EISDIR: 'something there is a folder and no file (UGC_ARCHIVE_URL)',
  ENAMETOOLONG: 'the file system takes no names so long: choose another one (UGC_ARCHIVE_URL)',
};

/** `doing`: a clause the folder's path ends, as `write x to`. */
export function folderError(root: string, doing: string, error: unknown): PipelineError {
  if (error instanceof PipelineError) return error;
  const words = needsHands[(error as NodeJS.ErrnoException).code ?? ''];
  const said = `cannot ${doing} ${root}: ${words ?? messageOf(error)}`;
  return new PipelineError(words === undefined ? 'archive_unavailable' : 'archive_halted', said, { cause: error });
}
