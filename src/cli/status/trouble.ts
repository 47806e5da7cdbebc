import type { HostState, Level } from '../../view/shapes.js';
import { LEVELS } from '../../view/shapes.js';
import type { Answered } from './asking.js';

const HOST_LEVELS: Readonly<Record<HostState, Level>> = {
  overloaded: 'overloaded',
  disputed: 'failing',
  failing: 'failing',
  noted: 'noted',
  ok: 'ok',
  idle: 'ok',
  stale: 'ok',
  withdrawn: 'ok',
};

/** Whether what was asked for is at a level or above. Of callers, changes and machines that are gone, nothing is. */
export function isInTrouble({ reporter, found }: Answered, failOn: Level): boolean {
  const isAt = (level: Level) => LEVELS.indexOf(level) >= LEVELS.indexOf(failOn);
  switch (found.kind) {
    case 'services':
      return LEVELS.some((level) => isAt(level) && found.services.counts[level] > 0);
    case 'service':
      return isAt(found.service.summary.level);
    case 'host':
      return found.host.hosts.some(({ state }) => isAt(HOST_LEVELS[state]));
    case 'reporter':
      return reporter.state === 'unwell';
    default:
      return false;
  }
}
