/** What happened, and when, in lines for people; and what went wrong. */
export class Timeline {
  readonly #write: (line: string) => void;
  readonly #beganMs = performance.now();
  readonly #lines: string[] = [];
  readonly #violations: string[] = [];
  readonly #onViolation: () => void;
  /** Whether what goes wrong counts; not while a run is being broken off. */
  judges = true;

  /** `write` is called with each line; `onViolation` at each thing that must not be. */
  constructor(write: (line: string) => void, onViolation: () => void) {
    this.#write = write;
    this.#onViolation = onViolation;
  }

  /** All lines. */
  get text(): string {
    return this.#lines.map((line) => `${line}\n`).join('');
  }

  get violations(): readonly string[] {
    return this.#violations;
  }

  get seconds(): number {
    return (performance.now() - this.#beganMs) / 1000;
  }

  say(text: string): void {
    const line = `${this.seconds.toFixed(1).padStart(7)}  ${text}`;
    this.#lines.push(line);
    this.#write(line);
  }

  /** Something is not as it must be. */
  violation(text: string): void {
    if (!this.judges) return;
    this.#violations.push(text);
    this.say(`VIOLATION ${text}`);
    this.#onViolation();
  }
}

/** What an error says, with what caused it. */
export function messages(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${messages(error.cause)})` : error.message;
}
