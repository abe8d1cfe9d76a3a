const usualDelays = { firstDelay: 100, maxDelay: 5_000 };

/** When to try again: delays double with each failure, and are up to a half shorter by chance. */
export class Backoff {
  #attempt;
  #delays;
  #failures = 0;
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
    this.#failures = 0;
  }

  schedule() {
    const { firstDelay, maxDelay } = this.#delays;
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
