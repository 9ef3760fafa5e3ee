import type { Breach, Rule } from './rule.js';
import type { Repository } from './repository.js';
import { appFiles } from './rules/app-files.js';
import { coreFolders } from './rules/core-folders.js';
import { coreImports } from './rules/core-imports.js';
import { corePurity } from './rules/core-purity.js';
import { deadFile } from './rules/dead-file.js';
import { declaredPackages } from './rules/declared-packages.js';
import { emptyName } from './rules/empty-name.js';
import { errorCodes } from './rules/error-codes.js';
import { fileLength } from './rules/file-length.js';
import { focusedTest } from './rules/focused-test.js';
import { frontDoor } from './rules/front-door.js';
import { functionLength } from './rules/function-length.js';
import { honestTypes } from './rules/honest-types.js';
import { layerTag } from './rules/layer-tag.js';
import { machinePath } from './rules/machine-path.js';
import { migrationName } from './rules/migration-name.js';
import { packageHome } from './rules/package-home.js';
import { projectBorders } from './rules/project-borders.js';
import { registryHost } from './rules/registry-host.js';
import { specPlace } from './rules/spec-place.js';
import { testingPlace } from './rules/testing-place.js';
import { unfinishedMark } from './rules/unfinished-mark.js';

export const rules: readonly Rule[] = [
  appFiles, coreFolders, coreImports, corePurity, deadFile, declaredPackages, emptyName, errorCodes, fileLength, focusedTest, frontDoor, functionLength,
  honestTypes, layerTag, machinePath, migrationName, packageHome, projectBorders, registryHost, specPlace, testingPlace, unfinishedMark,
];

export interface Finding extends Breach {
  readonly rule: string;
}

/** In the order of files and lines, whatever the order of the rules. */
export function judgeAll(repository: Repository, chosen: readonly Rule[] = rules): Finding[] {
  return chosen
    .flatMap((rule) => rule.judge(repository).map((breach) => ({ rule: rule.name, ...breach })))
    .sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
}
