import { describeLogDriver } from '../testing/driver.conformance.fixture.js';
import { MemoryDriver } from './memory.driver.js';

describeLogDriver('memory', async () => new MemoryDriver());
