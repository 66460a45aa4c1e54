import { Argument, type Command } from "commander";
import { toBash } from "./completion-bash.ts";
import { toFish } from "./completion-fish.ts";
import { toWordTree } from "./completion-words.ts";
import { toZsh } from "./completion-zsh.ts";

const shells = { bash: toBash, zsh: toZsh, fish: toFish } as const;

/** `imgspec completion`: a script for the shell, made from the table of commands; it starts no process of ours. */
export function addCompletion(program: Command): void {
  program
    .command("completion")
    .description("Print a script that lets a shell complete commands, options, their values and files.")
    .addArgument(new Argument("<shell>", "which one").choices(Object.keys(shells)))
    .addHelpText(
      "after",
      `
Print it anew after an update.

Examples:
  imgspec completion bash > ~/.local/share/bash-completion/completions/imgspec
  imgspec completion zsh > ~/.zfunc/_imgspec      # in a folder of $fpath
  imgspec completion fish > ~/.config/fish/completions/imgspec.fish`,
    )
    .action((shell: keyof typeof shells) => {
      process.stdout.write(shells[shell](toWordTree(program)));
    });
}
