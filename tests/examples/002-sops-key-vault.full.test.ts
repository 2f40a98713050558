// "aks-flux": GitOps with SOPS and Azure Key Vault, by settings instead of by hand.
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { parse } from "yaml";
import { exampleFolder } from "../../rehearsal/examples.ts";
import { Rehearsal } from "../support/rehearsal.ts";
import { changesNothing, follows, kubectl, leavesWhatIsPeoples } from "./examples.ts";

const EXAMPLE = "002-sops-key-vault";
const FILE = "manifests/secret.enc.yaml";

describe(`the example ${EXAMPLE}`, () => {
  const demo = Rehearsal.of(EXAMPLE, "gitops-demo");

  before(() => demo.start());
  after(() => demo.end());

  it("has Flux bootstrapped into ./clusters/GitOpsDemoCluster, and demoapp from ./manifests beside it", async () => {
    assert.deepEqual(demo.report().faults, []);
    const found = await kubectl(demo, "kustomizations.kustomize.toolkit.fluxcd.io", "-n", "flux-system");
    const known = found.map(({ metadata: { name }, spec }) => [
      name,
      spec.path,
      spec.interval,
      spec.prune,
      spec.decryption?.provider,
    ]);
    assert.deepEqual(known, [
      ["demoapp", "./manifests", "5m0s", true, "sops"],
      ["flux-system", "./clusters/GitOpsDemoCluster", "10m0s", true, undefined],
      ["infrastructure", "./infrastructure/gitops-demo", "10m0s", true, "sops"],
    ]);
  });

  it("runs demoapp twice, from the stack's registry, behind a service", async () => {
    const { loginServer } = demo.report().registry;
    const [deployment, service] = await kubectl(demo, "deployment,service", "-n", "demoapp");
    assert.deepEqual(
      [deployment?.metadata.name, deployment?.spec.replicas, deployment?.status.availableReplicas],
      ["demoapp", 2, 2],
    );
    assert.ok(
      deployment?.spec.template.spec.containers[0].image.startsWith(
        `${loginServer}/mcr.microsoft.com/dotnet/samples@sha256:`,
      ),
    );
    assert.deepEqual(
      [service?.metadata.name, service?.spec.type, service?.spec.ports[0].port],
      [...["demoapp", "ClusterIP", 80]],
    );
  });

  it("has a rule for sops: the key sops-key, and the document's encrypted_regex", async () => {
    const { creation_rules: rules } = parse(await demo.output("git", "show", "origin/main:.sops.yaml"));
    assert.equal(rules.length, 1);
    const [{ path_regex, encrypted_regex, azure_keyvault }] = rules;
    assert.equal(path_regex, "^(manifests|infrastructure/gitops-demo)/.*\\.yaml$");
    assert.equal(encrypted_regex, "^(data|stringData)$");
    assert.match(azure_keyvault, /^https:\/\/[a-z0-9-]+\.vault\.azure\.net\/keys\/sops-key\/[0-9a-f]{32}$/);
  });

  it("decrypts in the cluster what a person encrypted, by the README's commands", async () => {
    const readme = readFileSync(join(exampleFolder(EXAMPLE), "README.md"), "utf8");
    const [, commands = ""] =
      /## A secret, by hand\n[^`]*```sh\n([^`]*)```/.exec(
        readme.replaceAll("`az login`", "").replaceAll("`sops.editors`", ""),
      ) ?? [];
    const [byEditor = "", byWriter = ""] = commands.split(/(?=^git add)/m);
    await demo.succeeds("--as", "editor", "exec", "--", "bash", "--norc", "-euc", byEditor);
    await demo.output("bash", "--norc", "-euc", byWriter);
    const inGit = await demo.output("git", "show", `origin/main:${FILE}`);
    assert.doesNotMatch(inGit, /t0p-S3cr3t|admin/);
    const { metadata, stringData, sops } = parse(inGit);
    assert.deepEqual(
      [metadata, Object.keys(stringData)],
      [{ name: "demoapp-credentials", namespace: "demoapp" }, ["username", "password"]],
    );
    assert.deepEqual([sops.azure_kv[0].name, sops.encrypted_regex], ["sops-key", "^(data|stringData)$"]);
    await demo.succeeds("check");
    const [secret] = await kubectl(demo, "secret", "demoapp-credentials", "-n", "demoapp");
    const data = Object.entries(secret?.data as Record<string, string>);
    const plain = data.map(([key, value]) => [key, Buffer.from(value, "base64").toString()]);
    assert.deepEqual(Object.fromEntries(plain), { username: "admin", password: "t0p-S3cr3t" });
  });

  it("does what the guide says", () => follows(demo, EXAMPLE));

  it("changes nothing with a second up", () => changesNothing(demo));

  it("leaves people's files and a vault that can be recovered, and nothing else", () =>
    leavesWhatIsPeoples(demo, EXAMPLE, [FILE]));
});
