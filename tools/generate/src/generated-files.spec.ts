/**
 * Goal: committed files are those that the tables in the code give, and a difference is named.
 * Method: the built command with --check on this checkout; the comparison itself on a folder with one file changed, one missing, one left over.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { services, topicNames } from '@millrace/contracts';
import { checkoutRoot } from './checkout.js';
import { generateFiles, outdatedFiles } from './generated-files.js';
import { createTopicsScript, eventSchemas, topicReference } from './topic-reference.js';
import { environmentExample, settingsReference } from './settings-reference.js';

const command = join(checkoutRoot, 'tools/generate/dist/main.js');

describe('generated files', () => {
  it('are current in this checkout', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [command, '--check'], { encoding: 'utf8' });
    expect(`${stdout}${stderr}`).toMatch(/^\d+ generated files are current\n$/);
    expect(status).toBe(0);
  });

  it('refuses unknown arguments with the usage', () => {
    const { status, stdout } = spawnSync(process.execPath, [command, '--chek'], { encoding: 'utf8' });
    expect(status).toBe(64);
    expect(stdout).toContain('Unknown: --chek');
    expect(stdout).toContain('Usage: npm run generate');
  });

  describe('compared with a folder', () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'millrace-generate-'));
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    it('names what differs, what is missing and what is left over', async () => {
      mkdirSync(join(folder, 'docs/schemas'), { recursive: true });
      writeFileSync(join(folder, 'docs/errors.md'), 'edited by hand');
      writeFileSync(join(folder, 'docs/topics.md'), 'as generated');
      writeFileSync(join(folder, 'docs/schemas/gone.v1.json'), '{}');
      const files = new Map([
        ['docs/errors.md', 'as generated'],
        ['docs/topics.md', 'as generated'],
        ['docs/settings.md', 'as generated'],
      ]);
      expect(await outdatedFiles(folder, files)).toEqual([
        { path: 'docs/errors.md', why: 'differs' },
        { path: 'docs/settings.md', why: 'is missing' },
        { path: 'docs/schemas/gone.v1.json', why: 'is no longer generated' },
      ]);
    });

    it('says what to do when the services are not built', async () => {
      await expect(generateFiles(folder)).rejects.toThrow(/^[a-z-]+ is not built; run: npm run build$/);
    });
  });
});

describe('what is generated', () => {
  it('has every topic in the table, the script and the schemas', () => {
    const page = topicReference();
    const script = createTopicsScript();
    for (const topic of topicNames) {
      expect(page).toContain(`\`${topic}\``);
      expect(script).toContain(`\ncreate ${topic} `);
    }
    for (const { schema } of eventSchemas()) expect(schema).toMatchObject({ type: 'object', properties: expect.any(Object) });
  });

  it('gives compacted topics one partition and compaction', () => {
    expect(createTopicsScript()).toContain('create rollout.route-changed.v1 1 compact');
    expect(createTopicsScript()).toContain('create inference.prediction-served.v1 "$RECORD_PARTITIONS" delete');
  });

  it('shows required settings first and open, defaults as comments', () => {
    const text = environmentExample([
      { service: 'ingestion', settings: [{ variable: 'A', meaning: 'a thing', fallback: '7' }, { variable: 'B', meaning: 'a place' }] },
      { service: 'data-validation', settings: [{ variable: 'B', meaning: 'a place' }] },
    ]);
    expect(text).toContain('# ingestion: a thing\n# A=7\n');
    expect(text).toContain('# ingestion, data-validation: a place\nB=\n');
    expect(text.indexOf('\nB=')).toBeLessThan(text.indexOf('\n# A=7'));
  });

  it('marks a setting without a default as required', () => {
    const page = settingsReference(services.map((service) => ({ service, settings: [{ variable: 'ONLY_HERE', meaning: 'one | two' }] })));
    expect(page).toContain('| `ONLY_HERE` | one \\| two | **required** |');
    for (const service of services) expect(page).toContain(`## ${service}\n`);
  });
});
