// A client of the real YAML language server, as far as an editor needs it here.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const ROOT = resolve(import.meta.dirname, "../..");

export interface Diagnostic {
  readonly message: string;
  readonly range: { readonly start: { readonly line: number; readonly character: number } };
}

interface Message {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** A place in a document, by what stands before it. */
const positionAfter = (text: string, before: string) => {
  const lines = text.slice(0, text.indexOf(before) + before.length).split("\n");
  return { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 };
};

/** The server, with one stack file open; the file's text need not be the one on the disk. */
export class LanguageServer {
  readonly #child: ChildProcess;
  readonly #answers = new Map<number, (message: Message) => void>();
  readonly #diagnostics = new Map<string, (found: Diagnostic[]) => void>();
  #input: Buffer = Buffer.alloc(0);
  #lastId = 0;
  #texts = new Map<string, string>();

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.on("data", (chunk: Buffer) => this.#read(chunk));
  }

  static async start(): Promise<LanguageServer> {
    const program = resolve(ROOT, "node_modules/yaml-language-server/bin/yaml-language-server");
    const server = new LanguageServer(
      spawn(process.execPath, [program, "--stdio"], { cwd: ROOT, stdio: ["pipe", "pipe", "ignore"] }),
    );
    const rootUri = pathToFileURL(ROOT).href;
    await server.#ask("initialize", {
      processId: process.pid,
      rootUri,
      workspaceFolders: [{ uri: rootUri, name: "aks-gitops" }],
      capabilities: {
        workspace: { configuration: true },
        textDocument: { hover: { contentFormat: ["markdown"] }, completion: {}, publishDiagnostics: {} },
      },
    });
    server.#send({ method: "initialized", params: {} });
    return server;
  }

  /** Opens a stack's file with a text of one's own; gives what is wrong in it. */
  async open(name: string, text: string): Promise<Diagnostic[]> {
    const uri = this.#uriOf(name);
    const found = new Promise<Diagnostic[]>((done) => this.#diagnostics.set(uri, done));
    const isOpen = this.#texts.has(uri);
    const version = ++this.#lastId;
    this.#texts.set(uri, text);
    this.#send(
      isOpen
        ? {
            method: "textDocument/didChange",
            params: { textDocument: { uri, version }, contentChanges: [{ text }] },
          }
        : {
            method: "textDocument/didOpen",
            params: { textDocument: { uri, languageId: "yaml", version, text } },
          },
    );
    return await found;
  }

  /** What the server proposes to write after a text. */
  async completions(name: string, after: string): Promise<string[]> {
    const { items } = (await this.#at("textDocument/completion", name, after)) as { items: { label: string }[] };
    return items.map(({ label }) => label);
  }

  /** What the server shows of what ends with a text. */
  async hover(name: string, after: string): Promise<string> {
    const shown = (await this.#at("textDocument/hover", name, after)) as { contents: { value: string } } | null;
    return shown?.contents.value ?? "";
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, "exit");
    await this.#ask("shutdown", undefined);
    this.#send({ method: "exit" });
    await ended;
  }

  #at(method: string, name: string, after: string): Promise<unknown> {
    const uri = this.#uriOf(name);
    const position = positionAfter(this.#texts.get(uri) ?? "", after);
    return this.#ask(method, { textDocument: { uri }, position });
  }

  #uriOf = (name: string) => pathToFileURL(resolve(ROOT, name)).href;

  async #ask(method: string, params: unknown): Promise<unknown> {
    const id = ++this.#lastId;
    const answer = new Promise<Message>((done) => this.#answers.set(id, done));
    this.#send({ id, method, params });
    const { result, error } = await answer;
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  #send(message: Message): void {
    const body = JSON.stringify({ jsonrpc: "2.0", ...message });
    this.#child.stdin?.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }

  #read(chunk: Buffer): void {
    this.#input = Buffer.concat([this.#input, chunk]);
    for (;;) {
      const head = this.#input.indexOf("\r\n\r\n");
      if (head < 0) return;
      const length = Number(/Content-Length: (\d+)/i.exec(this.#input.subarray(0, head).toString())?.[1]);
      if (this.#input.length < head + 4 + length) return;
      const body = this.#input.subarray(head + 4, head + 4 + length).toString();
      this.#input = this.#input.subarray(head + 4 + length);
      this.#take(JSON.parse(body) as Message);
    }
  }

  #take({ id, method, params, ...answer }: Message): void {
    if (method === undefined) this.#answers.get(Number(id))?.(answer);
    if (method === "textDocument/publishDiagnostics") {
      const { uri, diagnostics } = params as { uri: string; diagnostics: Diagnostic[] };
      this.#diagnostics.get(uri)?.(diagnostics);
    }
    if (id === undefined || method === undefined) return;
    // Nothing is to be loaded from elsewhere: the file names its schema.
    const yaml = {
      validate: true,
      hover: true,
      completion: true,
      schemaStore: { enable: false },
      kubernetesCRDStore: { enable: false },
    };
    const result =
      method === "workspace/configuration"
        ? (params as { items: { section: string }[] }).items.map(({ section }) => (section === "yaml" ? yaml : null))
        : null;
    this.#send({ id, result });
  }
}
