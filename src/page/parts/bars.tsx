import type { SparkMinute } from '../../view/shapes.js';
import { LEVELS } from '../../view/shapes.js';
import { formats, texts } from '../live/app.js';
import { blocksOf, type Tone } from '../pure/verdicts.js';

interface BlocksProps {
  readonly overloaded: number;
  /** Overloaded ones and others. */
  readonly bad: number;
  readonly total: number;
}

/** `▮▮▯▯▯▯▯▯▯▯ 2/10`: overloaded ones first, then those that fail or are disputed. */
export function HostBlocks({ overloaded, bad, total }: BlocksProps) {
  const blocks = blocksOf(bad, total);
  const reds = blocksOf(overloaded, total);
  return (
    <span class="blocks">
      <svg viewBox={`0 0 ${blocks.length * 6} 12`} width={blocks.length * 6} height="12" aria-hidden="true">
        {blocks.map((isBad, index) => (
          <rect
            key={index}
            x={index * 6 + 0.5}
            y="0.5"
            width="4"
            height="11"
            rx="1"
            class={isBad ? `full tone-${reds[index] ? 'overloaded' : 'failing'}` : 'open'}
          />
        ))}
      </svg>
      <span class="num">{texts.value.of(formats.value.count(bad), formats.value.count(total))}</span>
    </span>
  );
}

const CELL = 4;
const HEIGHTS = [3, 6, 9, 12, 15];
const HEIGHT = 16;

/** The last 30 minutes: the worse, the higher. What is not known is a dot. */
export function Strip({ spark }: { readonly spark: readonly SparkMinute[] }) {
  const { level, overview } = texts.value;
  const known = spark.flatMap(([each]) => (each === null ? [] : [each]));
  const label =
    known.length === 0 ? overview.stripNothing : overview.strip(level[LEVELS[Math.max(...known)] ?? 'ok']);
  return (
    <svg
      class="strip"
      viewBox={`0 0 ${spark.length * CELL} ${HEIGHT}`}
      width={spark.length * CELL}
      height={HEIGHT}
      role="img"
      aria-label={label}
    >
      {spark.map(([each], index) => {
        const height = each === null ? 1 : (HEIGHTS[each] ?? HEIGHT);
        return (
          <rect
            key={index}
            class={each === null ? 'gap' : `tone-${LEVELS[each] ?? 'ok'}`}
            x={index * CELL}
            y={HEIGHT - height}
            width={CELL - 1}
            height={height}
          />
        );
      })}
    </svg>
  );
}

/** A share as a bar behind its number. */
export function ShareBar({ share, tone }: { readonly share: number; readonly tone: Tone }) {
  return (
    <svg class={`share tone-${tone}`} viewBox="0 0 48 12" width="48" height="12" aria-hidden="true">
      <rect class="track" x="0" y="4" width="48" height="4" rx="2" />
      {share > 0 && (
        <rect class="full" x="0" y="4" width={Math.max(2, 48 * Math.min(1, share))} height="4" rx="2" />
      )}
    </svg>
  );
}
