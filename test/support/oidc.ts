// The issuer of oidc-issuer.ts, started, asked for tokens, rotated, and killed.

import { join } from 'node:path';
import { freePorts } from './free-ports.ts';

export interface Issuer {
  readonly url: string;
  readonly port: number;
  /** A new access token for a client, `shop` or `app`, which is its subject, too. */
  token(client?: string, scope?: string): Promise<string>;
  /** From now on it signs with a new key. `forget`: its set has none of before any more. */
  rotate(forget?: boolean): Promise<void>;
  kill(): Promise<void>;
}

const running = new Set<{ kill(signal: NodeJS.Signals): void }>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export async function startIssuer(onPort?: number): Promise<Issuer> {
  const port = onPort ?? (await freePorts(1))[0]!;
  const url = `http://127.0.0.1:${port}`;
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'oidc-issuer.ts'), String(port)], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'ignore',
  });
  running.add(child);
  let said = '';
  for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
    said += piece;
    if (said.includes('ready\n')) break;
  }
  if (!said.includes('ready\n')) throw new Error(`the issuer ended with ${await child.exited}: ${said}`);
  return {
    url,
    port,
    async token(client = 'shop', scope = 'events:write events:read') {
      const response = await fetch(`${url}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${client}:${client}-secret`)}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', scope }),
      });
      const { access_token: token } = (await response.json()) as { access_token?: string };
      if (token === undefined) throw new Error(`the issuer gave no token: ${response.status}`);
      return token;
    },
    async rotate(forget = false) {
      const { status } = await fetch(`${url}/rotate${forget ? '?forget' : ''}`, { method: 'POST' });
      if (status !== 200) throw new Error(`the issuer did not rotate: ${status}`);
    },
    async kill() {
      child.kill('SIGKILL');
      await child.exited;
      running.delete(child);
    },
  };
}
