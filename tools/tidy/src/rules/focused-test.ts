import ts from 'typescript';
import { isSpec } from '../paths.js';
import type { Rule } from '../rule.js';
import { lineOf, nodesOf } from '../syntax.js';

const runners = new Set(['describe', 'it', 'test']);
const prefixed = new Set(['fit', 'fdescribe', 'xit', 'xtest', 'xdescribe']);

/** `only` is wrong wherever it is named; `skip` only when called at once: chosen by a condition it is how a spec says what the machine lacks. */
export const focusedTest: Rule = {
  name: 'focused-test',
  habit: 'No spec runs alone and none is switched off: no .only, .skip, fit, xit, fdescribe, xdescribe.',
  judge: (repository) =>
    repository.paths.filter(isSpec).flatMap((file) => {
      const source = repository.syntax(file);
      return [...nodesOf(source)].flatMap((node) => {
        const mark = markOf(node);
        return mark === undefined ? [] : [{ file, line: lineOf(source, node), message: `${mark} keeps other tests, or this one, from running` }];
      });
    }),
};

function markOf(node: ts.Node): string | undefined {
  if (ts.isIdentifier(node) && prefixed.has(node.text) && ts.isCallExpression(node.parent)) return node.text;
  if (!ts.isPropertyAccessExpression(node) || !ts.isIdentifier(node.expression) || !runners.has(node.expression.text)) return undefined;
  const name = `${node.expression.text}.${node.name.text}`;
  if (node.name.text === 'only') return name;
  return node.name.text === 'skip' && isCalled(node) ? name : undefined;
}

/** `it.skip(…)` and `it.skip.each(…)(…)`. */
function isCalled(node: ts.PropertyAccessExpression): boolean {
  const { parent } = node;
  return (ts.isCallExpression(parent) && parent.expression === node) || (ts.isPropertyAccessExpression(parent) && parent.expression === node);
}
