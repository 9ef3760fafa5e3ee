import './engine-flags.js';
import { runService } from '@millrace/service';
import { inferenceGatewaySettings } from './inference-gateway.config.js';
import { InferenceGatewayModule } from './inference-gateway.module.js';
import { inferencePaths } from './edge/inference.openapi.js';

runService({
  name: 'inference-gateway',
  description: 'Answers predictions with the routed version of each model and logs every one of them.',
  settings: inferenceGatewaySettings,
  openApiPaths: inferencePaths,
  module: (config) => InferenceGatewayModule.with(config),
});
