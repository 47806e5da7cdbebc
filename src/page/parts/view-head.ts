import { signal } from '@preact/signals';
import type { Head } from '../../view/shapes.js';

/** What the view says of itself at the head of its answers. */
export const viewHead = signal<Pick<Head, 'node' | 'warming' | 'behind' | 'sampled'>>({ node: null });

export function noteView({ node, warming, behind, sampled }: Head): void {
  viewHead.value = {
    node,
    ...(warming ? { warming } : {}),
    ...(behind ? { behind } : {}),
    ...(sampled === undefined ? {} : { sampled }),
  };
}
