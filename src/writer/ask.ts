import type { DeadLetterOutcome } from '../model/dead-letter.js';
import type { DeadLetterOrder } from '../partition/dead-letters.js';
import type { LetterRequest, WriterMessage } from '../routing/protocol.js';
import { type ActorRef, tell } from '../runtime/actors.js';

/** How long a writer may take to settle some dead letters; one that restarts again and again takes longer. */
const ANSWER_MS = 10_000;

/** Has a running writer settle dead letters of its partition. Rejects when it crashes meanwhile or does not answer. */
export function askWriter(
  writer: ActorRef<WriterMessage>,
  partition: number,
  order: DeadLetterOrder,
): Promise<DeadLetterOutcome> {
  return new Promise((resolve, reject) => {
    let isAbandoned = false;
    const giveUp = (why: string) => {
      isAbandoned = true;
      clearTimeout(timer);
      reject(new Error(`writer ${partition} ${why}: look at the list, and ask again`));
    };
    const timer = setTimeout(() => giveUp('does not answer'), ANSWER_MS);
    // A stop drops what is in mailboxes; nothing is to be held up by that.
    timer.unref();
    const request: LetterRequest = {
      ...order,
      isAbandoned: () => isAbandoned,
      done: (outcome) => {
        clearTimeout(timer);
        resolve(outcome);
      },
      failed: () => giveUp('has crashed meanwhile'),
    };
    if (!tell(writer, { kind: 'letters', request })) giveUp('has stopped');
  });
}
