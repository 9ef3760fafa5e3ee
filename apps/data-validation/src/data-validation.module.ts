import { Module, type DynamicModule } from '@nestjs/common';
import { Readiness } from '@millrace/service';
import { AccountingStore } from './accounting.store.js';
import { ArchiveRecordsHandler } from './archive-records.handler.js';
import { BatchJudgedConsumer } from './batch-judged.consumer.js';
import { ContractStore } from './contract.store.js';
import { ContractsInForce } from './contracts-in-force.js';
import { CountRefusedHandler } from './count-refused.handler.js';
import { DataValidationSettings, type DataValidationConfig } from './data-validation.config.js';
import { FindRecordHandler } from './find-record.handler.js';
import { JudgeRecordsHandler } from './judge-records.handler.js';
import { KeepQuarantinedHandler } from './keep-quarantined.handler.js';
import { QualityStore } from './quality.store.js';
import { QuarantineController } from './quarantine.controller.js';
import { QuarantineStore } from './quarantine.store.js';
import { RecordAcceptedConsumer } from './record-accepted.consumer.js';
import { RecordQualityHandler } from './record-quality.handler.js';
import { RecordQuarantinedConsumer } from './record-quarantined.consumer.js';
import { RecordRefusedConsumer } from './record-refused.consumer.js';
import { ReplayQuarantineHandler } from './replay-quarantine.handler.js';
import { openSegmentObjects, SEGMENT_OBJECTS } from './segment-objects.js';
import { SegmentStore } from './segment.store.js';
import { StreamsController } from './streams.controller.js';

@Module({})
export class DataValidationModule {
  static with(config: DataValidationConfig): DynamicModule {
    return {
      module: DataValidationModule,
      controllers: [RecordAcceptedConsumer, BatchJudgedConsumer, RecordQuarantinedConsumer, RecordRefusedConsumer, QuarantineController, StreamsController],
      providers: [
        { provide: DataValidationSettings, useValue: config },
        { provide: SEGMENT_OBJECTS, inject: [Readiness], useFactory: (readiness: Readiness) => openSegmentObjects(config.storageUrl, readiness) },
        ContractsInForce,
        JudgeRecordsHandler,
        ArchiveRecordsHandler,
        KeepQuarantinedHandler,
        RecordQualityHandler,
        CountRefusedHandler,
        ReplayQuarantineHandler,
        FindRecordHandler,
        ContractStore,
        SegmentStore,
        QuarantineStore,
        QualityStore,
        AccountingStore,
      ],
    };
  }
}
