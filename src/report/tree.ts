import { DefaultRenderer, Listr, ListrLogger, type ListrTask } from "listr2";
import colors from "picocolors";
import type { RunEvent } from "../run/event.ts";
import { toEnding } from "./ending.ts";
import { toFit } from "./format.ts";
import { Gates } from "./gates.ts";
import { type Icon, iconOf } from "./icon.ts";
import type { Output } from "./output.ts";
import type { Reporter } from "./reporter.ts";
import type { Result } from "./result.ts";
import { CleaningView, detailLines, toCleaningTitle, toDetails, toTitle } from "./task-lines.ts";
import { hideCursor, Screen, showCursor } from "./tree-screen.ts";
import { RunView, type TaskView } from "./view.ts";

/** Nobody sees more, and a slow line must not be flooded. */
const redrawEveryMs = 100;
const cleaningGate = "cleaning";

/** What listr2 calls a task is a line here; `icon` is asked at every drawing. */
type Line = ListrTask<unknown, Renderer>;
type Renderer = typeof DefaultRenderer;
type Icons = Map<unknown, () => Icon>;
type Drawing = { readonly out: Output; readonly gates: Gates; readonly icons: Icons };
/** How a drawing is taken off the screen for a while; `isOn`: there is none now. */
type Pause = { isOn: boolean; clear: () => void };

/** The run as a tree on a terminal: regions, under them their tasks. listr2 draws it, and does nothing else. */
export class TreeReporter implements Reporter {
  readonly #out: Output;
  readonly #color: boolean;
  readonly #gates = new Gates();
  #view: RunView | undefined;
  #cleaning: CleaningView | undefined;
  #drawing: Promise<void> = Promise.resolve();
  #isDrawing = false;
  readonly #pause: Pause = { isOn: false, clear: () => undefined };

