// deploy/kubernetes without a cluster: settings against config.ts, names against each other, times and ports against ugc.

import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { readConfig } from '../../src/config/read.ts';

const folder = join(import.meta.dir, '../../deploy/kubernetes');
const temporary = mkdtempSync(join(tmpdir(), 'ugc-kubernetes-'));
afterAll(() => rmSync(temporary, { recursive: true }));

type Labels = Readonly<Record<string, string>>;

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Container {
  readonly args: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly lifecycle?: object;
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly securityContext: object;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

interface Pod {
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly [Container];
}

/** What one of them has of all that they may have. */
interface Spec {
  readonly selector: { readonly matchLabels: Labels };
  readonly template: { readonly metadata: { readonly labels: Labels }; readonly spec: Pod };
  readonly serviceName: string;
  readonly clusterIP: string;
  readonly scaleTargetRef: { readonly kind: string; readonly name: string };
  readonly persistentVolumeClaimRetentionPolicy: object;
  readonly volumeClaimTemplates: readonly [
    { readonly spec: { readonly accessModes: string[]; readonly resources: { requests: { storage: string } } } },
  ];
}

interface Resource {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Labels;
  readonly spec: Spec;
}

const read = (name: string): unknown => Bun.YAML.parse(readFileSync(join(folder, name), 'utf8'));
const kustomization = read('kustomization.yaml') as { readonly resources: string[]; readonly images: unknown };
const resources = kustomization.resources.map(name => read(name) as Resource);
const named = (kind: string, name: string): Resource =>
  resources.find(object => object.kind === kind && object.metadata.name === name)!;
const settings = named('ConfigMap', 'ugc').data!;
const pods = [named('StatefulSet', 'ingest'), named('Deployment', 'etl')].map(({ kind, metadata, spec }) => ({
  kind,
  name: metadata.name,
  spec,
  pod: spec.template.spec,
  container: spec.template.spec.containers[0],
}));

function configOf(flags: readonly string[]) {
  const env = Object.fromEntries(
    Object.entries(settings).map(([name, value]) => {
      if (!name.endsWith('_FILE')) return [name, value];
      const path = join(temporary, name);
      writeFileSync(path, 'a password\n');
      return [name, path];
    }),
  );
  const result = readConfig({ flags, env });
  if (!result.ok) throw new Error(result.problems.join('\n'));
  return result.config;
}

test('every file is a resource, and none is named that is not there', () => {
  const files = [...new Bun.Glob('*.yaml').scanSync(folder)].filter(name => name !== 'kustomization.yaml');
  expect(files.toSorted()).toEqual(kustomization.resources.toSorted());
  expect(kustomization.images).toEqual([{ name: 'ugc', newTag: packageJson.version }]);
});

test.each(pods)('$name has settings that are settings, and is asked where it listens', ({ name, pod, container }) => {
  const config = configOf(container.args);
  expect<readonly string[]>(config.role).toEqual([name]);
  expect(container.ports).toEqual([{ name: 'http', containerPort: config.port }]);
  const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe];
  expect(probes.map(({ httpGet }) => [httpGet.path, httpGet.port])).toEqual([
    ['/healthz/live', 'http'],
    ['/healthz/live', 'http'],
    ['/healthz/ready', 'http'],
  ]);
  const { volumeMounts: mounts } = container;
  expect(mounts.find(({ mountPath }) => mountPath === config.dataDir)?.name).toBe('data');
  expect(settings.UGC_CLICKHOUSE_PASSWORD_FILE).toStartWith(
    `${mounts.find(({ name }) => name === 'secrets')?.mountPath}/`,
  );
  // preStop of ingest waits 5 + 80 s
  const waited = container.lifecycle === undefined ? 0 : 85;
  expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(waited + config.shutdownTimeoutMs / 1_000);
});

test.each(pods)('$name has no privilege, and is not process 1', ({ pod, container }) => {
  expect(pod).toMatchObject({
    shareProcessNamespace: true,
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: 10001, seccompProfile: { type: 'RuntimeDefault' } },
  });
  expect(container.securityContext).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  expect(readFileSync(join(folder, '../../Dockerfile'), 'utf8')).toContain('useradd --system --uid 10001');
});

test('what selects pods selects those there are', () => {
  for (const { spec } of pods) expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels);
  const selectors = resources.flatMap(({ kind, metadata, spec }) => {
    const { selector } = spec ?? {};
    if (kind === 'Service') return [[metadata.name, selector as unknown as Labels] as const];
    return kind === 'PodDisruptionBudget' ? [[metadata.name, selector.matchLabels] as const] : [];
  });
  expect(selectors.length).toBe(4);
  for (const [name, selector] of selectors)
    expect(pods.filter(pod => Bun.deepMatch(selector, pod.spec.template.metadata.labels)).map(pod => pod.name)).toEqual(
      [name.split('-')[0]!],
    );
  const { scaleTargetRef } = named('HorizontalPodAutoscaler', 'ingest').spec;
  expect(named(scaleTargetRef.kind, scaleTargetRef.name)).toBeDefined();
  expect(named('Service', named('StatefulSet', 'ingest').spec.serviceName).spec.clusterIP).toBe('None');
});

test('a volume holds the buffer and its reserve, and is never two pods’, nor taken away', () => {
  const { volumeClaimTemplates, persistentVolumeClaimRetentionPolicy } = named('StatefulSet', 'ingest').spec;
  const [{ spec }] = volumeClaimTemplates;
  const config = configOf(['--role=ingest']);
  const bytes = Number(/^(\d+)Gi$/.exec(spec.resources.requests.storage)![1]) * 2 ** 30;
  expect(bytes).toBeGreaterThanOrEqual(config.bufferBytesMax + config.bufferDiskReserveBytes);
  expect(spec.accessModes).toEqual(['ReadWriteOncePod']);
  expect(persistentVolumeClaimRetentionPolicy).toEqual({ whenScaled: 'Retain', whenDeleted: 'Retain' });
});
