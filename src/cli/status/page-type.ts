import type { Summary } from '../../view/shapes.js';

/** What is shown. */
export interface Page {
  readonly lines: readonly string[];
  /** Services that can be opened, by the number of their line. */
  readonly targets: ReadonlyMap<number, Pick<Summary, 'modid' | 'cmdid'>>;
}
