import { messageOf } from '../../model/errors.js';
import { UnaskedError } from '../terminal.js';
import type { Answered, Subject } from './asking.js';
import type { Page } from './page-type.js';
import { span } from './spans.js';
import { pageOf } from './status-page.js';
import { cut, type Medium, painted, separator } from './terminal-style.js';
import type { WatchOptions } from './watch-options.js';

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const REST_OF_LINE = '\u001b[K';
const REST_OF_SCREEN = '\u001b[J';
/** Lines for what keys do. */
const FOOT = 1;

/** A whole terminal that shows one page, always up to date, with keys to open services. */
export class Screen {
  readonly #options: WatchOptions;
  readonly #stop: AbortController;
  #subject: Subject;
  #answered: Answered | undefined;
  /** Why it is not live, and since when. */
  #lost: { readonly sinceMs: number; readonly why: string } | undefined;
  #failure: unknown;
  /** Which of the services of the page is chosen. */
  #chosen = 0;
  /** First line that is shown. */
  #top = 0;
  #wake: () => void = () => {};
  /** Ends the question under way when another one is asked. */
  #asking = new AbortController();

  constructor(options: WatchOptions, stop: AbortController) {
    this.#options = options;
    this.#stop = stop;
    this.#subject = options.subject;
  }

  /** Resolves to what was seen last, when it is told to stop. */
  async run(): Promise<Answered | undefined> {
    const { stdin, stdout } = process;
    const draw = () => this.#draw();
    const onKey = (keys: string) => this.#type(keys);
    const restore = () => stdout.write(LEAVE);
    stdout.write(ENTER);
    process.on('exit', restore);
    stdout.on('resize', draw);
    stdin.setRawMode(true).setEncoding('utf8').on('data', onKey);
    // Seconds pass while nobody answers.
    const clock = setInterval(() => this.#lost && draw(), 1000);
    try {
      await this.#ask();
    } finally {
      clearInterval(clock);
      stdin.off('data', onKey).setRawMode(false).pause();
      stdout.off('resize', draw);
      process.off('exit', restore);
      restore();
    }
    if (this.#failure !== undefined) throw this.#failure;
    return this.#answered;
  }

  async #ask(): Promise<void> {
    const { signal } = this.#stop;
    signal.addEventListener('abort', () => {
      this.#asking.abort();
      this.#wake();
    });
    this.#draw();
    while (!signal.aborted) {
      this.#asking = new AbortController();
      try {
        this.#answered = await this.#options.reporter.ask(this.#subject, this.#asking.signal);
        this.#lost = undefined;
      } catch (error) {
        if (signal.aborted) return;
        if (this.#asking.signal.aborted) continue;
        if (!(error instanceof UnaskedError)) {
          this.#failure = error;
          return;
        }
        this.#lost = { sinceMs: this.#lost?.sinceMs ?? performance.now(), why: messageOf(error) };
      }
      this.#draw();
      await this.#wait();
    }
  }

  /** Until it is time to ask again, or a key asks for something else. */
  #wait(): Promise<void> {
    if (this.#stop.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#options.everyMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** A chunk may hold several keys. */
  #type(keys: string): void {
    for (const [key] of keys.matchAll(/\p{Cc}\[[\d;]*[A-Za-z~]|[\s\S]/gu)) this.#press(key);
    if (!this.#stop.signal.aborted) this.#draw();
  }

  #press(key: string): void {
    const page = this.#page();
    switch (key) {
      case 'q':
      case '\u0003':
        this.#stop.abort();
        return;
      case 'j':
      case '\u001b[B':
        this.#move(1, page);
        break;
      case 'k':
      case '\u001b[A':
        this.#move(-1, page);
        break;
      case '\r':
      case '\n': {
        const target = [...page.targets.values()][this.#chosen];
        if (target) this.#open({ kind: 'service', ...target, limit: 500 });
        break;
      }
      case 'u':
      case '\u001b':
      case '\u007f':
        if (this.#subject !== this.#options.subject) this.#open(this.#options.subject);
        break;
    }
  }

  #move(by: number, { targets, lines }: Page): void {
    if (targets.size > 0) this.#chosen = Math.min(Math.max(0, this.#chosen + by), targets.size - 1);
    else this.#top = Math.min(Math.max(0, this.#top + by), Math.max(0, lines.length - this.#rows));
  }

  #open(subject: Subject): void {
    this.#subject = subject;
    this.#top = 0;
    this.#answered = undefined;
    this.#asking.abort();
    this.#wake();
  }

  get #rows(): number {
    return Math.max(1, (process.stdout.rows ?? 24) - FOOT);
  }

  #page(): Page {
    const medium = this.#options.medium();
    return this.#answered ? pageOf(this.#answered, medium) : { lines: ['asking…'], targets: new Map() };
  }

  /** The whole screen in one write, so that nothing flickers. */
  #draw(): void {
    const medium = this.#options.medium();
    const { lines, targets } = this.#page();
    this.#chosen = Math.min(this.#chosen, Math.max(0, targets.size - 1));
    const chosen = [...targets.keys()][this.#chosen];
    if (chosen !== undefined) this.#keepVisible(chosen, lines.length);
    const marked = lines.map((line, index) => (index === chosen ? chosenLine(line, medium) : line));
    const [first = '', ...rest] = marked;
    const shown = [this.#lost ? this.#lostLine(medium) : first, ...rest.slice(this.#top)].slice(
      0,
      this.#rows,
    );
    while (shown.length < this.#rows) shown.push('');
    shown.push(painted(cut(this.#foot(medium), medium.width, medium), 'dim', medium));
    process.stdout.write(`${HOME}${shown.map((line) => line + REST_OF_LINE).join('\r\n')}${REST_OF_SCREEN}`);
  }

  /** The first line always stands; the others move under it. */
  #keepVisible(line: number, count: number): void {
    const room = this.#rows - 1;
    const index = line - 1;
    if (index < this.#top) this.#top = line <= 2 ? 0 : index;
    if (index >= this.#top + room) this.#top = index - room + 1;
    this.#top = Math.max(0, Math.min(this.#top, count - 1 - room));
  }

  #lostLine(medium: Medium): string {
    const { sinceMs, why } = this.#lost!;
    const text = `not live for ${span((performance.now() - sinceMs) / 1000)}: ${why}`;
    return painted(cut(text, medium.width, medium), 'bad', medium);
  }

  #foot(medium: Medium): string {
    const isList = this.#options.subject.kind === 'services';
    const keys = isList ? ['j k move', 'Enter open', 'u back'] : ['j k move'];
    return [...keys, 'q quit', `every ${this.#options.everyMs / 1000} s`].join(separator(medium));
  }
}

/** The chosen line is turned over as a whole: colours in it would end that. */
function chosenLine(line: string, medium: Medium): string {
  if (!medium.colours) return `>${line.slice(1)}`;
  return `\u001b[7m${line.replaceAll('\u001b[0m', '\u001b[0;7m')}\u001b[0m`;
}
