/*
 * Goal: a stack can be found while it runs and not afterwards; one stack never takes back what another announced.
 * Method: two stacks' files in one .millrace folder, written and removed in both orders.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { endpointsPath, readEndpoints, removeEndpoints, writeEndpoints, type Endpoints } from './endpoints.js';
import { temporaryFolders } from './temporary-folder.fixture.js';

const makeFolder = temporaryFolders();
const endpointsAt = (portBase: number): Endpoints => ({ kafka: `127.0.0.1:${portBase}`, postgres: 'postgresql://there', storage: 'file:///there', services: { ingestion: `http://127.0.0.1:${portBase + 11}` }, portBase, pid: 1 });

describe('endpoints', () => {
  it('are read back as written, and gone after removal', async () => {
    const folder = await makeFolder();
    await writeEndpoints(folder, endpointsAt(7400));
    expect(await readEndpoints(folder)).toEqual(endpointsAt(7400));
    await removeEndpoints(folder);
    expect(await readEndpoints(folder)).toBeUndefined();
  });

  it('are announced where the command looks, until their own stack stops', async () => {
    const millrace = join(await makeFolder(), '.millrace');
    const [story, run] = [join(millrace, 'story'), join(millrace, 'run')];
    await writeEndpoints(story, endpointsAt(7400));
    expect(JSON.parse(await readFile(endpointsPath(millrace), 'utf8'))).toEqual(endpointsAt(7400));
    await writeEndpoints(run, endpointsAt(9000));
    await removeEndpoints(story);
    expect(await readEndpoints(millrace)).toEqual(endpointsAt(9000));
    await removeEndpoints(run);
    expect(await readEndpoints(millrace)).toBeUndefined();
  });

  it('say so when the file is something else', async () => {
    const folder = await makeFolder();
    await mkdir(folder, { recursive: true });
    await writeFile(endpointsPath(folder), '{"kafka": ');
    await expect(readEndpoints(folder)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