  constructor(out: Output, color: boolean) {
    this.#out = out;
    this.#color = color;
    out.stream.on("resize", this.#wipe);
  }

  report(event: RunEvent): void {
    if (event.type === "run.started") {
      const view = new RunView(event.tasks);
      this.#view = view;
      this.#draw((icons) => toGroups(view, this.#drawingWith(icons)));
    }
    if (event.type === "run.cleaning") {
      const cleaning = new CleaningView(event.at, event.count);
      this.#cleaning = cleaning;
      this.#draw((icons) => [toCleaningLine(cleaning, this.#drawingWith(icons))]);
    }
    this.#cleaning?.take(event);
    const task = this.#view?.take(event);
    if (task && task.state !== "waiting" && task.state !== "running") this.#gates.open(task.id);
    if (event.type === "run.finished") this.#gates.open(cleaningGate);
  }

  async idle(): Promise<void> {
    await this.#drawing;
  }

  pause(): Disposable {
    this.#pause.clear();
    this.#pause.isOn = true;
    this.#out.write(showCursor);
    return {
      [Symbol.dispose]: () => {
        this.#pause.isOn = false;
        if (this.#isDrawing) this.#out.write(hideCursor);
      },
    };
  }

  async finish(result: Result): Promise<void> {
    await this.#end();
    for (const line of toEnding(result, this.#color)) this.#out.line(line);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
    this.#out.stream.off("resize", this.#wipe);
  }

  async #end(): Promise<void> {
    // A run that broke off leaves tasks without an end; the drawing has one all the same.
    for (const { id } of this.#view?.all ?? []) this.#gates.open(id);
    this.#gates.open(cleaningGate);
    await this.#drawing;
  }

  #drawingWith(icons: Icons): Drawing {
    return { out: this.#out, gates: this.#gates, icons };
  }

  /** Draws after what is drawn already. A drawing that fails is no reason to end a build. */
  #draw(toLines: (icons: Icons) => readonly Line[]): void {
    const draw = async (): Promise<void> => {
      const icons: Icons = new Map();
      const logger = new ListrLogger({ useIcons: false, processOutput: new Screen(this.#out) });
      const list = new Listr<unknown, Renderer>([...toLines(icons)], {
        concurrent: true,
        exitOnError: false,
        // listr2 would end the process on Ctrl-C, in the middle of our cleaning up.
        registerSignalListeners: false,
        renderer: toRenderer(this.#out, this.#color, { icons, pause: this.#pause }),
        rendererOptions: { logger, collapseSubtasks: false, collapseErrors: false, showErrorMessage: false },
      });
      this.#isDrawing = true;
      await list.run();
      this.#isDrawing = false;
    };
    this.#drawing = this.#drawing.then(draw).catch(() => undefined);
  }

  /** What was drawn for another width is torn now, and cannot be found again: begin at the top. */
  readonly #wipe = (): void => {
    if (this.#isDrawing && !this.#pause.isOn) this.#out.write("\u001b[H\u001b[J");
  };
}

function toGroups(view: RunView, drawing: Drawing): readonly Line[] {
  return [...view.groups].map(([name, tasks]) => {
    const line: Line = {
      title: name,
      task: (_context, wrapper) =>
        wrapper.newListr(
          tasks.map((task) => toTaskLine(task, view, drawing)),
          { concurrent: true, exitOnError: false },
        ),
    };
    drawing.icons.set(line, () => iconOf(tasks.map(({ state }) => state)));
    return line;
  });
}

function toTaskLine(task: TaskView, view: RunView, { out, icons, gates }: Drawing): Line {
  const line: Line = {
    title: task.title,
    task: async (_context, wrapper) => {
      const show = (): void => {
        wrapper.title = toTitle(task, Date.now(), out.columns - 4);
        const details = toDetails(task, out.columns - 6, detailLines(view, out.rows));
        if (task.state === "running" && details.length > 0) wrapper.output = details.join("\n");
      };
      const timer = setInterval(show, redrawEveryMs);
      await gates.wait(task.id);
      clearInterval(timer);
      show();
      // listr2's own word for it: it keeps the line and lets its sisters go on.
      if (task.state === "failed") throw new Error(task.note ?? task.title);
    },
  };
  icons.set(line, () => iconOf([task.state]));
  return line;
}

function toCleaningLine(cleaning: CleaningView, { icons, gates }: Drawing): Line {
  const line: Line = {
    title: "Clean up",
    task: async (_context, wrapper) => {
      const show = (): void => {
        wrapper.title = toCleaningTitle(cleaning, Date.now());
        if (cleaning.lines.length > 0) wrapper.output = cleaning.lines.slice(-3).join("\n");
      };
      const timer = setInterval(show, redrawEveryMs);
      await gates.wait(cleaningGate);
      clearInterval(timer);
      show();
      if (cleaning.leaked > 0) throw new Error("not everything would go");
    },
  };
  icons.set(line, () => iconOf([cleaning.state]));
  return line;
}

/** listr2's renderer with our icons, as wide as our stream is now, and not more often than can be seen. */
function toRenderer(
  out: Output,
  color: boolean,
  { icons, pause }: { readonly icons: Icons; readonly pause: Pause },
): Renderer {
  const paint = colors.createColors(color);
  return class CalmRenderer extends DefaultRenderer {
    // Whether this is a terminal was decided before; listr2 would look at process.stdout, which need not be ours.
    static override nonTTY = true;

    #drawnAt = 0;

    override update(): void {
      if (pause.isOn) return;
      pause.clear = () => this.#clear();
      const now = performance.now();
      // The spinner asks again soon, so nothing that is passed over here stays unseen.
      if (now - this.#drawnAt < redrawEveryMs * 0.9) return;
      this.#drawnAt = now;
      super.update();
    }

    /** listr2 hides what draws for it, and has no word for a moment's silence. */
    #clear(): void {
      (this as unknown as { readonly updater?: { clear(): void } }).updater?.clear();
    }

    protected override style(task: { readonly task: unknown }, output = false): string {
      if (output) return paint.dim("›");
      const icon = icons.get(task.task)?.();
      return icon ? paint[icon.color](icon.text) : " ";
    }

    protected override format(message: string, icon: string, level: number): string[] {
      const indent = "  ".repeat(level);
      const lines = message.split("\n").filter((line) => line.trim() !== "");
      const isDetail = level > 1 || icon === paint.dim("›");
      return lines.map((line, index) => {
        const text = toFit(line, out.columns - indent.length - 3);
        return `${indent}${index === 0 ? icon : " "} ${isDetail ? paint.dim(text) : text}`;
      });
    }
  };
}
