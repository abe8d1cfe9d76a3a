/** The SQL editor. It lives in a shadow root, where CodeMirror adopts its style sheets and the page's policy holds. */

import { autocompletion, closeBrackets, closeBracketsKeymap, closeCompletion, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { sql } from "@codemirror/lang-sql";
import { bracketMatching } from "@codemirror/language";
import { setDiagnostics } from "@codemirror/lint";
import { EditorState, Prec } from "@codemirror/state";
import {
  drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers, placeholder,
} from "@codemirror/view";
import { index_of_byte, statements_of, type Statement } from "../statements.js";
import { completion_of, type Schema } from "./completion.js";
import { dialect } from "./dialect.js";
import { editor_theme } from "./theme.js";

export interface EditorOptions {
  text: string;
  schema: Schema;
  on_run: (what: "here" | "all") => void;
  on_history: (by: 1 | -1) => void;
  on_leave: () => void;
  on_change: (text: string) => void;
}

/**
 * Replaces a selection by what is typed. Left to the browser, that would first put the style of the old text around the
 * new one, as an inline style that the page's policy forbids.
 */
function replace_selection(event: InputEvent, view: EditorView): boolean {
  const { from, to, empty } = view.state.selection.main;
  const text = event.data;
  if (event.inputType !== "insertText" || text === null || empty || view.composing) return false;
  const change = () => view.state.update(view.state.replaceSelection(text), { userEvent: "input.type" });
  const handlers = view.state.facet(EditorView.inputHandler);
  if (!handlers.some((handler) => handler(view, from, to, text, change))) view.dispatch(change());
  event.preventDefault();
  return true;
}

export class Editor {
  private readonly view: EditorView;

  constructor(host: HTMLElement, options: EditorOptions) {
    const root = host.attachShadow({ mode: "open" });
    const bind = (run: () => void) => () => (run(), true);
    this.view = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: options.text,
        extensions: [
          Prec.highest(
            keymap.of([
              { key: "Mod-Enter", run: bind(() => options.on_run("here")) },
              { key: "Shift-Mod-Enter", run: bind(() => options.on_run("all")) },
              { key: "Alt-ArrowUp", run: bind(() => options.on_history(-1)) },
              { key: "Alt-ArrowDown", run: bind(() => options.on_history(1)) },
            ]),
          ),
          lineNumbers(),
          highlightActiveLine(),
          highlightActiveLineGutter(),
          history(),
          drawSelection(),
          bracketMatching(),
          closeBrackets(),
          sql({ dialect }),
          autocompletion({ override: [completion_of(options.schema)], icons: false }),
          keymap.of([
            ...closeBracketsKeymap,
            ...completionKeymap,
            ...defaultKeymap,
            ...historyKeymap,
            { key: "Escape", run: bind(() => options.on_leave()) },
          ]),
          placeholder("select, subscribe, insert …   Ctrl+Enter runs, Ctrl+Space completes"),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": "SQL editor" }),
          EditorView.domEventHandlers({ beforeinput: replace_selection }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) options.on_change(update.state.doc.toString());
          }),
          ...editor_theme,
        ],
      }),
    });
  }

  get text(): string {
    return this.view.state.doc.toString();
  }

  set_text(text: string): void {
    this.view.dispatch({
      changes: { from: 0, to: this.view.state.doc.length, insert: text },
      selection: { anchor: text.length },
      scrollIntoView: true,
    });
  }

  /** Appends a statement on lines of its own, and puts the cursor into it. */
  append(statement: string): void {
    const before = this.text.trimEnd();
    const joint = before === "" ? "" : before.endsWith(";") ? "\n" : ";\n";
    this.set_text(before + joint + statement);
  }

  /** The statements that are selected, or the one at the cursor. */
  statements_here(): Statement[] {
    const { from, to } = this.view.state.selection.main;
    const script = this.text;
    if (from !== to) {
      return statements_of(script.slice(from, to)).map((s) => ({ text: s.text, from: s.from + from, to: s.to + from }));
    }
    const all = statements_of(script);
    const here = all.find((s) => from <= s.to + 1) ?? all[all.length - 1];
    return here ? [here] : [];
  }

  all_statements(): Statement[] {
    return statements_of(this.text);
  }

  /** Marks an error at a byte of a statement, if it still stands where it stood. Without a byte all of it is marked. */
  mark_error(statement: Statement, byte: number | undefined, message: string): void {
    if (this.text.slice(statement.from, statement.to) !== statement.text) return;
    let from = statement.from;
    let to = statement.to;
    if (byte !== undefined) {
      from = Math.min(statement.from + index_of_byte(statement.text, byte), statement.to);
      const word = /^[\p{L}\p{N}_]+|^\S/u.exec(this.text.slice(from, statement.to));
      to = from + (word?.[0].length ?? 0);
      if (from === to && from > statement.from) --from;
    }
    this.view.dispatch(setDiagnostics(this.view.state, [{ from, to, severity: "error", message }]));
    this.view.dispatch({ selection: { anchor: from }, scrollIntoView: true });
  }

  /** Before statements run: what an earlier run marked goes, and so does an open completion. */
  clear_marks(): void {
    closeCompletion(this.view);
    this.view.dispatch(setDiagnostics(this.view.state, []));
  }

  focus(): void {
    this.view.focus();
  }
}
