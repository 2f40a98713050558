import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { parse } from "yaml";
import { mergeKustomization } from "../../../provider/git/kustomizationFile.ts";
import { mergeRules, type SopsRule } from "../../../provider/git/sopsRules.ts";
import { YamlEditor, type YamlStyle } from "../../../provider/git/yamlEdit.ts";

const MARK = "\uFEFF";
const STYLE: YamlStyle = { indentSeq: true, ended: false };
const edited = (text: string, edit: (file: YamlEditor) => void, style = STYLE) => {
  const file = new YamlEditor("some.yaml", text, style);
  edit(file);
  return file.text;
};

/** The same text as editors on other systems leave it. */
const VARIANTS: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => text,
  "with Windows' line ends": (text) => text.replaceAll("\n", "\r\n"),
  "with a byte order mark": (text) => MARK + text,
  "with both": (text) => MARK + text.replaceAll("\n", "\r\n"),
};

/** Lists that a file may have, and what stands where another item was put behind `b.yaml`. */
const LISTS: Readonly<Record<string, readonly [before: string, after: string]>> = {
  indented: [
    "x: 1\nlist:\n  - a.yaml\n  - b.yaml\ny: 2\n",
    "x: 1\nlist:\n  - a.yaml\n  - b.yaml\n  - new.yaml\ny: 2\n",
  ],
  "under its key": ["list:\n- a.yaml\n- b.yaml\n", "list:\n- a.yaml\n- b.yaml\n- new.yaml\n"],
  "far right, with wide dashes": [
    "list:\n      -   a.yaml\n      -   b.yaml\n",
    "list:\n      -   a.yaml\n      -   b.yaml\n      -   new.yaml\n",
  ],
  "with comments": [
    "# top\nlist: # these\n  # first\n  - a.yaml # one\n\n  - b.yaml # two\n  # later\n\n# end\ny: 2 # last\n",
    "# top\nlist: # these\n  # first\n  - a.yaml # one\n\n  - b.yaml # two\n  - new.yaml\n  # later\n\n# end\ny: 2 # last\n",
  ],
  "in brackets": ["list: [a.yaml, b.yaml] # all\ny: 2\n", "list: [a.yaml, b.yaml, new.yaml] # all\ny: 2\n"],
  "in wide brackets": ["list: [ a.yaml , b.yaml ]\n", "list: [ a.yaml , b.yaml, new.yaml ]\n"],
  "in brackets over lines": [
    "list: [\n    a.yaml, # one\n    b.yaml, # two\n  ]\ny: 2\n",
    "list: [\n    a.yaml, # one\n    b.yaml, new.yaml, # two\n  ]\ny: 2\n",
  ],
  "in empty brackets": ["list: []\ny: 2\n", "list: [new.yaml]\ny: 2\n"],
  "in a file of JSON": ['{"x": 1, "list": ["a.yaml","b.yaml"]}\n', '{"x": 1, "list": ["a.yaml","b.yaml", new.yaml]}\n'],
  "not yet there": ["x: {a:   1}\n\n# end\n", "x: {a:   1}\n\n# end\nlist:\n  - new.yaml\n"],
  "not yet there, in an indented file": ["  x: 1\n  y: 2\n", "  x: 1\n  y: 2\n  list:\n    - new.yaml\n"],
  "not yet there, in a file of JSON": ['{"x": 1}\n', '{"x": 1, list: [new.yaml]}\n'],
  "not yet there, before the document's end": [
    "---\nx: 1\n...\n# rest\n",
    "---\nx: 1\nlist:\n  - new.yaml\n...\n# rest\n",
  ],
  "with quotes, anchors, tags and aliases": [
    "x: &x 'a.yaml'\nlist:\n  - *x\n  - !!str \"b.yaml\"\n  - &c c.yaml\ny: *c\n",
    "x: &x 'a.yaml'\nlist:\n  - *x\n  - !!str \"b.yaml\"\n  - &c c.yaml\n  - new.yaml\ny: *c\n",
  ],
  "with items over lines": [
    "list:\n  - >-\n    a\n    b\n  - k: |\n      text\n\n    l: 1\n\ny: 2\n",
    "list:\n  - >-\n    a\n    b\n  - k: |\n      text\n\n    l: 1\n  - new.yaml\n\ny: 2\n",
  ],
};

