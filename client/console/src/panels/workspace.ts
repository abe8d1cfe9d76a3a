/** Panels side by side, with bars between them that resize them. On a narrow screen they stand below each other. */

import { h } from "../dom.js";

export interface Panel {
  readonly element: HTMLElement;
  /** Sets the keyboard to the panel's grid. */
  focus(): void;
  focus_filter(): void;
  /** Called once the panel has been taken out. */
  close(): void;
}

const weight_min = 0.2;
const key_step_px = 24;

export class Workspace {
  readonly element = h("div", { class: "workspace" });
  private readonly panels: Panel[] = [];
  private readonly weights = new Map<Panel, number>();
  private readonly empty: HTMLElement;
  private last: Panel | null = null;

  constructor(empty: HTMLElement) {
    this.empty = empty;
    this.arrange();
  }

  get size(): number {
    return this.panels.length;
  }

  /** Puts a panel behind the others. */
  add(panel: Panel): void {
    this.panels.push(panel);
    this.weights.set(panel, 1);
    panel.element.addEventListener("focusin", () => (this.last = panel));
    this.last = panel;
    this.arrange();
  }

  /** Puts a panel before the others. */
  add_first(panel: Panel): void {
    this.add(panel);
    this.panels.unshift(this.panels.pop()!);
    this.arrange();
  }

  remove(panel: Panel): void {
    const at = this.panels.indexOf(panel);
    if (at < 0) return;
    this.panels.splice(at, 1);
    this.weights.delete(panel);
    if (this.last === panel) this.last = this.panels[Math.min(at, this.panels.length - 1)] ?? null;
    this.arrange();
    panel.close();
  }

  remove_all(): void {
    for (const panel of this.panels.slice()) this.remove(panel);
  }

  /** The panel that had the keyboard last. */
  current(): Panel | null {
    return this.last;
  }

  private arrange(): void {
    const children: HTMLElement[] = [];
    this.panels.forEach((panel, i) => {
      if (i > 0) children.push(this.divider(this.panels[i - 1]!, panel));
      panel.element.style.flexGrow = String(this.weights.get(panel));
      children.push(panel.element);
    });
    this.element.replaceChildren(...(children.length > 0 ? children : [this.empty]));
  }

  private divider(left: Panel, right: Panel): HTMLElement {
    const bar = h("div", {
      class: "divider vertical",
      role: "separator",
      tabindex: 0,
      "aria-orientation": "vertical",
      "aria-label": "Resize the panels beside",
    });
    bar.addEventListener("pointerdown", (down) => {
      bar.setPointerCapture(down.pointerId);
      let x = down.clientX;
      const move = (e: PointerEvent) => {
        this.shift(left, right, e.clientX - x);
        x = e.clientX;
      };
      bar.addEventListener("pointermove", move);
      bar.addEventListener("lostpointercapture", () => bar.removeEventListener("pointermove", move), { once: true });
    });
    bar.addEventListener("keydown", (e) => {
      if (e.key !== "ArrowLeft" && e.key !== "ArrowRight") return;
      e.preventDefault();
      this.shift(left, right, e.key === "ArrowLeft" ? -key_step_px : key_step_px);
    });
    return bar;
  }

  /** Moves the border between two panels by so many pixels. */
  private shift(left: Panel, right: Panel, pixels: number): void {
    const total = this.weights.get(left)! + this.weights.get(right)!;
    const width = left.element.offsetWidth + right.element.offsetWidth;
    const wanted = this.weights.get(left)! + (pixels * total) / width;
    const weight = Math.min(Math.max(wanted, weight_min), total - weight_min);
    this.weights.set(left, weight);
    this.weights.set(right, total - weight);
    left.element.style.flexGrow = String(weight);
    right.element.style.flexGrow = String(total - weight);
  }
}
