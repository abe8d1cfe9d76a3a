/** Cells light up when they change, rows when they enter. */

/** How long, in milliseconds. Rows that leave stay for so long, too. */
export const flash_ms = 700;

export type Flash = "change" | "enter";

const colours: Record<Flash, string> = { change: "--flash-change", enter: "--flash-enter" };

/** A cell that changes again this soon, in milliseconds, goes on with the flash it has. */
const same_flash_ms = 120;

const started = new WeakMap<Element, number>();
const values = new Map<string, string>();
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** Reads the colours anew; to be called when the theme has changed. */
export function reset_flash_colours(): void {
  values.clear();
}

function colour_of(flash: Flash): string {
  const name = colours[flash];
  let value = values.get(name);
  if (value === undefined) {
    value = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    values.set(name, value);
  }
  return value;
}

function animate(element: Element, flash: Flash, elapsed: number): void {
  const from = colour_of(flash);
  const frames = calm.matches
    ? [{ backgroundColor: from }, { backgroundColor: from }]
    : [{ backgroundColor: from }, { backgroundColor: from, offset: 0.15 }, { backgroundColor: "transparent" }];
  const animation = element.animate(frames, { duration: flash_ms, easing: "ease-out" });
  if (elapsed > 0) animation.currentTime = elapsed;
}

export function start_flash(element: Element, flash: Flash): void {
  const now = performance.now();
  if (now - (started.get(element) ?? -same_flash_ms) < same_flash_ms) return;
  started.set(element, now);
  for (const running of element.getAnimations()) running.cancel();
  animate(element, flash, 0);
}

/** Goes on with a flash that began `elapsed` milliseconds ago, in an element made anew. */
export function replay_flash(element: Element, flash: Flash, elapsed: number): void {
  started.set(element, performance.now() - elapsed);
  animate(element, flash, elapsed);
}
