/** Memory for what is being sent, used again and again: only agents that wait for the system hold any. */
export class Buffers {
  readonly #bytes: number;
  readonly #free: Buffer[] = [];

  /** `bytes`: size of each. */
  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#bytes);
  }

  giveBack(buffer: Buffer): void {
    this.#free.push(buffer);
  }
}
