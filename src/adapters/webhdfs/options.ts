// Where WebHDFS is, as the settings say it.

export interface WebHdfsOptions {
  /** `webhdfs://host:9870,other:9870/path`; webhdfss:// is over TLS. Several hosts: of one cluster, of which one is active. */
  readonly url: string;
  /** user.name; '' = whom the server takes one for who names nobody. */
  readonly user: string;
  /** PEM; absent = the authorities of the system. */
  readonly ca?: string;
  /** To write or read one file. */
  readonly timeoutMs: number;
}

export interface Place {
  readonly title: string;
  /** `http://host:9870`, each. */
  readonly hosts: readonly string[];
  /** '' or `/path`, without a / at its end. */
  readonly root: string;
}

const parts = /^webhdfs(s?):\/\/([^/]+)(\/.*)?$/;

export function placeOf({ url }: Pick<WebHdfsOptions, 'url'>): Place {
  const found = parts.exec(url);
  if (found === null) throw new Error(`no URL of WebHDFS: ${url}`);
  const scheme = found[1] === 's' ? 'https' : 'http';
  const root = (found[3] ?? '').replace(/\/+$/, '');
  return { title: url.replace(/\/+$/, ''), hosts: found[2]!.split(',').map(host => `${scheme}://${host}`), root };
}
