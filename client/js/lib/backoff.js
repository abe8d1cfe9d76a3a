const usualDelays = { firstDelay: 100, maxDelay: 5_000 };

/**
 * When to try again: delays double with each failure, and are up to a half shorter by chance. A connection that did not
 * last for the longest delay counts as a failure.
 */
export class Backoff {
  #attempt;
  #delays;
  #failures = 0;
  #connectedAt = Infinity;
  #timer;

  /** `attempt()` is called when it is time. `reconnect`: {firstDelay, maxDelay} in milliseconds; false for never. */
  constructor(attempt, reconnect) {
    this.#attempt = attempt;
    this.#delays = reconnect === false ? undefined : { ...usualDelays, ...(reconnect === true ? {} : reconnect) };
  }

  get allowed() {
    return this.#delays !== undefined;
  }

  succeeded() {
    this.#connectedAt = performance.now();
  }

  schedule() {
    const { firstDelay, maxDelay } = this.#delays;
    if (performance.now() - this.#connectedAt > maxDelay) this.#failures = 0;
    this.#connectedAt = Infinity;
    const delay = Math.min(maxDelay, firstDelay * 2 ** this.#failures++);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#run(), delay * (0.5 + Math.random() / 2));
  }

  /** If an attempt is scheduled, makes it now. */
  hurry() {
    if (this.#timer !== undefined) this.#run();
  }

  cancel() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #run() {
    this.cancel();
    this.#attempt();
  }
}
