import { strict as assert } from "node:assert";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { parseSettings } from "../../settings/parse.ts";
import { readStackFile } from "../../settings/stackFile.ts";
import { MINIMUM } from "./faults.ts";

describe("a stack file read without the engine", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "stack-file-"));
  });
  after(() => rm(folder, { recursive: true }));

  async function config(stackFile: string, project = "name: aks-gitops\n") {
    await writeFile(join(folder, "Pulumi.yaml"), project);
    await writeFile(join(folder, "Pulumi.test.yaml"), stackFile);
    return (await readStackFile(folder, "test")).config;
  }

  it("gives keys without a namespace that of the project, and takes the old form, as the engine does", async () => {
    assert.deepEqual(
      await config("config:\n  demo: {image: a}\n  aks-gitops:config:runner: inside\n  other:key: 1\n"),
      {
        "aks-gitops:demo": { image: "a" },
        "aks-gitops:runner": "inside",
        "other:key": "1",
      },
    );
    assert.deepEqual(await config("config:\n  demo: {image: a}\n", "name: fleet\n"), { "fleet:demo": { image: "a" } });
  });

  it("lies over the defaults of Pulumi.yaml", async () => {
    const project =
      "name: aks-gitops\nconfig:\n  runner: {type: string, default: inside}\n  protect: true\n" +
      "  azure-native:location: {value: westeurope}\n  aks-gitops:images: [x]\n";
    assert.deepEqual(await config("config:\n  aks-gitops:runner: outside\n", project), {
      "aks-gitops:runner": "outside",
      "aks-gitops:protect": true,
      "azure-native:location": "westeurope",
      "aks-gitops:images": ["x"],
    });
  });

  it("takes merge keys and anchors, as the engine does", async () => {
    const text = "config:\n  a:x: &x {one: 1}\n  a:y: {<<: *x, two: 2}\n";
    assert.deepEqual(await config(text), { "a:x": { one: 1 }, "a:y": { one: 1, two: 2 } });
  });

  for (const text of ["", "# nothing\n", "config:\n", "config: {}\n", "---\nconfig:\n---\n"])
    it(`holds nothing where it is ${JSON.stringify(text)}`, async () => {
      assert.deepEqual(await config(text), {});
    });

  it("whose keys have no values names what is missing, and the file", async () => {
    const source = await config("config:\n  azure-native:location:\n  aks-gitops:deployers:\n  aks-gitops:flux:\n");
    assert.throws(
      () => parseSettings({ project: "aks-gitops", stack: "test", config: source }),
      /^SettingsError: 3 faults in the configuration of stack test \(Pulumi\.test\.yaml\):\n\n {2}azure-native:location is missing/,
    );
  });

  const wrong: [string, RegExp][] = [
    ["config: [a]\n", /Pulumi\.test\.yaml: config is a list where a map is expected\. Write one line a key below it/],
    ["config: text\n", /Pulumi\.test\.yaml: config is a text where a map is expected\./],
    ["- config: {}\n", /Pulumi\.test\.yaml holds a list where a map is expected\. Write config:/],
    ["hunter2\n", /Pulumi\.test\.yaml holds a text where a map is expected\./],
    ["config: {}\n---\nconfig: {}\n", /Pulumi\.test\.yaml holds 2 documents, .*Remove the lines ---\.$/],
    [
      "config:\n  a:b: 'hunter2\n",
      /Pulumi\.test\.yaml, line 3, column 1 is no YAML: a quote, .* is missing\. Correct it there\.$/,
    ],
    ["config:\n\ta:b: hunter2\n", /Pulumi\.test\.yaml, line 2, column 1 is no YAML: a tab indents a line\./],
    [
      "config:\n  a:b: 1\n  a:b: hunter2\n",
      /Pulumi\.test\.yaml, line 3, column 3 is no YAML: a key stands twice in one map\./,
    ],
    ["config:\n  a:b: {hunter2: ]\n", /Pulumi\.test\.yaml, line 2, column \d+ is no YAML: /],
    ["config:\n  a:b: x: hunter2\n", /Pulumi\.test\.yaml, line 2, column \d+ is no YAML: a map begins within a line/],
    ["config:\n  a:b: *hunter2\n", /Pulumi\.test\.yaml cannot be read: an alias .* has no anchor/],
    ["config:\n  demo: {}\n  aks-gitops:demo: {}\n", /Pulumi\.test\.yaml says aks-gitops:demo twice, .*Remove one/],
    ["config:\n  a:b:c: 1\n", /Pulumi\.test\.yaml: a:b:c is no key\. Write a namespace, one colon and a name/],
  ];
  for (const [text, message] of wrong)
    it(`that is ${JSON.stringify(text)} is told with its file and a remedy, not its content`, async () => {
      await assert.rejects(config(text), (error: Error) => {
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /hunter2/);
        return true;
      });
    });

  it("of a project without a name, or whose configuration is a list, is told with Pulumi.yaml", async () => {
    await assert.rejects(
      config("config:\n", "runtime: nodejs\n"),
      /Pulumi\.yaml does not name the project\. Write name:/,
    );
    await assert.rejects(config("config:\n", "name: a\nconfig: [b]\n"), /Pulumi\.yaml: config is a list where a map/);
  });

  it("need not have its secrets: they are sealed, or not there yet", async () => {
    await config("config:\n");
    const flux = { repository: "https://github.com/acme/fleet", auth: "token" };
    const all = { ...MINIMUM, "aks-gitops:flux": flux, "aks-gitops:secrets": { secure: "v1:abc" } };
    await writeFile(join(folder, "Pulumi.test.yaml"), JSON.stringify({ config: all }));
    const { gitToken, secrets, flux: read } = parseSettings(await readStackFile(folder, "test"));
    assert.deepEqual([gitToken, secrets, read.auth], [undefined, [], "token"]);
    const plain = { ...all, "aks-gitops:gitToken": "hunter2" };
    await writeFile(join(folder, "Pulumi.test.yaml"), JSON.stringify({ config: plain }));
    const source = await readStackFile(folder, "test");
    assert.throws(() => parseSettings(source), /aks-gitops:gitToken stands in plain text/);
  });
});
