// A browser as tests of several engines see it: the same few verbs, whatever each of them is driven by. And one that nobody
// drives, whose profile stays when it is killed.

export interface BrowserEngine {
  readonly name: string;
  /** Of its settings a visitor may say that nobody is to sell or share what is known of him. */
  readonly hasPrivacyControl: boolean;
  /** Null: it can be had here. Else in words why not. */
  missing(): string | null;
  /** A visitor with a storage of their own. */
  drive(settings?: VisitorSettings): Promise<DrivenBrowser>;
  /** Opens a page; what happens is what its own scripts do. localStorage is that of the profile, a folder. */
  visit(profile: string, url: string): Promise<Visit>;
  /** Of what `drive` has started and still runs. */
  close(): Promise<void>;
}

/** What a visitor may have set. */
export interface VisitorSettings {
  readonly isStorageRefused?: boolean;
  readonly isPrivacyControlled?: boolean;
}

export interface DrivenBrowser {
  readonly version: string;
  /** In front, if it is the only one. */
  open(): Promise<Tab>;
  close(): Promise<void>;
}

export interface Tab {
  /** Resolves when the page has loaded, as `reload` does. */
  goto(url: string): Promise<void>;
  reload(): Promise<void>;
  /** Of an expression in the page, awaited, as JSON has it. */
  evaluate<T>(expression: string): Promise<T>;
  /** As a visitor closes it: the page hears that it goes. */
  close(): Promise<void>;
}

export interface Visit {
  /** kill -9 of all its processes. Resolves when they are dead. */
  kill(): Promise<void>;
}

/** For `skipIf`: true, said aloud, on a machine without one; in CI that is an error. */
export function isWithout(engine: BrowserEngine): boolean {
  const why = engine.missing();
  if (why === null) return false;
  if (process.env.CI) throw new Error(`no ${engine.name}, and this is CI: ${why}`);
  console.warn(`NO ${engine.name.toUpperCase()}, SO THE SDK IS NOT TESTED IN IT: ${why}`);
  return true;
}

/** In the page: what the expression gives, as text, or why it gives nothing. */
export const asText = (expression: string): string =>
  `(async () => JSON.stringify([await (${expression})]))().catch(error => JSON.stringify({ error: String(error) }))`;

export function fromText<T>(text: string): T {
  const value = JSON.parse(text) as readonly [T] | { readonly error: string };
  if ('error' in value) throw new Error(`in the page: ${value.error}`);
  return value[0];
}

export interface ProcessGroup {
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
  kill(): Promise<void>;
}

const living = new Set<number>();
process.on('exit', () => {
  for (const pid of living) killGroup(pid);
});

/** A program with a process group of its own, in which are all the processes it begins. */
export function processGroup(command: readonly string[], env: Readonly<Record<string, string>>): ProcessGroup {
  const child = Bun.spawn([...command], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    detached: true,
    env: { PATH: process.env.PATH ?? '', ...env },
  });
  living.add(child.pid);
  return {
    stdout: child.stdout,
    stderr: child.stderr,
    async kill() {
      killGroup(child.pid);
      await child.exited;
      living.delete(child.pid);
    },
  };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

const decoder = new TextDecoder();

/** What a program says first of this kind; then the rest is read, and forgotten, so that it is never kept waiting. */
export async function firstSaid(stream: ReadableStream<Uint8Array>, pattern: RegExp): Promise<string> {
  const chunks = stream[Symbol.asyncIterator]();
  for (let text = ''; ; ) {
    const { done, value } = await chunks.next();
    if (done) throw new Error(`it ended and had not said ${pattern}: ${text}`);
    text += decoder.decode(value);
    const said = pattern.exec(text);
    if (said === null) continue;
    void forget(chunks);
    return said[1] ?? said[0];
  }
}

async function forget(chunks: AsyncIterator<Uint8Array>): Promise<void> {
  while (!(await chunks.next()).done);
}
