// Goal: a goal's verdict follows from its figure, tables line up, and two runs are compared figure by figure.
// Method: a small record made by hand, and the texts a reader expects of it.
import { describe, expect, it } from '@jest/globals';
import { reached, type Section } from '../cases/section.js';
import { differences } from './compare.js';
import { formatCell, markdownTable, textTable } from './table.js';

const section = (figures: Record<string, number | null>): Section => ({ id: 'throughput', title: '', about: '', columns: [], rows: [], figures, goals: [], windows: {} });

describe('reached', () => {
  const goal = { goal: 'g', unit: '×', limit: 0.8 } as const;
  it.each([
    ['at least', 0.8, true],
    ['at least', 0.79, false],
    ['at most', 0.8, true],
    ['at most', 0.81, false],
    ['at least', null, null],
  ] as const)('%s 0.8, measured %j: %j', (sense, value, expected) => expect(reached({ ...goal, sense, value })).toBe(expected));
});

describe('tables', () => {
  it.each([
    [27_912.4, '27,912'],
    [1_234, '1,234'],
    [36.25, '36.3'],
    [0.804, '0.80'],
    [null, '–'],
    ['x', 'x'],
  ])('show %j as %j', (value, text) => expect(formatCell(value)).toBe(text));

  it('line numbers up to the right and words to the left', () => {
    expect(textTable(['server', 'req/s'], [['echo', 900], ['gateway', 12_000]])).toBe(['server    req/s', '───────  ──────', 'echo        900', 'gateway  12,000'].join('\n'));
  });

  it('keep a bar inside a cell of Markdown', () => {
    expect(markdownTable(['a', 'n'], [['x|y', 1]])).toBe('| a | n |\n| --- | ---: |\n| x\\|y | 1 |');
  });
});

describe('differences', () => {
  it('sets every figure of either run beside the other', () => {
    const before = { sections: [section({ 'echo.perSecond': 20_000, 'gone.p50Ms': 3 })] };
    const after = { sections: [section({ 'echo.perSecond': 25_000, 'new.p50Ms': null })] };
    expect(differences(before, after)).toEqual([
      ['throughput: echo.perSecond', 20_000, 25_000, 1.25],
      ['throughput: gone.p50Ms', 3, null, null],
      ['throughput: new.p50Ms', null, null, null],
    ]);
  });
});
