import { join } from 'node:path';

let profiles: string | undefined;

/** From now on the servers that are started write CPU profiles, one folder each, when they end. */
export function writeProfilesTo(folder: string): void {
  profiles = folder;
}

export const nodeFlags = (server: string): string[] => (profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(profiles, server)}`]);
