// Goal: every rule finds the breaches it is for, at their file and line, and lets everything else pass.
// Method: each rule judges small repositories in memory (trials/), broken and clean ones; the expected places were written by
// hand beside them. A rule without trials fails, so that none is added untested.
import { describe, expect, it } from '@jest/globals';
import { judgeAll, rules } from './rules.js';
import { repositoryOf, type Trial } from './trial.fixture.js';
import { appTrials } from './trials/apps.fixture.js';
import { borderTrials } from './trials/borders.fixture.js';
import { codeTrials } from './trials/code.fixture.js';
import { coreTrials } from './trials/core.fixture.js';
import { testTrials } from './trials/tests.fixture.js';
import { textTrials } from './trials/text.fixture.js';

const trials: readonly Trial[] = [...appTrials, ...borderTrials, ...codeTrials, ...coreTrials, ...testTrials, ...textTrials];

it('every rule has one trial with broken and clean repositories', () => {
  const tried = trials.filter(({ broken, clean }) => broken.length > 0 && clean.length > 0).map(({ rule }) => rule.name);
  expect(tried.sort()).toEqual(rules.map(({ name }) => name).sort());
});

describe.each(trials.map((trial) => [trial.rule.name, trial] as const))('%s', (_name, { rule, broken, clean }) => {
  it.each(broken.map((each) => [each.about, each] as const))('finds %s', (_about, { files, graph, finds }) => {
    const found = judgeAll(repositoryOf({ files, graph }), [rule]);
    expect(found.map(({ file, line }) => `${file}:${line}`)).toEqual(finds.map(([place]) => place));
    finds.forEach(([, word], index) => expect(found[index]?.message).toContain(word));
  });

  it.each(clean.map((each) => [each.about, each] as const))('lets pass %s', (_about, { files, graph }) => {
    expect(judgeAll(repositoryOf({ files, graph }), [rule])).toEqual([]);
  });
});
