// Where a test's Java server comes from when there is no address and no container engine: its own jars, fetched once by Maven
// into the user's cache. A download goes to a folder of its own and is renamed when complete, so two tests may do it at
// once and a download cut short is never used.

import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface MavenServer {
  /** As people call it. */
  readonly title: string;
  /** Of its folder in the cache. */
  readonly name: string;
  readonly version: string;
  /** group:artifact:version. */
  readonly artifacts: readonly string[];
  /** group:artifact, or group:*: what none of them is to bring along. */
  readonly exclusions?: readonly string[];
}

/** The folder of jars, or why there is none. */
export async function mavenJars(
  server: MavenServer,
): Promise<{ readonly jars: string } | { readonly missing: string }> {
  for (const tool of ['java', 'mvn'])
    if (Bun.which(tool) === null) return { missing: `${tool} is not installed (Java 17 and Maven are needed)` };
  const { title, name, version } = server;
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ugc-test', name);
  const jars = join(cache, version);
  if (existsSync(jars)) return { jars };
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'download-'));
  try {
    console.log(`fetching ${title} ${version} through Maven into ${cache}, once`);
    writeFileSync(join(folder, 'pom.xml'), pomOf(server));
    const failure = await fetched(folder);
    if (failure !== null) return { missing: `Maven could not fetch ${title}: ${failure}` };
    try {
      renameSync(join(folder, 'jars'), jars);
    } catch (error) {
      // Another test was first.
      if (!existsSync(jars)) throw error;
    }
    return { jars };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Null, or what Maven said. What it has by then it keeps, and goes on from there: a repository may be away for a moment. */
async function fetched(folder: string): Promise<string | null> {
  for (let tries = 1; ; tries++) {
    const maven = Bun.spawn(['mvn', '-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=jars'], {
      cwd: folder,
      stdout: 'pipe',
      stderr: 'inherit',
    });
    const said = await new Response(maven.stdout).text();
    if ((await maven.exited) === 0) return null;
    if (tries === fetchTriesMax) return said.slice(0, 500);
    await Bun.sleep(tries * 2_000);
  }
}

const fetchTriesMax = 3;

const pomOf = ({
  name,
  artifacts,
  exclusions = [],
}: MavenServer): string => `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion><groupId>ugc</groupId><artifactId>test-${name}</artifactId><version>1</version>
  <dependencies>${artifacts
    .map(artifact => artifact.split(':'))
    .map(
      ([group, id, version]) => `
    <dependency><groupId>${group}</groupId><artifactId>${id}</artifactId><version>${version}</version>${excluding(exclusions)}</dependency>`,
    )
    .join('')}
  </dependencies>
</project>
`;

const excluding = (names: readonly string[]): string => {
  const items = names
    .map(name => name.split(':'))
    .map(([group, id]) => `<exclusion><groupId>${group}</groupId><artifactId>${id}</artifactId></exclusion>`);
  return items.length === 0 ? '' : `<exclusions>${items.join('')}</exclusions>`;
};
