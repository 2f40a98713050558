// Pull requests of a stack on their way: the pipelines' own steps, as they stand in their files, against a rehearsal of
// prod, and what the reviewer gets to read.
import { strict as assert } from "node:assert";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { parseDocument } from "yaml";
import { readTarGz } from "../../../net/archive.ts";
import { gzip, tar } from "../../../rehearsal/content/archive.ts";
import { kuredChart } from "../../../rehearsal/content/ownCharts.ts";
import { checkout, Rehearsal } from "../../support/rehearsal.ts";
import { DevOps } from "./devOps.ts";
import { Machine, variablesOf } from "./machine.ts";
import { type Change, type Delivered, Platform } from "./platform.ts";

const NEWER = "6.2.0";
const SETTINGS = "Pulumi.prod.yaml";
const LOCK = "mirror.prod.lock.json";
const PREVIEW = "preview (prod).stack";

/** The rehearsal's chart in a newer version, with a newer image. */
async function newerChart(): Promise<Buffer> {
  const files = await readTarGz(kuredChart().tgz);
  return gzip(
    tar(
      files.map(({ path, content }) => {
        const text = content
          .toString("utf8")
          .replace("version: 6.1.0", `version: ${NEWER}`)
          .replace("1.23.0", "1.24.0");
        return { path, body: path === "kured/Chart.yaml" ? Buffer.from(text) : Buffer.from(content) };
      }),
    ),
  );
}

/** A text without what differs from one rehearsal to the next. */
const plain = (text: string) =>
  text
    .replace(/^<!-- run .*-->$/m, "<!-- run -->")
    .replace(/of `[0-9a-f]{8}`, [\d-]{10} [\d:]{5} UTC/, "of COMMIT, TIME")
    .replace(/\b\d+ unchanged/, "MANY unchanged")
    .replace(/sha256:[0-9a-f]{12,64}/g, "DIGEST")
    .replace(/^@@ .* @@$/gm, "@@")
    .replace(/\bacrprod\w+/g, "ACR")
    .replace(/\baks-prod-[0-9a-f]{8}\b/g, "AKS");

/** What is read without a click. */
const unfolded = (body: string) => plain(body.split("\n<details>")[0] ?? "").trimEnd();

/** The titles of what a click opens. */
const folded = (body: string) =>
  [...body.matchAll(/<details><summary>(.*)<\/summary>/g)].map(([, title = ""]) => title);

