import { storageSettings, type ConfigOf } from '@millrace/service';

export const modelRegistrySettings = { ...storageSettings } as const;
export type ModelRegistryConfig = ConfigOf<typeof modelRegistrySettings>;
