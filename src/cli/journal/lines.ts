import { once } from 'node:events';

const MAX_HELD_CHARS = 65_536;

/** Lines on stdout, written in large pieces, and not faster than their reader takes them. */
export class Lines {
  #held: string[] = [];
  #chars = 0;

  async write(line: string): Promise<void> {
    this.#held.push(line, '\n');
    this.#chars += line.length + 1;
    if (this.#chars >= MAX_HELD_CHARS) await this.flush();
  }

  async flush(): Promise<void> {
    const text = this.#held.join('');
    this.#held = [];
    this.#chars = 0;
    if (text !== '' && !process.stdout.write(text)) await once(process.stdout, 'drain');
  }
}
