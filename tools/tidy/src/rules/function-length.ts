import ts from 'typescript';
import { isCode, supportsTests } from '../paths.js';
import type { Repository } from '../repository.js';
import type { Rule } from '../rule.js';
import { lineOf, nodesOf } from '../syntax.js';

/** One screen, signature and braces included. */
const linesMax = 60;

export const functionLength: Rule = {
  name: 'function-length',
  habit: `A function fits a screen: at most ${linesMax} lines.`,
  judge: (repository) =>
    repository.paths.flatMap((file) =>
      functionsIn(repository, file)
        .filter(({ lines }) => lines > linesMax)
        .map(({ name, line, lines }) => ({ file, line, message: `${name} has ${lines} lines, more than ${linesMax}` })),
    ),
};

interface Measured {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
}

function functionsIn(repository: Repository, file: string): Measured[] {
  if (file.endsWith('.py')) return pythonFunctions(repository.lines(file));
  if (!isCode(file)) return [];
  const source = repository.syntax(file);
  const functions = [...nodesOf(source)].filter(ts.isFunctionLike).filter((node) => !(supportsTests(file) && holdsTests(node)));
  return functions.map((node) => {
    const line = lineOf(source, node);
    return { name: nameOf(node), line, lines: source.getLineAndCharacterOfPosition(node.getEnd()).line + 2 - line };
  });
}

/** By indentation; a bracket that closes a long signature belongs to it. */
function pythonFunctions(lines: readonly string[]): Measured[] {
  const indentOf = (line: string) => line.length - line.trimStart().length;
  return lines.flatMap((head, start) => {
    const name = /^\s*(?:async )?def (\w+)/.exec(head)?.[1];
    if (name === undefined) return [];
    const after = lines.slice(start + 1);
    const next = after.findIndex((line) => line.trim() !== '' && indentOf(line) <= indentOf(head) && !line.trimStart().startsWith(')'));
    const body = next === -1 ? after : after.slice(0, next);
    return [{ name, line: start + 1, lines: 1 + body.findLastIndex((line) => line.trim() !== '') + 1 }];
  });
}

/** A describe block is a chapter of functions, not a function. */
function holdsTests(node: ts.Node): boolean {
  return [...nodesOf(node)].some((inner) => ts.isCallExpression(inner) && /^(describe|it|test)\b/.test(inner.expression.getText()));
}

function nameOf(node: ts.SignatureDeclaration): string {
  if (node.name !== undefined) return node.name.getText();
  const { parent } = node;
  return ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent) ? parent.name.getText() : 'a function';
}
