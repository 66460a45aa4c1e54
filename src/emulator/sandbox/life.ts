import { type Booted, consoleLimit } from "./boot.ts";

/** An instance over all its boots. */
export type Life = {
  /** Whether it runs just now; between two boots it answers nobody. */
  isUp(): boolean;
  /** The first process of the boot that runs, as this machine counts. */
  pid(): number;
  /** The last that its boots wrote to the console, as much as EC2 keeps. */
  console(): string;
  /** Resolves when it halted itself, or did not come up again. */
  readonly over: Promise<void>;
  end(): Promise<void>;
};

export type Boots = {
  /** Boots it, the first time or again, with all that has to stand before somebody logs in. */
  boot(isFirst: boolean): Promise<Booted & AsyncDisposable>;
  /** Its boot ended, and the next begins: whoever is logged in is thrown out. */
  onDown(): void;
};

/** Boots an instance, and again each time that it asks for that. */
export async function startLife({ boot, onDown }: Boots): Promise<Life> {
  let current = await boot(true);
  let isUp = true;
  let isEnding = false;
  let earlier = "";
  const live = async (): Promise<void> => {
    for (;;) {
      const wish = await Promise.race([
        current.rebooting.then(() => "again" as const),
        current.ended.then(() => "over" as const),
      ]);
      isUp = false;
      onDown();
      if (wish === "over" || isEnding) return;
      await current[Symbol.asyncDispose]();
      earlier = (earlier + current.console()).slice(-consoleLimit);
      if (isEnding) return;
      current = await boot(false);
      isUp = true;
    }
  };
  // An instance that does not come up again is one that nobody can log in to.
  const over = live().catch(() => undefined);
  return {
    isUp: () => isUp,
    pid: () => current.pid,
    console: () => (isUp ? (earlier + current.console()).slice(-consoleLimit) : earlier || current.console()),
    over,
    end: async () => {
      isEnding = true;
      await current[Symbol.asyncDispose]();
      await over;
      await current[Symbol.asyncDispose]();
    },
  };
}