describe("an edited YAML file", () => {
  for (const [variant, write] of Object.entries(VARIANTS)) {
    for (const [name, [before, after]] of Object.entries(LISTS)) {
      it(`${variant} keeps its other bytes when an item comes and goes, the list ${name}`, () => {
        const items = (parse(before) as { list?: unknown[] }).list?.length ?? 0;
        const added = edited(write(before), (file) => file.insert("list", items, "new.yaml"));
        assert.equal(added, write(after));
        assert.equal(
          edited(added, (file) => file.remove(["list", items])),
          write(before),
        );
      });
    }
  }

  it("takes any item out of a list and leaves the others' bytes", () => {
    const remove = (text: string, index: number) => edited(text, (file) => file.remove(["list", index]));
    assert.equal(remove("list: [a, b, c]\n", 0), "list: [b, c]\n");
    assert.equal(remove("list: [a, b, c]\n", 1), "list: [a, c]\n");
    assert.equal(remove("list: [a, b, c]\n", 2), "list: [a, b]\n");
    const lines = "list: [\n  a, # one\n  b,\n  c\n]\n";
    assert.equal(remove(lines, 0), "list: [\n  # one\n  b,\n  c\n]\n");
    assert.equal(remove(lines, 1), "list: [\n  a, # one\n  c\n]\n");
    assert.equal(remove(lines, 2), "list: [\n  a, # one\n  b\n]\n");
    const block = "list:\n  # one\n  - a\n\n  - b: 1\n    # in b\n    c: 2\n  - d # four\n";
    assert.equal(remove(block, 0), "list:\n  # one\n\n  - b: 1\n    # in b\n    c: 2\n  - d # four\n");
    assert.equal(remove(block, 1), "list:\n  # one\n  - a\n\n  - d # four\n");
    assert.equal(remove(block, 2), "list:\n  # one\n  - a\n\n  - b: 1\n    # in b\n    c: 2\n");
    assert.equal(remove("x: 1\nlist: # mine\n  - a\ny: 2\n", 0), "x: 1\ny: 2\n");
    assert.equal(remove("list: [a]\n", 0), "list: []\n");
  });

  it("puts items before others too", () => {
    const insert = (text: string, index: number) => edited(text, (file) => file.insert("list", index, "n"));
    assert.equal(insert("list: [a, b]\n", 0), "list: [n, a, b]\n");
    assert.equal(insert("list: [a, b]\n", 1), "list: [a, n, b]\n");
    assert.equal(
      insert("list:\n  # one\n  - a\n  # two\n  - b\n", 0),
      "list:\n  - n\n  # one\n  - a\n  # two\n  - b\n",
    );
    assert.equal(
      insert("list:\n  # one\n  - a\n  # two\n  - b\n", 1),
      "list:\n  # one\n  - a\n  - n\n  # two\n  - b\n",
    );
  });

  it("makes a list of nothing, and of a null with its comment", () => {
    const insert = (text: string) => edited(text, (file) => file.insert("list", 0, "n"));
    assert.equal(insert(""), "list:\n  - n\n");
    assert.equal(insert(MARK), `${MARK}list:\n  - n\n`);
    assert.equal(insert("# c\n"), "# c\nlist:\n  - n\n");
    assert.equal(insert("list: # c\nx: 1\n"), "list: # c\n  - n\nx: 1\n");
    assert.equal(insert("list: null # c\r\nx: 1\r\n"), "list: # c\r\n  - n\r\nx: 1\r\n");
    assert.equal(insert("list: ~"), "list:\n  - n\n");
    assert.equal(insert("{list: null, x: 1}"), "{list: [n], x: 1}");
  });

  it("sets, adds and removes keys of an item in place", () => {
    const set = (text: string, key: string, value: string) => edited(text, (file) => file.set(["list", 0, key], value));
    assert.equal(set("list:\n  - a:   'old' # c\n    b: 1\n", "a", "new"), "list:\n  - a:   new # c\n    b: 1\n");
    assert.equal(
      set("list:\n  - a: >-\n      old\n      text\n    b: 1\n", "a", "new"),
      "list:\n  - a: new\n    b: 1\n",
    );
    assert.equal(set("list:\n  - a:\n    b: 1\n", "a", "new"), "list:\n  - a: new\n    b: 1\n");
    assert.equal(set("list:\n  - {a: old, b: 1} # c\n", "a", "x, y"), 'list:\n  - {a: "x, y", b: 1} # c\n');
    assert.equal(set("list:\r\n-   a: 1\r\nx: 1\r\n", "b", "new"), "list:\r\n-   a: 1\r\n    b: new\r\nx: 1\r\n");
    assert.equal(set("list: [{a: 1}]\n", "b", "new"), "list: [{a: 1, b: new}]\n");
    assert.equal(set("list:\n  - a: 1", "b", "new"), "list:\n  - a: 1\n    b: new");
    const remove = (text: string, key: string) => edited(text, (file) => file.remove(["list", 0, key]));
    assert.equal(
      remove("list:\n  - a: 1 # c\n    b: 2\n    # d\n    c: 3\n", "b"),
      "list:\n  - a: 1 # c\n    # d\n    c: 3\n",
    );
    assert.equal(remove("list:\n  - a: 1\n    b: 2\n", "a"), "list:\n  - b: 2\n");
    assert.equal(remove("list:\n  - {a: 1, b: 2}\n", "a"), "list:\n  - {b: 2}\n");
    assert.equal(remove("list:\n  - {a: 1, b: 2}\n", "b"), "list:\n  - {a: 1}\n");
  });

  it("ends an added line as the line before it, where the file is of two minds", () => {
    const mixed = "x: 1\r\nlist:\n  - a\n  - b\r\ny: 2\n";
    assert.equal(
      edited(mixed, (file) => file.insert("list", 2, "n")),
      "x: 1\r\nlist:\n  - a\n  - b\r\n  - n\r\ny: 2\n",
    );
    assert.equal(
      edited(mixed, (file) => file.insert("list", 1, "n")),
      "x: 1\r\nlist:\n  - a\n  - n\n  - b\r\ny: 2\n",
    );
  });

  it("keeps the mark and the line ends even of a layout that has to be written anew", () => {
    const text = `${MARK}list:\r\n- - a\r\n? x\r\n: 1\r\n`;
    const added = edited(text, (file) => file.set(["x"], "2"));
    assert.deepEqual(parse(added), { list: [["a"]], x: "2" });
    assert.ok(added.startsWith(MARK));
    assert.doesNotMatch(added, /[^\r]\n/);
  });

  it("is refused where another place refers to what shall go", () => {
    assert.throws(() => edited("list:\n  - &a x\n  - y\nz: *a\n", (file) => file.remove(["list", 0])), {
      message: /^some\.yaml refers by an alias to an entry that shall go, mend it first: Unresolved alias/,
    });
  });
});

