/** Events per second over the last seconds. */

interface Sample {
  at: number;
  count: number;
}

const window_ms = 2_000;

export class Rate {
  private samples: Sample[] = [];

  /** Takes the number of all events until now, and gives their rate per second. */
  sample(count: number, at: number): number {
    this.samples.push({ at, count });
    while (this.samples.length > 2 && at - this.samples[0]!.at > window_ms) this.samples.shift();
    const first = this.samples[0]!;
    return at > first.at ? ((count - first.count) * 1_000) / (at - first.at) : 0;
  }
}
