/**
 * What fault-injection tests need: proves that a node that embeds the reporter survives. No test framework is needed,
 * and nothing here is loaded by the reporter itself.
 *
 *     import { FaultyStore, MemoryStore, OrderChecker, until } from 'lars-reporter/testing';
 *
 *     const order = new OrderChecker();
 *     const store = new FaultyStore({ inner: order.watch(new MemoryStore()) });
 *     const reporter = await startReporter(config, { store });
 *     store.atRandom({ seed: 7, fail: 0.3, lose: 0.1 });
 *     for (const report of reports) {
 *       order.sent(report);
 *       await reporter.report(report);
 *     }
 *     store.heal();
 *     await until(() => reporter.ledger().pending === 0, { boundMs: 20_000, what: 'everything to be stored' });
 *     order.verify();
 *
 * @module lars-reporter/testing
 */

export type { JournalFaults, StoredBytes } from '../journal/faults.js';
export { StoreError, type StoreErrorClass } from '../model/errors.js';
export {
  type Addresses,
  type AddressPlan,
  type AgentRules,
  type CallTotals,
  type ClockSkew,
  type Condition,
  ELB,
  type FlappingHost,
  type HostAddress,
  LARS,
  LARS_DEFAULTS,
  type Outage,
  type Selection,
  type SentReport,
  type SharedCaller,
  type SickCaller,
  type SickHost,
  type Silence,
  type Withdrawal,
  World,
  type WorldOptions,
} from '../simulation/index.js';
export type { StepHook, WriterStep } from '../writer/steps.js';
export { type Damage, FaultyDisk, type TearOptions } from './faulty-disk.js';
export {
  type FaultScope,
  FaultyStore,
  type FaultyStoreOptions,
  type RandomFaults,
  type Release,
  type StatementHook,
} from './faulty-store.js';
export {
  type Fleet,
  type FleetShape,
  isNumbered,
  type LostAgent,
  numberedReport,
  startFleet,
} from './fleet.js';
export { BAD_BODIES, type BadBody, badFrame, frameHeader, paddedFrame, splitAt } from './frames.js';
export { type Ending, HostileAgent, type HostileAgentOptions } from './hostile-agent.js';
export { LedgerChecker } from './ledger-checker.js';
export { MemoryStore } from './memory-store.js';
export { OrderChecker, type OrderCheckerOptions, OrderError, type VerifyOptions } from './order-checker.js';
export { seeded } from './random.js';
export { type ExpectOptions, expectStream, type StreamExpectation } from './reference.js';
export { keyOf, type RowKey, rowsOf } from './rows.js';
export type { RowValue } from './sequence.js';
export {
  type RegisterTest,
  type StoreContractOptions,
  type StorePlace,
  storeContract,
} from './store-contract.js';
export {
  type HostileStream,
  hostileStream,
  type PieceKind,
  type StreamOptions,
  type StreamPiece,
} from './streams.js';
export { type UntilOptions, until } from './until.js';
export { type CrashOptions, type RandomCrashes, WRITER_STEPS, WriterCrashes } from './writer-crashes.js';
