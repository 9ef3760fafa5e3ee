import type { Rule } from '../rule.js';

/** Put together here, so that the rule does not find itself. */
const hosts = [
  ['registry', 'npmjs', 'org'],
  ['registry', 'yarnpkg', 'com'],
  ['repo1', 'maven', 'org'],
  ['repo', 'maven', 'apache', 'org'],
  ['pypi', 'org'],
  ['files', 'pythonhosted', 'org'],
  ['deb', 'debian', 'org'],
  ['security', 'debian', 'org'],
  ['archive', 'ubuntu', 'com'],
  ['proxy', 'golang', 'org'],
  ['registry-1', 'docker', 'io'],
].map((labels) => labels.join('.'));

/** Every tool has a setting for its registry; a host written here would go around a company’s mirror. */
export const registryHost: Rule = {
  name: 'registry-host',
  habit: 'No file names the host of a package registry.',
  judge: (repository) =>
    repository.paths.flatMap((file) =>
      repository.lines(file).flatMap((line, index) => hosts.filter((host) => line.includes(host)).map((host) => ({ file, line: index + 1, message: `names the package registry ${host}` }))),
    ),
};
