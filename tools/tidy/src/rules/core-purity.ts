import ts from 'typescript';
import { supportsTests } from '../paths.js';
import type { Rule } from '../rule.js';
import { lineOf, nodesOf } from '../syntax.js';

const members = new Set(['Date.now', 'Math.random']);
const objects = new Set(['performance', 'process', 'crypto', 'console', 'globalThis']);
const functions = new Set(['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'fetch']);

/** Time, chance and the outside world reach the core as arguments, or a replay would decide otherwise. */
export const corePurity: Rule = {
  name: 'core-purity',
  habit: 'libs/core reads no clock, no chance, no environment, and starts nothing.',
  judge: (repository) =>
    repository
      .codeFiles()
      .filter((path) => path.startsWith('libs/core/src/') && !supportsTests(path))
      .flatMap((file) => {
        const source = repository.syntax(file);
        const nodes = [...nodesOf(source)];
        const own = new Set(nodes.filter(declaresName).map((node) => node.name?.getText()));
        return nodes.flatMap((node) => {
          const impurity = impurityOf(node, own);
          return impurity === undefined ? [] : [{ file, line: lineOf(source, node), message: `${impurity} makes core impure; take it as an argument` }];
        });
      }),
};

type Naming = ts.VariableDeclaration | ts.ParameterDeclaration | ts.BindingElement | ts.FunctionDeclaration | ts.ImportSpecifier;

/** `performance` is also what a model has: a name that the file declares itself is not the global one. */
function declaresName(node: ts.Node): node is Naming {
  return ts.isVariableDeclaration(node) || ts.isParameter(node) || ts.isBindingElement(node) || ts.isFunctionDeclaration(node) || ts.isImportSpecifier(node);
}

function impurityOf(node: ts.Node, own: ReadonlySet<string | undefined>): string | undefined {
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
    const name = `${node.expression.text}.${node.name.text}`;
    return members.has(name) || (objects.has(node.expression.text) && !own.has(node.expression.text)) ? name : undefined;
  }
  if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && (node.arguments?.length ?? 0) === 0) return 'new Date()';
  if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
    if (node.expression.text === 'Date') return 'Date()';
    if (functions.has(node.expression.text) && !own.has(node.expression.text)) return `${node.expression.text}()`;
  }
  return undefined;
}
