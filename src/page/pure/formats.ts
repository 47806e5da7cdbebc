/** Numbers, times and spans as people of a language write them. */

const NOTHING = '–';
/** Does not break. */
const SPACE = '\u00a0';
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

type Unit = 'second' | 'minute' | 'hour' | 'day';

export class Formats {
  readonly #locale: string;
  readonly #zone: string | undefined;
  readonly #whole: Intl.NumberFormat;
  readonly #one: Intl.NumberFormat;
  readonly #two: Intl.NumberFormat;
  readonly #percent: Intl.NumberFormat;
  readonly #units: Readonly<Record<Unit, Intl.NumberFormat>>;
  readonly #clock: Intl.DateTimeFormat;
  readonly #minute: Intl.DateTimeFormat;
  readonly #dayAndMinute: Intl.DateTimeFormat;
  readonly #monthDay: Intl.DateTimeFormat;
  readonly #day: Intl.DateTimeFormat;
  readonly #whenFully: Intl.DateTimeFormat;

  /** `zone`: that of the browser unless given. */
  constructor(locale: string, zone?: string) {
    this.#locale = locale;
    this.#zone = zone;
    this.#whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
    this.#one = this.#digits(1);
    this.#two = this.#digits(2);
    this.#percent = this.#digits(1);
    const unit = (name: Unit) =>
      new Intl.NumberFormat(locale, { style: 'unit', unit: name, unitDisplay: 'narrow' });
    this.#units = { second: unit('second'), minute: unit('minute'), hour: unit('hour'), day: unit('day') };
    this.#clock = this.#time({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
    this.#minute = this.#time({ hour: '2-digit', minute: '2-digit' });
    this.#dayAndMinute = this.#time({ month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' });
    this.#monthDay = this.#time({ month: 'short', day: 'numeric' });
    this.#day = this.#time({ year: 'numeric', month: 'numeric', day: 'numeric' });
    this.#whenFully = this.#time({ dateStyle: 'medium', timeStyle: 'long' });
  }

  /** 12,345 */
  count(number: number): string {
    return this.#whole.format(number);
  }

  /** Three digits that matter: 1,234 · 182.4 · 31.0 · 0.05; 0 for nothing at all. */
  rate(perSecond: number): string {
    if (perSecond === 0) return '0';
    if (perSecond >= 1000) return this.#whole.format(perSecond);
    return perSecond >= 1 ? this.#one.format(perSecond) : this.#two.format(perSecond);
  }

  /** `6.1 %`; a dash when it is not known. */
  share(share: number | null): string {
    if (share === null) return NOTHING;
    const least = share > 0 && share < 0.001;
    return `${least ? '<' : ''}${this.#percent.format(least ? 0.1 : share * 100)}${SPACE}%`;
  }

  /** Of whole per cents: `85 %`. */
  roughShare(share: number): string {
    return `${this.#whole.format(share * 100)}${SPACE}%`;
  }

  /** The two largest units: `1h 3m`, `40s`. */
  span(seconds: number): string {
    const whole = Math.max(0, Math.round(seconds));
    const parts: [Unit, number][] =
      whole >= DAY
        ? [
            ['day', Math.floor(whole / DAY)],
            ['hour', Math.floor((whole % DAY) / HOUR)],
          ]
        : whole >= HOUR
          ? [
              ['hour', Math.floor(whole / HOUR)],
              ['minute', Math.floor((whole % HOUR) / MINUTE)],
            ]
          : whole >= MINUTE
            ? [['minute', Math.floor(whole / MINUTE)]]
            : [['second', whole]];
    return parts
      .filter(([, number], index) => index === 0 || number > 0)
      .map(([unit, number]) => this.#units[unit].format(number))
      .join(' ');
  }

  /** `1.5 MB` */
  bytes(bytes: number): string {
    const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
    const step = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
    // As the others are written; `byte` has no short form with a space.
    if (step === 0) return `${this.count(bytes)} B`;
    return new Intl.NumberFormat(this.#locale, {
      style: 'unit',
      unit: units[step],
      unitDisplay: 'short',
      maximumFractionDigits: 1,
    }).format(bytes / 1000 ** step);
  }

  /** `03:12:07` */
  clock(time: string | number): string {
    return this.#clock.format(new Date(time));
  }

  /** `03:12`; of another day than `nowMs`: `Nov 26, 03:12`. */
  minute(time: string | number, nowMs: number): string {
    const date = new Date(time);
    const sameDay = this.#day.format(date) === this.#day.format(nowMs);
    return (sameDay ? this.#minute : this.#dayAndMinute).format(date);
  }

  /** A mark on an axis of time: `03:00`, and `27 Nov` at midnight, and where marks are whole days apart. */
  mark(timeMs: number, isDaily: boolean): string {
    // Marks a day apart are at 23:00 or 1:00 beyond a change to or from summer time.
    if (isDaily) return this.#monthDay.format(timeMs + 2 * HOUR * 1000);
    const time = this.#minute.format(timeMs);
    return time === '00:00' ? this.#monthDay.format(timeMs) : time;
  }

  /** Date, time and zone. */
  fully(time: string | number): string {
    return this.#whenFully.format(new Date(time));
  }

  #digits(digits: number): Intl.NumberFormat {
    return new Intl.NumberFormat(this.#locale, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
  }

  #time(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
    // Nights are read by the 24-hour clock.
    const cycle = options.timeStyle === undefined ? { hourCycle: 'h23' as const } : { hour12: false };
    const zone = this.#zone === undefined ? {} : { timeZone: this.#zone };
    return new Intl.DateTimeFormat(this.#locale, { ...options, ...cycle, ...zone });
  }
}

/** Seconds from a time to another; 0 when it lies ahead. */
export function secondsSince(time: string, nowMs: number): number {
  return Math.max(0, (nowMs - Date.parse(time)) / 1000);
}
