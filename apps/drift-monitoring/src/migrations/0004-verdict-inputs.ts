import type { MigrationInterface, QueryRunner } from 'typeorm';

/** From what a verdict was made, so that it can be made again. */
export class VerdictInputs1700000500040 implements MigrationInterface {
  readonly name = 'VerdictInputs1700000500040';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE verdict ADD inputs json');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE verdict DROP inputs');
  }
}
