/** What has to be ended, in the order opposite to that in which it was begun. */
export class Teardown {
  readonly #steps: { readonly what: string; readonly end: () => unknown }[] = [];
  #running: Promise<void> | undefined;

  /** Adds what `end` ends; it may be asynchronous, and it may fail. */
  add(what: string, end: () => unknown): void {
    this.#steps.push({ what, end });
  }

  /** Ends everything, the newest first, each whether or not others fail. Once, however often it is called. */
  run(onError: (what: string, error: unknown) => void): Promise<void> {
    this.#running ??= this.#run(onError);
    return this.#running;
  }

  async #run(onError: (what: string, error: unknown) => void): Promise<void> {
    for (const { what, end } of this.#steps.reverse()) {
      try {
        await end();
      } catch (error) {
        onError(what, error);
      }
    }
  }
}
