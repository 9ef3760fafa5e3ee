import ts from 'typescript';
import { isSpec, isTypeScript } from '../paths.js';
import type { Repository } from '../repository.js';
import type { Breach, Rule } from '../rule.js';
import { lineOf, nodesOf } from '../syntax.js';

/** TypeORM orders migrations by the 13 digits (milliseconds) at the end of their names. */
const stamped = /^[A-Z](?:\w*[A-Za-z])?(\d{13})$/;

export const migrationName: Rule = {
  name: 'migration-name',
  habit: 'A migration class ends in its timestamp (13 digits), says the same in `name`, and shares it with no other.',
  judge: (repository) => {
    const firstWith = new Map<string, string>();
    return repository.paths
      .filter((path) => isTypeScript(path) && !isSpec(path))
      .flatMap((file) => migrationsIn(repository, file).flatMap((migration) => judgeMigration(repository, file, migration, firstWith)));
  },
};

function migrationsIn(repository: Repository, file: string): ts.ClassDeclaration[] {
  const implementsMigration = (node: ts.ClassDeclaration) => node.heritageClauses?.some((clause) => clause.types.some((type) => type.expression.getText() === 'MigrationInterface'));
  return [...nodesOf(repository.syntax(file))].filter(ts.isClassDeclaration).filter(implementsMigration);
}

function judgeMigration(repository: Repository, file: string, migration: ts.ClassDeclaration, firstWith: Map<string, string>): Breach[] {
  const breach = (message: string): Breach => ({ file, line: lineOf(repository.syntax(file), migration), message });
  const className = migration.name?.text ?? '';
  const timestamp = stamped.exec(className)?.[1];
  if (timestamp === undefined) return [breach(`the migration ${className} does not end in a timestamp of 13 digits`)];
  const found: Breach[] = [];
  const first = firstWith.get(timestamp);
  if (first !== undefined) found.push(breach(`the timestamp ${timestamp} is also that of ${first}`));
  firstWith.set(timestamp, className);
  const said = migration.members.filter(ts.isPropertyDeclaration).find((member) => member.name.getText() === 'name')?.initializer;
  if (said !== undefined && ts.isStringLiteralLike(said) && said.text !== className) found.push(breach(`the class is called ${className}, its name is ${said.text}`));
  return found;
}
