/**
 * Goal: alert rules fire when they should and only then, ask for metrics that exist, and lead to a page that helps.
 * Method: promtool runs the rules’ own tests where it is installed; that each alert has a test and a runbook is read from the files.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { checkoutRoot } from './checkout.js';
import { metricNamesOf } from './metric-names.js';
import { isInstalled } from './prometheus.js';
import { registeredMetrics } from './registered-metrics.fixture.js';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
}

const folder = join(checkoutRoot, 'deploy/prometheus');
const rules = (parse(readFileSync(join(folder, 'alerts.yml'), 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
const tests = (parse(readFileSync(join(folder, 'alerts.test.yml'), 'utf8')) as { tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[] }).tests;

const hasPromtool = isInstalled('promtool');
if (!hasPromtool) process.stderr.write('SKIPPED: promtool is not installed (Debian: apt-get install prometheus); alert rules were not run\n');
const withPromtool = hasPromtool ? it : it.skip;

describe('alert rules', () => {
  it('each fire in a test of theirs', () => {
    const seenFiring = new Set(tests.flatMap((test) => test.alert_rule_test).filter((one) => one.exp_alerts.length > 0).map((one) => one.alertname));
    expect(rules.map(({ alert }) => alert).filter((alert) => !seenFiring.has(alert))).toEqual([]);
  });

  it('ask only for metrics that a service registers', async () => {
    const registered = await registeredMetrics();
    expect(rules.flatMap(({ alert, expr }) => metricNamesOf(expr).filter((name) => !registered.has(name)).map((name) => `${alert}: ${name}`))).toEqual([]);
  });

  it('say how urgent they are and name a runbook with symptom, first look and what to do', () => {
    for (const { labels, annotations } of rules) {
      expect(['page', 'ticket']).toContain(labels.severity);
      expect(annotations.summary).not.toBe('');
      const page = readFileSync(join(checkoutRoot, annotations.runbook), 'utf8');
      for (const heading of ['## Symptom', '## First look', '## What to do']) expect(page).toContain(heading);
    }
    const named = rules.map(({ annotations }) => annotations.runbook).sort();
    expect(readdirSync(join(checkoutRoot, 'docs/runbooks')).filter((name) => name.endsWith('.md')).map((name) => `docs/runbooks/${name}`).sort()).toEqual(named);
  });

  withPromtool('are well formed (promtool check rules)', () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', 'alerts.yml'], { cwd: folder, encoding: 'utf8' });
    expect(`${stdout}${stderr}`).toContain(`${rules.length} rules found`);
    expect(status).toBe(0);
  });

  withPromtool('fire when they should and only then (promtool test rules)', () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', 'alerts.test.yml'], { cwd: folder, encoding: 'utf8' });
    expect(`${stdout}${stderr}`).toContain('SUCCESS');
    expect(status).toBe(0);
  });
});
