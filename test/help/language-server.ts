import { type ChildProcessByStdio, spawn } from "node:child_process";
import { resolve } from "node:path";
import type { Readable, Writable } from "node:stream";
import { pathToFileURL } from "node:url";

const bin = resolve(import.meta.dirname, "../../node_modules/yaml-language-server/bin/yaml-language-server");

type Position = { readonly line: number; readonly character: number };
type Range = { readonly start: Position; readonly end: Position };
export type Complaint = { readonly message: string; readonly range: Range; readonly severity: number };
export type Completion = {
  readonly label: string;
  readonly insertText?: string;
  readonly documentation?: string | { readonly value: string };
  readonly textEdit?: { readonly newText: string; readonly range: Range };
};
type Message = {
  readonly id?: number;
  readonly method?: string;
  readonly params?: {
    readonly uri?: string;
    readonly version?: number;
    readonly items?: readonly { readonly section: string }[];
  };
  readonly result?: unknown;
  readonly error?: { readonly message: string };
};

type Waiting = {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
};

/** The real yaml-language-server, over its standard input and output. */
export class LanguageServer implements AsyncDisposable {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting = new Map<number, Waiting>();
  readonly #opening = new Map<string, (complaints: readonly Complaint[]) => void>();
  readonly #settings: object;
  #unread = Buffer.alloc(0);
  #count = 0;

  /** `schemas`: as an editor's setting `yaml.schemas`: paths of schemas, and patterns of the files that each is for. */
  static async start(
    folder: string,
    schemas: Readonly<Record<string, readonly string[]>> = {},
  ): Promise<LanguageServer> {
    const server = new LanguageServer(schemas);
    const rootUri = pathToFileURL(folder).href;
    const workspaceFolders = [{ uri: rootUri, name: "specs" }];
    const textDocument = {
      completion: { completionItem: { snippetSupport: true, documentationFormat: ["markdown"] } },
      hover: { contentFormat: ["markdown"] },
    };
    const capabilities = { textDocument, workspace: { configuration: true, workspaceFolders: true } };
    await server.#ask("initialize", {
      processId: process.pid,
      rootUri,
      workspaceFolders,
      capabilities,
    });
    server.#tell("initialized", {});
    return server;
  }

  private constructor(schemas: Readonly<Record<string, readonly string[]>>) {
    // Without the catalogue it asks nothing of the network.
    const yaml = { validate: true, hover: true, completion: true, schemaStore: { enable: false }, schemas };
    this.#settings = { yaml, editor: { tabSize: 2 } };
    this.#process = spawn(process.execPath, [bin, "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
    this.#process.stdout.on("data", (bytes: Buffer) => this.#read(bytes));
  }

  /** Opens a file that need not be there, and gives what the server finds wrong with it. */
  async open(path: string, text: string): Promise<readonly Complaint[]> {
    const uri = pathToFileURL(path).href;
    const told = new Promise<readonly Complaint[]>((resolve) => this.#opening.set(uri, resolve));
    this.#tell("textDocument/didOpen", { textDocument: { uri, languageId: "yaml", version: 1, text } });
    return told;
  }

  async complete(path: string, position: Position): Promise<readonly Completion[]> {
    const found = await this.#ask("textDocument/completion", this.#at(path, position));
    return (found as { items: Completion[] }).items;
  }

  /** The Markdown that is shown for what is at a position. */
  async hover(path: string, position: Position): Promise<string> {
    const found = await this.#ask("textDocument/hover", this.#at(path, position));
    return (found as { contents: { value: string } } | null)?.contents.value ?? "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ask("shutdown", null);
    const ended = new Promise((done) => this.#process.once("exit", done));
    this.#tell("exit", null);
    await ended;
  }

  #at(path: string, position: Position): object {
    return { textDocument: { uri: pathToFileURL(path).href }, position };
  }

  #ask(method: string, params: unknown): Promise<unknown> {
    this.#count += 1;
    const id = this.#count;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#send({ id, method, params });
    });
  }

  #tell(method: string, params: unknown): void {
    this.#send({ method, params });
  }

  #send(message: object): void {
    const body = JSON.stringify({ jsonrpc: "2.0", ...message });
    this.#process.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }

  #read(bytes: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, bytes]);
    for (;;) {
      const end = this.#unread.indexOf("\r\n\r\n");
      const length = Number(
        /Content-Length: (\d+)/.exec(this.#unread.toString("latin1", 0, Math.max(end, 0)))?.[1],
      );
      if (end < 0 || this.#unread.length < end + 4 + length) return;
      const body = this.#unread.toString("utf8", end + 4, end + 4 + length);
      this.#unread = this.#unread.subarray(end + 4 + length);
      this.#take(JSON.parse(body) as Message);
    }
  }

  #take({ id, method, params, result, error }: Message): void {
    if (method === undefined) {
      const answer = this.#waiting.get(id ?? 0);
      if (error) answer?.reject(new Error(error.message));
      else answer?.resolve(result);
    } else if (method === "textDocument/publishDiagnostics") {
      const { uri = "", diagnostics } = params as { uri?: string; diagnostics: readonly Complaint[] };
      this.#opening.get(uri)?.(diagnostics);
    } else if (id !== undefined) {
      const asked = params?.items?.map(
        ({ section }) => (this.#settings as Record<string, unknown>)[section] ?? {},
      );
      this.#send({ id, result: asked ?? null });
    }
  }
}
