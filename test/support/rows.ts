import type { Row } from '../../src/model/row.js';

export { batch, row, service, sorted } from '../../src/testing/sample-rows.js';

export function keyOf({ modid, cmdid, ip, port, caller }: Row): string {
  return [modid, cmdid, ip, port, caller].join(' ');
}
