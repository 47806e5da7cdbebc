/** `12s`, `7m`, `3h`, `2d`. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)}h`;
  return `${Math.floor(whole / 86_400)}d`;
}

/** `03:12:07` on the clock of this machine. */
export function clock(time: string): string {
  const at = new Date(time);
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':');
}

/** `02:11 (1h)`; with the day when that is another one. */
export function since(time: string, now: string): string {
  const [at, today] = [new Date(time), new Date(now)];
  const day = at.toDateString() === today.toDateString() ? '' : `${at.getMonth() + 1}-${two(at.getDate())} `;
  return `${day}${two(at.getHours())}:${two(at.getMinutes())} (${ago(time, now)})`;
}

/** How long before `now`: `7m`. */
export function ago(time: string, now: string): string {
  return span((Date.parse(now) - Date.parse(time)) / 1000);
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}
