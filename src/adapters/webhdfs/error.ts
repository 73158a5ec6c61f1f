// What goes wrong with HDFS, in words that name what to do. Nobody else looks at an answer of WebHDFS that is no success.
// - what passes by itself, or may (no answer, starting, a standby, no DataNode with room), is `archive_unavailable`
// - what an operator has to do something about (rights, quotas, resources, certificates) is `archive_halted`

import { messageOf, PipelineError } from '../../errors.ts';
import { archiveFailure } from '../../process/archive-failure.ts';

/** As the server spells it: `{"RemoteException": {"exception": …, "message": …}}`. */
export interface Refusal {
  readonly status: number;
  /** Without its package: AccessControlException; '' where the answer was none of WebHDFS. */
  readonly exception: string;
  readonly message: string;
}

export function refusalOf(status: number, text: string): Refusal {
  try {
    const { exception, message } = (JSON.parse(text) as { RemoteException: Partial<Refusal> }).RemoteException;
    return {
      status,
      exception: String(exception ?? ''),
      message: String(message ?? '')
        .split('\n')[0]!
        .slice(0, 500),
    };
  } catch {
    return {
      status,
      exception: '',
      message: text
        .replace(/<[^>]*>|\s+/g, ' ')
        .trim()
        .slice(0, 200),
    };
  }
}

/** It is there, and not the one that answers for the cluster: nothing was done. */
export const isStandby = ({ exception, message }: Refusal): boolean =>
  exception === 'StandbyException' || /Operation category \w+ is not supported in state/.test(message);

export const isMissing = ({ exception, status }: Refusal): boolean =>
  status === 404 && (exception === 'FileNotFoundException' || exception === '');

export const isThere = ({ exception, message }: Refusal): boolean =>
  exception === 'FileAlreadyExistsException' || /rename destination .* already exists/i.test(message);

const unavailable = (words: string): PipelineError => new PipelineError('archive_unavailable', words);
const halted = (words: string): PipelineError => new PipelineError('archive_halted', words);

/** `where`: which host, and what was asked of it. */
export function errorOf(where: string, refusal: Refusal): PipelineError {
  const { status, exception, message } = refusal;
  const said = `${where} answered ${status}${exception === '' ? '' : ` ${exception}`}: ${message || 'nothing'}`;
  if (isStandby(refusal))
    return unavailable(`no NameNode is active: ${said}; name each of the cluster in UGC_ARCHIVE_URL, with commas`);
  if (exception === 'SafeModeException' || /safe ?mode/i.test(message))
    return /manually|resources are low/i.test(message)
      ? halted(
          `HDFS is in safe mode and stays so: make room for the NameNode, then hdfs dfsadmin -safemode leave: ${said}`,
        )
      : unavailable(`HDFS is in safe mode, as it is while it starts: ${said}`);
  if (status === 401)
    return halted(
      `HDFS wants to know who this is (Kerberos), which ugc does not speak: put HttpFS or Knox in front and name it in UGC_ARCHIVE_URL: ${said}`,
    );
  if (
    exception === 'AccessControlException' ||
    exception === 'SecurityException' ||
    exception === 'AuthorizationException'
  )
    return halted(`HDFS refuses UGC_ARCHIVE_USER: give that user the folder of UGC_ARCHIVE_URL: ${said}`);
  if (/QuotaExceeded/.test(exception) || /quota .* is exceeded/i.test(message))
    return halted(
      `the quota of the folder of UGC_ARCHIVE_URL is used up: raise it (hdfs dfsadmin -setSpaceQuota or -setQuota): ${said}`,
    );
  if (
    /could only be (written|replicated) to|No space left|DiskOutOfSpace|disk is full/i.test(`${exception} ${message}`)
  )
    return halted(`no DataNode takes a block: they are full, away or too few; make room: ${said}`);
  if (/Failed to find datanode/i.test(message)) return unavailable(`HDFS has no DataNode that lives: ${said}`);
  if (exception === 'ParentNotDirectoryException' || exception === 'PathIsNotDirectoryException')
    return halted(`a file lies where UGC_ARCHIVE_URL needs a folder: ${said}`);
  if (exception === '' && status === 404)
    return halted(
      `no WebHDFS is there: set dfs.webhdfs.enabled=true, or set UGC_ARCHIVE_URL to the http port of the NameNode: ${said}`,
    );
  return status === 400 ? halted(`HDFS does not understand: ${said}`) : unavailable(`HDFS: ${said}`);
}

/** Of a request that got no answer. */
export const failureOf = (where: string, error: unknown): PipelineError => archiveFailure(where, error);

/** Nobody was there to be asked: nothing was done. */
export const isUnreached = (error: unknown): boolean =>
  /ConnectionRefused|ECONNREFUSED|FailedToOpenSocket|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|Unable to connect/i.test(
    `${(error as { code?: string } | null)?.code ?? ''} ${messageOf(error)}`,
  );
