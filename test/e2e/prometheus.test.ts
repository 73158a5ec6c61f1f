// The rules and dashboards against a real Prometheus: each alert fires when it should and not when it should not, and of a
// real ugc that has work to do every rule and every panel has an answer.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { alertCases } from '../support/alert-cases.ts';
import { authorityIn } from '../support/certificates.ts';
import { askerOf, contentFlags, tokenFor } from '../support/content-client.ts';
import { clientEvent } from '../support/events.ts';
import { isWithoutPrometheus, promtool, startPrometheus, type TestPrometheus } from '../support/prometheus.ts';
import { randomOf } from '../support/random.ts';
import { panelQueries, prometheusFolder, rulesOf } from '../support/rule-files.ts';
import { eventually, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const panels = await panelQueries();
const alerts = await rulesOf('alerts.yaml');
const recorded = await rulesOf('recording.yaml');
const ruleFiles = ['recording.yaml', 'alerts.yaml'].map(file => join(prometheusFolder, file));

describe.skipIf(isWithoutPrometheus())('Prometheus', () => {
  test('understands what it is given', () => {
    const { isGood, said } = promtool(prometheusFolder, 'check', 'config', 'prometheus.yaml');
    expect(isGood, said).toBe(true);
  });

  describe('every alert', () => {
    test('has a case', () => {
      expect(alertCases.map(({ alert }) => alert).toSorted()).toEqual(alerts.map(({ alert = '' }) => alert).toSorted());
    });

    test.each(alertCases.map(each => [each.alert, each] as const))('%s fires, and only then', (alert, given) => {
      const folder = temporaryFolder();
      const firing = `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`;
      const caseOf = (name: string, series: Readonly<Record<string, string>>, alarms: number) => ({
        name,
        interval: '1m',
        input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
        promql_expr_test: [{ expr: firing, eval_time: given.after, exp_samples: [{ labels: '{}', value: alarms }] }],
      });
      const tests = [caseOf('fires', given.fires, 1), ...given.quiet.map(series => caseOf('is quiet', series, 0))];
      writeFileSync(
        join(folder, 'tests.yaml'),
        JSON.stringify({ rule_files: ruleFiles, evaluation_interval: '1m', tests }),
      );
      const { isGood, said } = promtool(folder, 'test', 'rules', 'tests.yaml');
      expect(isGood, said).toBe(true);
    });
  });

  describe('over a ugc with work to do', () => {
    const random = randomOf('Prometheus');
    const working = new AbortController();
    let ugc: Ugc;
    let prometheus: TestPrometheus;
    let work: Promise<void>;

    beforeAll(async () => {
      const folder = temporaryFolder();
      const authority = authorityIn(folder);
      const { cert, key } = authority.issue('front');
      ugc = await startUgc({
        dataDir: temporaryFolder(),
        flags: [
          ...[...contentFlags, `--tls-cert=${cert}`, `--tls-key=${key}`, '--request-log=false'],
          ...[`--archive-url=file://${folder}/cold`, '--archive-file-seconds=1'],
        ],
      });
      prometheus = await startPrometheus({ targets: [ugc.url], ruleFiles, ca: authority.ca });
      work = keepBusy(authority.pem);
    });
    afterAll(async () => {
      working.abort();
      await work;
      await prometheus?.stop();
      ugc?.kill('SIGKILL');
    });

    /** Events, good and bad, and changes of content, until nobody asks any more. */
    async function keepBusy(ca: string): Promise<void> {
      const anna = askerOf(ugc.url, tokenFor('anna', 'content:write events:write'), { ca });
      for (let round = 0; !working.signal.aborted; round++) {
        const events = [...Array.from({ length: 5 }, () => clientEvent(random)), { event_type: 'click' }];
        await anna('POST', '/v1/events', { body: events });
        await anna('PUT', `/v1/films/film-${round}/like`, { body: { value: 1 } });
        await anna('PUT', `/v1/films/film-${round}/progress`, { body: { position: 10, duration: 100 } });
        await Bun.sleep(200); // the pace of its clients
      }
    }

    /** Of these a process that is well has no samples, and a panel says 0: which alarms they are the cases above say. */
    const unhappened =
      /ugc_(dead_letters|rate_limited|ruled|etl_log_replaced|buffer_drained)_total|ugc_etl_(halted|waiting)|ALERTS|up\{.*== 0|outcome="failed"/;

    /** What this ugc has not: a log that deletes, an archive that was verified, alerts. Of those a panel says so in words. */
    const notHere = /retention_left_seconds|archive_verified|^max by \(alertname\)/;

    const answers = async (expr: string): Promise<boolean> => {
      const asked = expr.replaceAll('$__rate_interval', '10s').replaceAll('$__range', '1m');
      const meant = unhappened.test(expr) ? asked : asked.replace(/ or (on \(\) label_replace\()?vector\(0\).*$/, '');
      return (await prometheus.query(meant)).length > 0;
    };

    test('every recorded rule has samples', async () => {
      for (const { record = '' } of recorded) await eventually(() => answers(record), { what: `samples of ${record}` });
    });

    test('what may be empty says so', () => {
      const silent = panels.filter(({ expr, mayBeEmpty }) => notHere.test(expr) && !mayBeEmpty);
      expect(silent).toEqual([]);
    });

    test('every panel shows something', async () => {
      for (const { of, expr } of panels.filter(({ expr }) => !notHere.test(expr)))
        await eventually(() => answers(expr), { what: `${of} shows ${expr}` });
    });

    test('no alert fires', async () => {
      await eventually(async () => (await prometheus.query('ugc_archive_lag_seconds')).length > 0, {
        what: 'a scrape',
      });
      expect(await prometheus.query('ALERTS{alertstate="firing"}')).toEqual([]);
    });
  });
});