describe("files from Windows", () => {
  const rule: SopsRule = {
    path_regex: "^infrastructure/dev/",
    azure_keyvault: "https://d.vault.azure.net/keys/sops/1",
  };
  const added = ["  - path_regex: ^infrastructure/dev/", "    azure_keyvault: https://d.vault.azure.net/keys/sops/1"];
  const merge = (text: string | undefined, wanted: SopsRule[], previous: SopsRule[] = []) =>
    mergeRules(text, { wanted, previous, adopt: false }).text;

  it("keep the mark first and their line ends, and have their old bytes when our rule goes", () => {
    const theirs = `${MARK}# Regeln für alle\r\ncreation_rules:\r\n  - path_regex: ^vault/   # alt\r\n    pgp: AAAA\r\n`;
    const text = merge(theirs, [rule]);
    assert.equal(text, `${theirs}${added.join("\r\n")}\r\n`);
    assert.equal(merge(text, [], [rule]), theirs);
    const newer = { ...rule, azure_keyvault: "https://d.vault.azure.net/keys/sops/2" };
    assert.equal(merge(text, [newer], [rule]), text.replace("sops/1", "sops/2"));
  });

  it("have their old bytes without a newline at the end, too", () => {
    const theirs = "# Regeln\r\ncreation_rules:\r\n  - path_regex: ^vault/\r\n    pgp: AAAA";
    const text = merge(theirs, [rule]);
    assert.equal(text, `${theirs}\r\n${added.join("\r\n")}`);
    assert.equal(merge(text, [], [rule]), theirs);
  });

  it("have their old bytes when an entry of a kustomization goes", () => {
    const theirs = `${MARK}apiVersion: kustomize.config.k8s.io/v1beta1\r\nkind: Kustomization\r\nresources:\r\n  - gotk-sync.yaml\r\n`;
    const ours = { resources: ["a.yaml", "b.yaml"], components: ["c"] };
    const text = mergeKustomization("k.yaml", theirs, { wanted: ours, previous: {} });
    assert.equal(text, `${theirs}  - a.yaml\r\n  - b.yaml\r\ncomponents:\r\n- c\r\n`);
    assert.equal(mergeKustomization("k.yaml", text, { wanted: {}, previous: ours }), theirs);
  });
});
