import { Controller, Get, Param } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { MillraceError } from '@millrace/contracts';
import { VerdictStore, type KeptVerdict } from './verdict.store.js';

@ApiTags('monitoring')
@Controller('v1/verdicts')
export class VerdictByIdController {
  constructor(private readonly verdicts: VerdictStore) {}

  @Get(':verdictId')
  @ApiOperation({ summary: 'One verdict with what it was made from; every revision, the first one first' })
  async get(@Param('verdictId') verdictId: string): Promise<{ verdictId: string; revisions: KeptVerdict[] }> {
    const revisions = await this.verdicts.revisions(verdictId);
    if (revisions.length === 0) throw new MillraceError('VERDICT_UNKNOWN', `there is no verdict ${verdictId}`);
    return { verdictId, revisions };
  }

  @Get(':verdictId/trail')
  @ApiOperation({ summary: 'Of a rise of the errors: the panes that the watch went through last, and the watch before them' })
  async trail(@Param('verdictId') verdictId: string): Promise<object> {
    const state = await this.verdicts.stateOf(verdictId);
    if (typeof state !== 'object' || state === null || !('trail' in state) || typeof state.trail !== 'object' || state.trail === null) throw new MillraceError('VERDICT_UNKNOWN', `there is no rise ${verdictId} whose panes were kept`);
    return state.trail;
  }
}
