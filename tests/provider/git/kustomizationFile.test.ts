import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { parse } from "yaml";
import {
  type KustomizationEntries,
  mergeKustomization,
  presentEntries,
} from "../../../provider/git/kustomizationFile.ts";

const PATH = "clusters/dev/flux-system/kustomization.yaml";
const HEADER = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";
const OURS: KustomizationEntries = {
  resources: ["gotk-components.yaml", "gotk-sync.yaml"],
  components: ["workload-identity"],
};
const MADE = `${HEADER}resources:
- gotk-components.yaml
- gotk-sync.yaml
components:
- workload-identity
`;
/** As a user of Flux has it: with patches, comments and an own layout. */
const THEIRS = `# Ask the platform team.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  # Flux
  - gotk-components.yaml
  - gotk-sync.yaml # the root

  - dashboards.yaml
patches: [{path: replicas.yaml}]
`;
const merge = (text: string | undefined, wanted: KustomizationEntries, previous: KustomizationEntries = {}) =>
  mergeKustomization(PATH, text, { previous, wanted });

describe("entries in kustomization.yaml", () => {
  it("make the file, and take it away when nobody wrote anything else into it", () => {
    assert.equal(merge(undefined, OURS), MADE);
    assert.equal(merge(MADE, {}, OURS), undefined);
  });

  it("leave a file that has them already exactly as it is", () => {
    assert.equal(merge(MADE, OURS), MADE);
    assert.equal(merge(MADE, OURS, OURS), MADE);
    assert.equal(merge(THEIRS, { resources: OURS.resources ?? [] }), THEIRS);
  });

  it("go in behind the others' and leave every other byte as it was, also when they go again", () => {
    const mine = { resources: ["extra.yaml"], components: ["workload-identity"] };
    const merged = merge(THEIRS, mine);
    assert.equal(
      merged,
      `${THEIRS.replace("  - dashboards.yaml\n", "  - dashboards.yaml\n  - extra.yaml\n")}components:\n- workload-identity\n`,
    );
    assert.equal(merge(merged, {}, mine), THEIRS);
  });

  it("leave when they are no longer wanted, with the comment of their line and no other", () => {
    const left = merge(THEIRS, { resources: ["gotk-components.yaml"] }, { resources: OURS.resources ?? [] });
    assert.equal(left, THEIRS.replace("  - gotk-sync.yaml # the root\n", ""));
  });

  it("are not taken out when others wrote them", () => {
    assert.equal(merge(THEIRS, {}, { components: ["workload-identity"] }), THEIRS);
    assert.equal(merge(THEIRS, {}), THEIRS);
  });

  it("go into lists that are written in other ways, and keep what these hold", () => {
    for (const list of ["resources: [a.yaml]", "resources: [a.yaml, # theirs\n  ]", "resources:\n-   a.yaml"]) {
      const merged = parse(merge(`${HEADER}${list}\n`, OURS) ?? "");
      assert.deepEqual(merged.resources, ["a.yaml", "gotk-components.yaml", "gotk-sync.yaml"], list);
      assert.deepEqual(merged.components, ["workload-identity"]);
    }
    for (const list of ["resources:", "resources: []", "resources: null # nothing"])
      assert.deepEqual(parse(merge(`${HEADER}${list}\n`, OURS) ?? "").resources, OURS.resources, list);
  });

  it("keep the comments of a file that has to be written anew", () => {
    const merged = merge(`# first\n${HEADER}resources: [a.yaml] # all\n# last\n`, { resources: ["b.yaml"] }) ?? "";
    assert.match(merged, /^# first\n/);
    assert.match(merged, /# all\n/);
    assert.match(merged, /# last\n$/);
    assert.deepEqual(parse(merged).resources, ["a.yaml", "b.yaml"]);
  });

  it("fit into files without a newline at the end, and with those of Windows", () => {
    const resources = { resources: OURS.resources ?? [] };
    assert.equal(merge(MADE.trimEnd(), resources, OURS), MADE.slice(0, MADE.indexOf("components:")));
    const windows = merge(THEIRS.replaceAll("\n", "\r\n"), OURS) ?? "";
    assert.deepEqual(parse(windows), { ...parse(THEIRS), components: ["workload-identity"] });
    const unended = merge(`${HEADER}resources:\n- a.yaml`, { resources: ["b.yaml"] });
    assert.equal(unended, `${HEADER}resources:\n- a.yaml\n- b.yaml\n`);
  });

  it("are quoted where YAML would take them for something else", () => {
    const wanted = { resources: ["a: b.yaml", "https://github.com/acme/base?ref=v1", "#x", "1.0"] };
    assert.deepEqual(parse(merge(undefined, wanted) ?? ""), { ...parse(HEADER), ...wanted });
  });

  it("are found again where they stand, others' not among them", () => {
    assert.deepEqual(presentEntries(PATH, THEIRS, OURS), { resources: OURS.resources, components: [] });
    assert.deepEqual(presentEntries(PATH, MADE, { components: ["workload-identity"] }), {
      components: ["workload-identity"],
    });
  });

  it("are refused by a file that is no kustomization, with its name and what to do", () => {
    const refused = (text: string, message: RegExp) => {
      assert.throws(() => merge(text, OURS), { message });
      assert.throws(() => presentEntries(PATH, text, OURS), { message });
    };
    refused("resources: [", /^clusters\/dev\/flux-system\/kustomization\.yaml is no valid YAML, mend it first: /);
    refused("- a.yaml\n", /^clusters\/dev\/flux-system\/kustomization\.yaml is no map, as kustomize wants it: mend it/);
    refused("resources: a.yaml\n", /^resources in clusters\/dev\/flux-system\/kustomization\.yaml is no list, /);
  });
});
