import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import type { Machine } from '../machines.js';

const FORMAT = 1;
/** More machines than this are not kept: those heard last are. */
export const MAX_MACHINES = 10_000;
const MAX_BYTES = 1_048_576;

/**
 * The machines that call, kept for the next start: original agents that lose their connection stay silent until they
 * are restarted, and after a restart of the reporter nobody else knows who they are. A file that is missing, broken
 * or cannot be written harms nothing else.
 */
export class MachinesFile {
  readonly #path: string;
  #written = '';
  #isWriting = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** None where the file is missing. Throws when it holds something else. */
  load(): Machine[] {
    const found = statSync(this.#path, { throwIfNoEntry: false });
    if (!found) return [];
    if (found.size > MAX_BYTES) throw new Error('it is too large');
    return decode(readFileSync(this.#path, 'utf8'));
  }

  /** Writes it anew, if it has changed: whole or not at all, whenever the process is killed. One at a time. */
  async save(machines: readonly Machine[]): Promise<void> {
    const text = encode(machines);
    if (this.#isWriting || text === this.#written) return;
    this.#isWriting = true;
    try {
      await writeFile(`${this.#path}.new`, text);
      await rename(`${this.#path}.new`, this.#path);
      this.#written = text;
    } finally {
      this.#isWriting = false;
    }
  }

  /** As `save`, at once: nothing runs after it. */
  saveNow(machines: readonly Machine[]): void {
    const text = encode(machines);
    if (text === this.#written) return;
    writeFileSync(`${this.#path}.last`, text);
    renameSync(`${this.#path}.last`, this.#path);
  }
}

function encode(machines: readonly Machine[]): string {
  const lines: string[] = [];
  let bytes = 0;
  for (const { caller, via, lastPeer, heardS } of machines.slice(0, MAX_MACHINES)) {
    const line = JSON.stringify([caller, via, lastPeer, heardS]);
    // Two for the comma and the end of the line.
    bytes += Buffer.byteLength(line) + 2;
    if (bytes > MAX_BYTES - 64) break;
    lines.push(line);
  }
  return `{"format":${FORMAT},"machines":[\n${lines.join(',\n')}\n]}\n`;
}

function decode(text: string): Machine[] {
  const found: unknown = JSON.parse(text);
  if (typeof found !== 'object' || found === null || !('format' in found) || found.format !== FORMAT)
    throw new Error('it is of another format');
  if (!('machines' in found) || !Array.isArray(found.machines)) throw new Error('it names no machines');
  return found.machines.slice(0, MAX_MACHINES).map(readMachine);
}

function readMachine(line: unknown): Machine {
  const [caller, via, lastPeer, heardS]: unknown[] = Array.isArray(line) ? line : [];
  if (
    typeof caller !== 'string' ||
    !(via === null || typeof via === 'string') ||
    !(lastPeer === null || typeof lastPeer === 'string') ||
    !Number.isSafeInteger(heardS)
  )
    throw new Error('one of its lines is no machine');
  return { caller, via, lastPeer, heardS: Number(heardS) };
}