describe("the delivery of prod", () => {
  const prod = new Rehearsal("prod");
  const charts = join(checkout, "rehearsal-charts");
  const chart = join(charts, `kured-${NEWER}.tgz`);
  const isOurs = !existsSync(chart);
  let machine: Machine;
  let platform: Platform;
  let devOps: DevOps;
  /** The pull request with the chart's new version. */
  let chartsChange: number;
  let replacing: { readonly sha: string; readonly comment: string } | undefined;

  before(async () => {
    await prod.start();
    const people = { reader: await variablesOf(prod, "reader"), deployer: await variablesOf(prod, "deployer") };
    machine = await Machine.of(prod);
    platform = await Platform.of(prod, machine, people);
    devOps = await DevOps.of(prod, machine, platform, people);
    mkdirSync(charts, { recursive: true });
    if (isOurs) writeFileSync(chart, await newerChart());
  });

  after(async () => {
    if (isOurs) rmSync(chart, { force: true });
    platform?.end();
    await machine?.end();
    await prod.end();
  });

  /** The stack's settings with another value. */
  function settings(path: readonly string[], value: unknown): Change {
    const document = parseDocument(platform.settings);
    document.setIn(["config", ...path], value);
    return { [SETTINGS]: document.toString() };
  }

  /** The one comment of a pull request, of the workflow; in it, in a log and in a summary is no secret. */
  function commentOf({ jobs, comments }: Delivered): string {
    const [first, ...others] = comments;
    const logs = Object.values(jobs).flatMap(({ log, summary }) => [log, summary]);
    assert.ok(first, logs.join("\n"));
    assert.deepEqual([first.author, others], ["github-actions[bot]", []]);
    for (const text of [first.body, ...logs])
      for (const secret of platform.secrets) assert.ok(!text.includes(secret), "a secret is shown");
    // The page of the run says the same.
    const page = jobs[PREVIEW]?.summary ?? "";
    assert.ok(page.startsWith(first.body.replace(/^<!-- run .*-->\n/m, "").trimEnd()), page);
    return first.body;
  }

  /** How the preview and the check that a branch requires ended. */
  const ends = ({ jobs }: Delivered) => [jobs[PREVIEW]?.result, jobs.previews?.result];

  it("shows a chart's new version: what is mirrored, and what Flux gets", async () => {
    // What its author does: the version in the settings, and the lock resolved anew.
    const pulumi = (...args: string[]) => prod.succeeds("pulumi", ...args);
    await pulumi("config", "set", "--path", "aks-gitops:charts[0].version", NEWER);
    await pulumi("config", "get", "azure-native:location");
    const change = [SETTINGS, LOCK].map((name) => [name, readFileSync(join(prod.folder, "project", name), "utf8")]);
    const { number, event } = await platform.open("Bring Kured up to date", Object.fromEntries(change));
    chartsChange = number;
    const delivered = await platform.deliver("preview.yml", event);
    const body = commentOf(delivered);
    assert.equal(
      unfolded(body),
      `<!-- aks-gitops review aks-gitops/prod -->
<!-- run -->
### ℹ️ \`prod\`: chart \`kured\` \`6.1.0\` → \`6.2.0\`, 5 resources in all

1 to delete, 1 to replace, 2 to update, 1 to create, MANY unchanged. Nobody misses what is deleted or replaced. Preview of COMMIT, TIME.

#### Charts and images

|  | before | after |
| --- | --- | --- |
| chart \`kured\` | \`6.1.0\` \`DIGEST\` | \`6.2.0\` \`DIGEST\` |
| image \`ghcr.io/kubereboot/kured\` | \`1.23.0\` \`DIGEST\` | \`1.24.0\` \`DIGEST\` |

#### Flux's manifests: 2 files, +3 −3

\`infrastructure/prod/releases/kured.yaml\` changed, +1 −1

\`\`\`diff
@@
         operator: Exists
     image:
       repository: ACR.azurecr.io/ghcr.io/kubereboot/kured
-      tag: 1.23.0@DIGEST
+      tag: 1.24.0@DIGEST
\`\`\`

\`infrastructure/prod/sources/kured.yaml\` changed, +2 −2

\`\`\`diff
@@
   url: oci://ACR.azurecr.io/charts/kured
   provider: azure
   ref:
-    tag: 6.1.0
-    digest: DIGEST
+    tag: 6.2.0
+    digest: DIGEST
   layerSelector:
     mediaType: application/vnd.cncf.helm.chart.content.v1.tar+gzip
     operation: copy
\`\`\``,
    );
    assert.deepEqual(folded(body), ["All resources that change: 5", "Outputs that change: 1"]);
    assert.deepEqual(ends(delivered), ["success", "success"]);
    assert.deepEqual(delivered.jobs.stacks?.outputs, { stacks: '["prod"]', untouched: "[]" });
  });

  it("warns before all else where the cluster would be another one, and lets people decide", async () => {
    const pods = settings(["aks-gitops:cluster", "network"], { pods: "10.200.0.0/16" });
    const { event } = await platform.open("Give pods other addresses", pods);
    const delivered = await platform.deliver("preview.yml", event);
    const body = commentOf(delivered);
    replacing = { sha: event.sha, comment: unfolded(body) };
    // How much goes with a cluster is the components' affair.
    const counted = unfolded(body)
      .replace(/and \d+ more$/gm, "and MORE")
      .replace(/\b\d+ to /g, "MANY to ");
    assert.equal(
      counted,
      `<!-- aks-gitops review aks-gitops/prod -->
<!-- run -->
### ⚠️ \`prod\`: the cluster \`aks-prod\` is replaced, and MORE

MANY to replace, MANY to update, MANY unchanged. Preview of COMMIT, TIME.

#### To be replaced and deleted

**The cluster \`aks-prod\` is replaced.** Another cluster is made, and the old one is deleted with all that it holds: workloads, their volumes, Secrets and objects that are not in Git, the addresses of its services and of its API server. Flux deploys anew what is in Git.

- Why: \`properties.networkProfile.podCidr\`: \`10.244.0.0/16\` → \`10.200.0.0/16\`
- Why: \`name\`: \`AKS\` → known after the update, from the random name \`aks-prod-name\`
- With it: \`aks-prod-apps\` (node pool), \`flux\` (Flux extension), \`flux\` (Flux configuration) and MORE`,
    );
    for (const title of folded(body)) assert.match(title, /^(All resources|Outputs) that change: \d+$/);
    assert.deepEqual(ends(delivered), ["success", "success"]);
    assert.match(
      delivered.jobs[PREVIEW]?.log ?? "",
      /^::warning::⚠️ prod: the cluster aks-prod is replaced, and \d+ more$/m,
    );
  });

  it("says which policy is broken and what to do, and fails", async () => {
    const { event } = await platform.open("Save the tier", settings(["aks-gitops:cluster", "sku"], "Free"));
    const delivered = await platform.deliver("preview.yml", event);
    const body = unfolded(commentOf(delivered));
    assert.match(body, /^### ⛔ `prod`: stopped by mandatory policies, 2 findings$/m);
    assert.ok(
      body.includes(`#### Policies that stop it

\`vault-cannot-be-purged\`: vault \`kv-prod\`, pack \`aks-gitops\`

- Nobody removes a vault of production for good: without its key no secret in Git opens again.
- The vault can be purged.
- What to do: write aks-gitops:sops.purgeProtection: true; in another program set enablePurgeProtection: true. <https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview#purge-protection>

\`cluster-has-a-paid-tier\`: cluster \`aks-prod\`, pack \`aks-gitops\`

- A cluster of production has a control plane with an SLA and room for load.
- The cluster is of the Free tier, which has no SLA.
- What to do: write aks-gitops:cluster.sku: Standard, or Premium. <https://learn.microsoft.com/azure/aks/free-standard-pricing-tiers>`),
      body,
    );
    assert.deepEqual(ends(delivered), ["failure", "failure"]);
  });

  it("says why a preview fails, and leaves no old comment when it is mended", async () => {
    const forgotten = settings(["aks-gitops:charts", "0", "version"], NEWER);
    const { number, event } = await platform.open("Bring Kured up to date by halves", forgotten);
    const failed = await platform.deliver("preview.yml", event);
    assert.equal(
      unfolded(commentOf(failed)),
      `<!-- aks-gitops review aks-gitops/prod -->
<!-- run -->
### ❌ \`prod\`: the preview failed

Preview of COMMIT, TIME.

#### Why the preview failed

\`\`\`text
mirror.prod.lock.json does not fit the settings of stack prod: chart kured is 6.1.0 in the lock, 6.2.0 in the settings. Run: npm run mirror -- update --stack prod
\`\`\``,
    );
    assert.deepEqual(ends(failed), ["failure", "failure"]);
    const mended = { [SETTINGS]: `${platform.settings}# The same as before.\n` };
    const again = await platform.deliver("preview.yml", await platform.push(number, "Take it back", mended));
    assert.equal(
      unfolded(commentOf(again)),
      `<!-- aks-gitops review aks-gitops/prod -->
<!-- run -->
✅ \`prod\`: nothing changes. MANY unchanged. Preview of COMMIT, TIME.`,
    );
    assert.deepEqual(ends(again), ["success", "success"]);
    const beside = await platform.push(number, "Say why instead", { "docs/why.md": "# Why\n" });
    const untouched = await platform.deliver("preview.yml", beside);
    assert.deepEqual(Object.keys(untouched.jobs), ["stacks", "untouched (prod)", "previews"]);
    assert.equal(untouched.jobs["untouched (prod)"]?.result, "success", untouched.jobs["untouched (prod)"]?.log);
    const [comment, ...others] = untouched.comments;
    assert.deepEqual(others, []);
    assert.match(comment?.body ?? "", /^<!-- .* -->\n<!-- run .* -->\nℹ️ `prod`: not touched any more\. /);
  });

  it("tells the author of a pull request from a fork what a maintainer can do, and runs nothing of it", async () => {
    const change = settings(["aks-gitops:demo", "replicas"], 7);
    const { number, event } = await platform.open("More replicas", change, "somebody/platform");
    const previewed = await platform.deliver("preview.yml", event);
    assert.deepEqual([Object.keys(previewed.jobs), previewed.comments], [["previews"], []]);
    const noted = await platform.deliver("fork.yml", {
      ...{ ...event, name: "pull_request_target", ref: "refs/heads/main" },
    });
    assert.deepEqual(Object.keys(noted.jobs), ["note"]);
    assert.deepEqual(noted.comments, [
      {
        author: "github-actions[bot]",
        body:
          "**No preview: this pull request comes from a fork.** What runs for a fork gets no credentials, so nothing was " +
          "compared with what is deployed. A maintainer who has read the change brings it into a branch of this " +
          `repository, and opens a pull request from there: \`git fetch origin pull/${number}/head && ` +
          `git push origin FETCH_HEAD:refs/heads/fork-${number}\``,
      },
    ]);
  });

  it("says the same in a thread of Azure Repos, which stays open until somebody has decided", async () => {
    assert.ok(replacing);
    const id = await devOps.open();
    const { stages, threads } = await devOps.build(id, replacing.sha);
    assert.deepEqual(
      stages.map(({ name, result, steps }) => [name, result, steps.at(-1)?.[1]]),
      [
        ["dev", "succeeded", "skipped"],
        ["prod", "succeeded", "succeeded"],
      ],
      stages.map(({ log }) => log).join("\n"),
    );
    const [thread, ...others] = threads;
    assert.deepEqual([thread?.author, thread?.status, others], ["platform Build Service (acme)", "active", []]);
    assert.equal(unfolded(thread?.body ?? ""), replacing.comment);
    for (const text of [thread?.body ?? "", ...stages.flatMap(({ log, summary }) => [log, summary])])
      for (const secret of platform.secrets) assert.ok(!text.includes(secret), "a secret is shown");
  });

  it("builds nothing of a fork in Azure Repos", async () => {
    assert.ok(replacing);
    const { stages, threads } = await devOps.build(await devOps.open(), replacing.sha, true);
    assert.deepEqual([stages.map(({ result }) => result), threads], [["skipped", "skipped"], []]);
  });

  it("updates prod by its tag, in its environment, and not by the merge alone", async () => {
    const merged = await platform.deliver("up.yml", await platform.merge(chartsChange));
    assert.deepEqual(
      [Object.keys(merged.jobs), merged.jobs.stacks?.outputs],
      [["stacks"], { stacks: "[]" }],
      merged.jobs.stacks?.log,
    );
    const { jobs } = await platform.deliver("up.yml", await platform.tag("prod/2026-11-26"));
    const { result, job, log = "", summary = "" } = jobs["up (prod).stack"] ?? assert.fail(Object.keys(jobs).join());
    assert.equal(result, "success", log);
    assert.deepEqual(job.environment, { name: "prod", deployment: true });
    // It was told before what it did.
    assert.equal(
      unfolded(summary).split("\n").slice(0, 4).join("\n"),
      `<!-- aks-gitops review aks-gitops/prod -->
### ℹ️ \`prod\`: chart \`kured\` \`6.1.0\` → \`6.2.0\`, 5 resources in all

1 deleted, 1 replaced, 2 updated, 1 created, MANY unchanged. Nobody misses what is deleted or replaced. Update of COMMIT, TIME.`,
    );
    assert.deepEqual(folded(summary), ["All resources that changed: 5", "Outputs that changed: 1"]);
    assert.match(summary, /^- reconciliation: `\{"complianceState":"Compliant","mode":"extension"\}`$/m);
    for (const text of [log, summary])
      for (const secret of platform.secrets) assert.ok(!text.includes(secret), "a secret is shown");
    // The rehearsal's own project has had the new version since its pull request.
    await prod.succeeds("pulumi", "preview", "--expect-no-changes", "--non-interactive");
  });
});
