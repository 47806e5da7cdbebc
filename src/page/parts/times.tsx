import { formats, nowMs, texts } from '../live/app.js';
import { secondsSince } from '../pure/formats.js';

interface Props {
  readonly time: string;
}

/** `12m ago`, with the exact time behind it. */
export function Ago({ time }: Props) {
  const seconds = secondsSince(time, nowMs.value);
  return <Time time={time}>{texts.value.ago(formats.value.span(seconds))}</Time>;
}

/** `12m` */
export function Span({ time }: Props) {
  return <Time time={time}>{formats.value.span(secondsSince(time, nowMs.value))}</Time>;
}

/** `03:12` */
export function Minute({ time }: Props) {
  return <Time time={time}>{formats.value.minute(time, nowMs.value)}</Time>;
}

/** `03:12:07` */
export function Clock({ time }: Props) {
  return <Time time={time}>{formats.value.clock(time)}</Time>;
}

function Time({ time, children }: Props & { readonly children: string }) {
  return (
    <time dateTime={time} title={formats.value.fully(time)}>
      {children}
    </time>
  );
}
