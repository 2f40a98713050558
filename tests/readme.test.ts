import { strict as assert } from "node:assert";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, it } from "mocha";

const checkout = resolve(import.meta.dirname, "..");
const readme = readFileSync(join(checkout, "README.md"), "utf8");
const ignored = readFileSync(join(checkout, ".gitignore"), "utf8").split("\n");

/** The text below a heading. */
function section(heading: string): string {
  const [, text = ""] = readme.split(`\n## ${heading}\n`);
  return text.split("\n## ")[0] ?? "";
}

/** The first column of a section's table, without what a stack is called. */
const listed = (heading: string) => [...section(heading).matchAll(/^\| `([^`]+)` \|/gm)].map(([, path = ""]) => path);

describe("the README", () => {
  it("says what is in each room, and of nothing that is not there", () => {
    const paths = listed("What is where");
    const files = paths.filter((path) => !path.endsWith("/")).map((path) => path.replace("<stack>", "prod"));
    // A stack's lock is made by its owner.
    for (const file of files.filter((path) => !path.startsWith("mirror.")))
      assert.ok(existsSync(join(checkout, file)), file);
    const rooms = globSync(["*/", "components/*/"], { cwd: checkout, exclude: ["node_modules", "components/shared"] })
      .filter((room) => !/^(tests|components)$/.test(room) && !ignored.includes(`${room}/`))
      .filter((room) => globSync("**/*.{ts,md,json}", { cwd: join(checkout, room) }).length > 0);
    const said = paths.filter((path) => path.endsWith("/")).map((path) => path.slice(0, -1));
    assert.deepEqual(said.sort(), rooms.sort());
  });

  it("leads to every page of the documentation", () => {
    const pages = globSync(["docs/*.md", "docs/delivery/*.md", "docs/guides/*.md"], { cwd: checkout });
    assert.notEqual(pages.length, 0);
    for (const page of pages) assert.ok(readme.includes(`](${page})`), page);
  });

  it("makes a stack before it sets what is kept with it", () => {
    const steps = section("Run it for real");
    const [init, secret, up] = ["stack init", "config set --secret", "pulumi up"].map((words) => steps.indexOf(words));
    assert.ok(init !== undefined && secret !== undefined && up !== undefined);
    assert.ok(0 < init && init < secret && secret < up);
  });

  it("says which Node is needed as package.json does", () => {
    const { engines } = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8"));
    const [, wanted] = /^>=(\d+)$/.exec(engines.node) ?? [];
    assert.ok(readme.includes(`The project runs on Node.js ${wanted} `));
    assert.ok(section("Run it for real").includes(`Node.js ${wanted} or newer`));
    assert.match(
      readFileSync(join(checkout, "tools/nodeVersion.cjs"), "utf8"),
      new RegExp(`^const wanted = ${wanted};$`, "m"),
    );
  });

  it("names the files of a rehearsal as they are called, and git ignores the folders that it speaks of", async () => {
    const { pathsOf } = await import("../rehearsal/session.ts");
    const { dir, ...paths } = pathsOf("prod");
    const known = Object.values(paths).map((path) => path.slice(dir.length + 1));
    for (const path of listed("Work with a rehearsal")) assert.ok(known.includes(path.replace(/\/$/, "")), path);
    for (const folder of [".rehearsal", "rehearsal-charts"]) {
      assert.ok(readme.includes(`\`${folder}`), folder);
      assert.ok(ignored.includes(`${folder}/`), folder);
    }
  });
});
