import { pathToFileURL } from "node:url";

/** Node loads a module once in a process: the code that was checked is the code that runs. */
export function importPlugin(path: string): Promise<object> {
  return import(/* @vite-ignore */ pathToFileURL(path).href) as Promise<object>;
}
