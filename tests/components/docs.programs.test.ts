import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "mocha";
import ts from "typescript";

const CHECKOUT = join(import.meta.dirname, "../..");
const PAGE = join(CHECKOUT, "docs/components.md");

/** The programs of a page: its blocks of TypeScript, by the path that each would have beside index.ts. */
function programsOf(page: string): Map<string, string> {
  const blocks = [...readFileSync(page, "utf8").matchAll(/^```ts\n(.*?)^```$/gms)].map(([, text = ""]) => text);
  return new Map(blocks.map((text, index) => [join(CHECKOUT, `example${index}.ts`), text]));
}

/** What the compiler says about programs that are in no file. */
function complaints(programs: ReadonlyMap<string, string>): string[] {
  const { config } = ts.readConfigFile(join(CHECKOUT, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, CHECKOUT);
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => programs.has(path) || fileExists(path);
  host.readFile = (path) => programs.get(path) ?? readFile(path);
  host.getSourceFile = (path, target, ...rest) => {
    const text = programs.get(path);
    return text === undefined ? getSourceFile(path, target, ...rest) : ts.createSourceFile(path, text, target);
  };
  const program = ts.createProgram([...programs.keys()], options, host);
  return [...programs.keys()].flatMap((path) => {
    const source = program.getSourceFile(path);
    return ts
      .getPreEmitDiagnostics(program, source)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
  });
}

describe("the documentation of the components", () => {
  const programs = programsOf(PAGE);

  it("shows programs that compile", () => {
    assert.equal(programs.size, 2);
    assert.deepEqual(complaints(programs), []);
  });

  it("names every component that has a place of its own", () => {
    const page = readFileSync(PAGE, "utf8");
    for (const name of [
      "AksCluster",
      "ContainerRegistry",
      "SopsKeyVault",
      "HelmMirror",
      "FluxIdentity",
      "FluxBootstrap",
      "PipelineIdentity",
    ])
      assert.match(page, RegExp(`^\\| \`${name}\` `, "m"));
  });
});
