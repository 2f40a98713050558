import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { parse } from "yaml";
import { mergeRules, presentRules, type SopsRule } from "../../../provider/git/sopsRules.ts";

const prod: SopsRule = {
  path_regex: "^infrastructure/prod/.*\\.yaml$",
  encrypted_regex: "^(data|stringData)$",
  azure_keyvault: "https://v.vault.azure.net/keys/sops/1",
};
const dev: SopsRule = { path_regex: "^infrastructure/dev/", azure_keyvault: "https://d.vault.azure.net/keys/sops/1" };
const merge = (text: string | undefined, wanted: SopsRule[], previous: SopsRule[] = [], adopt = false) =>
  mergeRules(text, { wanted, previous, adopt });

const PROD = `creation_rules:
  - path_regex: ^infrastructure/prod/.*\\.yaml$
    encrypted_regex: ^(data|stringData)$
    azure_keyvault: https://v.vault.azure.net/keys/sops/1
`;
const DEV = `  - path_regex: ^infrastructure/dev/
    azure_keyvault: https://d.vault.azure.net/keys/sops/1
`;
const THEIRS = `# Ask the platform team.
creation_rules:
  # people
  - path_regex: ^people/ # theirs
    age: >-
      age1one,
      age1two

  # fits all
  - pgp: FBC7B9E2A4F9289AC0C1D4843D16CEE4A27381B4
stores:
  yaml:
    indent: 2
`;

describe("rules in .sops.yaml", () => {
  it("make the file, and take it away when nobody wrote anything else into it", () => {
    const made = merge(undefined, [prod]);
    assert.deepEqual(made, { text: PROD, conflicts: [] });
    assert.deepEqual(merge(PROD, [], [prod]), { text: undefined, conflicts: [] });
  });

  it("go before a rule that fits every path, and leave every other byte as it was", () => {
    const { text } = merge(THEIRS, [prod]);
    const [before, after] = [
      THEIRS.slice(0, THEIRS.indexOf("\n  # fits all")),
      THEIRS.slice(THEIRS.indexOf("\n  # fits all")),
    ];
    assert.equal(text, before + PROD.slice(PROD.indexOf("\n") + 1) + after);
    assert.equal(merge(text, [], [prod]).text, THEIRS);
  });

  it("go to the top when the first rule fits every path, its comment staying with it", () => {
    const theirs = "creation_rules:\n  # all\n  - age: age1one # me";
    const { text } = merge(theirs, [dev]);
    assert.equal(text, theirs.replace("  # all", `${DEV}  # all`));
    assert.equal(merge(text, [], [dev]).text, theirs);
  });

  it("are added to a file that has no rules yet, or has them in another layout", () => {
    const stores = "stores: {yaml:   {indent: 2}}";
    assert.equal(merge(stores, [dev]).text, `${stores}\ncreation_rules:\n${DEV}`);
    assert.equal(merge("# Hello.\n", [dev]).text, `# Hello.\ncreation_rules:\n${DEV}`);
    assert.deepEqual(parse(merge("creation_rules: [{age: age1one, path_regex: a}]\n", [dev]).text ?? ""), {
      creation_rules: [{ age: "age1one", path_regex: "a" }, dev],
    });
    assert.deepEqual(parse(merge("creation_rules:\n", [dev]).text ?? ""), { creation_rules: [dev] });
    assert.deepEqual(parse(merge("a: 1\n...\n", [dev]).text ?? ""), { a: 1, creation_rules: [dev] });
    assert.deepEqual(parse(merge("creation_rules:\n-\n  path_regex: a\n  age: b\n", [dev]).text ?? ""), {
      creation_rules: [{ path_regex: "a", age: "b" }, dev],
    });
  });

  it("go to the end otherwise, in the file's own indentation", () => {
    const theirs = "creation_rules:\n- path_regex: ^people/\n  age: age1one\n";
    assert.equal(
      merge(theirs, [dev]).text,
      `${theirs}- path_regex: ^infrastructure/dev/\n  azure_keyvault: https://d.vault.azure.net/keys/sops/1\n`,
    );
  });

  it("change nothing, not even the layout, when they are there already", () => {
    const odd = `creation_rules: [  {path_regex: "${dev.path_regex}",   azure_keyvault: '${dev.azure_keyvault}'} ]\n`;
    assert.deepEqual(merge(odd, [dev]), { text: odd, conflicts: [] });
    assert.deepEqual(merge(odd, [dev], [dev]), { text: odd, conflicts: [] });
  });

  it("are updated in place, keeping comments and keys that others added", () => {
    const text = PROD.replace("\n    azure", " # ours\n    azure").replace(/$/, "    age: age1two\n");
    const next = { path_regex: prod.path_regex, azure_keyvault: "https://v.vault.azure.net/keys/sops/2" };
    assert.equal(
      merge(text, [{ ...next, encrypted_regex: "^data$" }], [prod]).text,
      text.replace("sops/1", "sops/2").replace("^(data|stringData)$", "^data$"),
    );
    assert.deepEqual(presentRules(merge(text, [next], [prod]).text, [prod]), [next]);
  });

  it("in somebody else's hands are a conflict unless adopted", () => {
    const theirs = PROD.replace("sops/1", "theirs/1");
    assert.deepEqual(merge(theirs, [prod, dev]).conflicts, [prod.path_regex]);
    assert.deepEqual(merge(theirs, [prod], [], true), { text: PROD, conflicts: [] });
  });

  it("leave comments behind when they were the only rules", () => {
    assert.equal(merge(`# Ask the platform team.\n${PROD}`, [], [prod]).text, "# Ask the platform team.\n");
  });

  it("remove only what was ours", () => {
    const both = merge(PROD, [prod, dev], [prod]).text;
    assert.equal(merge(both, [prod], [prod, dev]).text, PROD);
    assert.equal(merge(PROD, [], [dev]).text, PROD);
  });

  it("are read back as they stand, missing ones left out", () => {
    const text = PROD.replace("sops/1", "sops/9");
    assert.deepEqual(presentRules(text, [prod, dev]), [
      { ...prod, azure_keyvault: "https://v.vault.azure.net/keys/sops/9" },
    ]);
    assert.deepEqual(presentRules(undefined, [prod]), []);
    assert.deepEqual(presentRules("stores: {}\n", [prod]), []);
  });

  it("are not put into a file that is broken", () => {
    assert.throws(() => merge("creation_rules: [", [prod]), /^Error: \.sops\.yaml is no valid YAML, mend it first: /);
    for (const text of ["- a\n", "creation_rules: 7\n", "creation_rules: {}\n"]) {
      assert.throws(() => merge(text, [prod]), {
        message: ".sops.yaml is no map with a list `creation_rules`, as SOPS wants it: mend it first",
      });
    }
  });
});
