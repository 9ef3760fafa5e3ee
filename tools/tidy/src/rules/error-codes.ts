import ts from 'typescript';
import { isCode, supportsTests } from '../paths.js';
import type { Repository } from '../repository.js';
import type { Rule } from '../rule.js';
import { lineOf, nodesOf } from '../syntax.js';

const catalogue = 'libs/contracts/src/errors.ts';

/** That a code in use is in the catalogue is the compiler’s business; that a code in the catalogue is in use is ours. */
export const errorCodes: Rule = {
  name: 'error-codes',
  habit: 'Every code of the error catalogue is used outside specs.',
  judge: (repository) => {
    if (!repository.has(catalogue)) return [];
    const used = usedTexts(repository);
    return codesOf(repository)
      .filter(({ code }) => !used.has(code))
      .map(({ code, line }) => ({ file: catalogue, line, message: `nothing reports ${code}; a code that is not used goes` }));
  },
};

function codesOf(repository: Repository): { code: string; line: number }[] {
  const source = repository.syntax(catalogue);
  const table = [...nodesOf(source)].find((node) => ts.isVariableDeclaration(node) && node.name.getText() === 'errorCatalogue');
  const literal = table === undefined ? undefined : [...nodesOf(table)].find(ts.isObjectLiteralExpression);
  return (literal?.properties ?? []).flatMap((property) => (property.name === undefined ? [] : [{ code: property.name.getText(), line: lineOf(source, property) }]));
}

/** Texts and keys of every table, since a code may be chosen through one; comments do not count. */
function usedTexts(repository: Repository): Set<string> {
  const used = new Set<string>();
  for (const path of repository.paths) {
    if (path === catalogue || !isCode(path) || supportsTests(path)) continue;
    for (const node of nodesOf(repository.syntax(path))) {
      if (ts.isStringLiteralLike(node)) used.add(node.text);
      else if (ts.isPropertyAssignment(node)) used.add(node.name.getText());
    }
  }
  return used;
}
