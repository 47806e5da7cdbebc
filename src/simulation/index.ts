/** How real agents behave: their rules, and worlds of them on a clock of their own. Pure: no socket, no timer. */
export { Addresses, type AddressPlan, LOCAL_CALLER, SERVICES_PER_MODID } from './addresses.js';
export { Balancer, type HostAddress } from './balancer.js';
export {
  type ClockSkew,
  type Condition,
  Conditions,
  type FlappingHost,
  type HostSelection,
  type Outage,
  type Selection,
  type SharedCaller,
  type SickCaller,
  type SickHost,
  type Silence,
  type Span,
  type Withdrawal,
} from './conditions.js';
export { HostState } from './host.js';
export { seededRandom } from './random.js';
export { type AgentRules, ELB, LARS, LARS_DEFAULTS, RULES, type RulesName } from './rules.js';
export { type CallTotals, type SentReport, World, type WorldOptions } from './world.js';
