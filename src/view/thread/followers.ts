import type { ViewEvent, ViewTopic } from '../live.js';
import type { TickMessage, ViewThread } from './view-thread.js';

interface Follower {
  readonly onEvent: (event: ViewEvent) => void;
  /** It has been told everything. */
  isReady: boolean;
}

/** Who follows which topic. The thread knows of each topic once. */
export class Followers {
  readonly #thread: ViewThread;
  readonly #topics = new Map<ViewTopic, Set<Follower>>();

  constructor(thread: ViewThread) {
    this.#thread = thread;
  }

  /** See LiveView.follow. */
  async follow(topic: ViewTopic, onEvent: Follower['onEvent']): Promise<() => void> {
    const name = normalised(topic);
    const follower: Follower = { onEvent, isReady: false };
    const followers = this.#topics.get(name) ?? new Set();
    // Before the thread is asked: whoever leaves meanwhile shall not end the topic.
    this.#topics.set(name, followers.add(follower));
    try {
      const events = await this.#thread.request('follow', name);
      follower.isReady = true;
      for (const event of events) tell(follower, event);
    } catch (error) {
      this.#unfollow(name, follower);
      throw error;
    }
    return () => this.#unfollow(name, follower);
  }

  /** What differs since the tick before. */
  tell({ topics, changes }: TickMessage): void {
    for (const [topic, event] of topics) this.#tellAll(topic, [event]);
    if (changes.length > 0) for (const topic of this.#topics.keys()) this.#tellAll(topic, changes);
  }

  /** A new thread knows no topics: everybody is told everything again. */
  async followAgain(): Promise<void> {
    for (const topic of this.#topics.keys()) {
      const events = await this.#thread.request('follow', topic).catch(() => []);
      this.#tellAll(topic, events);
    }
  }

  #tellAll(topic: ViewTopic, events: readonly ViewEvent[]): void {
    for (const follower of this.#topics.get(topic) ?? [])
      if (follower.isReady) for (const event of events) tell(follower, event);
  }

  #unfollow(topic: ViewTopic, follower: Follower): void {
    const followers = this.#topics.get(topic);
    if (!followers?.delete(follower) || followers.size > 0) return;
    this.#topics.delete(topic);
    this.#thread.tell({ kind: 'unfollow', topic });
  }
}

/** What a follower throws is its own affair. */
function tell({ onEvent }: Follower, event: ViewEvent): void {
  try {
    onEvent(event);
  } catch {
    // There is nobody to tell.
  }
}

/** Equal topics are one, in whatever order their parameters stand. */
function normalised(topic: ViewTopic): ViewTopic {
  const query = new URLSearchParams(topic);
  query.sort();
  return query.toString();
}
