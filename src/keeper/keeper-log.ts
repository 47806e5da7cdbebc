import { isatty } from 'node:tty';

type KeeperLevel = 'info' | 'warn' | 'error';

const RANKS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/**
 * Lines of the keeper on stderr, in the form that the child's have. It has no part of its own that could fail: lines
 * that nobody takes are lost.
 */
export class KeeperLog {
  /** As the child's configuration says. */
  level = 'info';
  readonly #isTerminal = isatty(2);

  info(fields: object, message: string): void {
    this.#write('info', fields, message);
  }

  warn(fields: object, message: string): void {
    this.#write('warn', fields, message);
  }

  error(fields: object, message: string): void {
    this.#write('error', fields, message);
  }

  #write(level: KeeperLevel, fields: object, message: string): void {
    if (RANKS.indexOf(level) < RANKS.indexOf(this.level) || process.stderr.writableLength > 65_536) return;
    const time = new Date().toISOString();
    const line = this.#isTerminal
      ? `[${time.slice(11, 23)}] ${level.toUpperCase()}: ${message} ${JSON.stringify(fields)}`
      : JSON.stringify({ level, time, ...fields, msg: message });
    process.stderr.write(`${line}\n`);
  }
}
