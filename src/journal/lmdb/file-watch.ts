/** What nobody asks for is noticed within this time. */
const LOOK_MS = 1000;

/** Watches whether the data file is where a restart would look for it. */
export class FileWatch {
  readonly #look: () => Error | undefined;
  readonly #onChange: (displacement: Error | undefined) => void;
  readonly #timer: NodeJS.Timeout;
  #absence: { readonly ended: Promise<void>; readonly end: () => void } | undefined;

  /** `look`: why the file is not in its place. `onChange`: told of that, and with undefined when it is back. */
  constructor(look: () => Error | undefined, onChange: (displacement: Error | undefined) => void) {
    this.#look = look;
    this.#onChange = onChange;
    this.#timer = setInterval(() => void this.absence(), LOOK_MS);
    this.#timer.unref();
  }

  /** Looks now. Undefined while the file is in its place; else resolves when it is back, and never after `close`. */
  absence(): Promise<void> | undefined {
    const displacement = this.#look();
    const known = this.#absence;
    if (displacement && !known) {
      const { promise, resolve } = withResolvers();
      this.#absence = { ended: promise, end: resolve };
      this.#onChange(displacement);
    } else if (!displacement && known) {
      this.#absence = undefined;
      this.#onChange(undefined);
      known.end();
    }
    return this.#absence?.ended;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
