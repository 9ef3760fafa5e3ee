import ts from 'typescript';
import { isCode, isDeclaration, supportsTests } from '../paths.js';
import type { Repository } from '../repository.js';
import type { Breach, Rule } from '../rule.js';
import { lineOf, nodesOf } from '../syntax.js';

/** Declarations of foreign packages repeat what those are; specs may hand over what no caller could. */
export const honestTypes: Rule = {
  name: 'honest-types',
  habit: 'Types tell the truth: no any, no cast through unknown, no comment that silences the compiler (specs excepted).',
  judge: (repository) =>
    repository.paths.filter((path) => isCode(path) && !isDeclaration(path) && !supportsTests(path)).flatMap((file) => [...judgeTypes(repository, file), ...judgeComments(repository, file)]),
};

function judgeTypes(repository: Repository, file: string): Breach[] {
  const source = repository.syntax(file);
  return [...nodesOf(source)].flatMap((node) => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) return [{ file, line: lineOf(source, node), message: 'any switches the compiler off; say what it is, or unknown' }];
    const throughUnknown = ts.isAsExpression(node) && ts.isAsExpression(node.expression) && node.expression.type.kind === ts.SyntaxKind.UnknownKeyword;
    return throughUnknown ? [{ file, line: lineOf(source, node), message: 'a cast through unknown can claim anything; check the value instead' }] : [];
  });
}

const silencers = ['ignore', 'nocheck'].map((word) => `@ts-${word}`);

function judgeComments(repository: Repository, file: string): Breach[] {
  return repository.lines(file).flatMap((line, index) =>
    silencers.filter((word) => line.includes(word)).map((word) => ({ file, line: index + 1, message: `${word} silences the compiler` })),
  );
}
