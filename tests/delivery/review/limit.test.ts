import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { COMMENT_LIMIT, renderReview } from "../../../delivery/review/render.ts";
import { diagnostic, step } from "./events.ts";
import { reviewed } from "./recorded.ts";

const bytes = (text: string) => Buffer.byteLength(text, "utf8");

/** Files of so many lines each, in which every line changes. */
function filesOf(sizes: readonly number[]) {
  const files = (value: string) =>
    Object.fromEntries(
      sizes.map((size, index) => [
        `infrastructure/prod/releases/app-${index}.yaml`,
        Array.from(
          { length: size },
          (_, line) => `key${line}: ${value} of a manifest’s line, as long as they are\n`,
        ).join(""),
      ]),
    );
  return step("update", "gitops:index:GitCommit", "flux", {
    old: { files: files("old") },
    new: { files: files("new") },
    diff: { files: "update" },
  });
}

describe("a review that is too long for a comment", () => {
  it("is within it with 2,000 changed lines of manifests, and says what is left out and where it is", () => {
    const review = reviewed({ events: filesOf(Array.from({ length: 40 }, () => 50)), resources: [] });
    assert.equal(
      review.files.reduce((sum, { added }) => sum + added, 0),
      2_000,
    );
    const text = renderReview(review, "markdown");
    assert.ok(bytes(text) <= COMMENT_LIMIT, `${bytes(text)}`);
    const diffs = [...text.matchAll(/^```diff$/gm)].length;
    assert.ok(diffs > 5 && diffs < 40, `${diffs}`);
    assert.equal([...text.matchAll(/^`.*` changed, \+50 −50: left out$/gm)].length, 40 - diffs);
    assert.match(
      text,
      new RegExp(
        `\\nLeft out, for a comment has no more room: ${40 - diffs} manifests' diffs\\. All of it: ` +
          "`npm run review -- --stack prod --format text`\\n$",
      ),
    );
    const everything = renderReview(review, "text");
    assert.equal([...everything.matchAll(/^ {4}\+key/gm)].length, 2_000);
  });

  it("leaves the least important things out first, and of manifests the largest", () => {
    const events = [
      ...step("delete", "azure-native:keyvault:Vault", "v"),
      ...filesOf([400, 3, 4]),
      ...Array.from({ length: 30 }, (_, index) =>
        step("create", "a:b:C", `c${index}`, { new: { p: "x".repeat(100) } }),
      ).flat(),
      diagnostic("warning", "w".repeat(3_000)),
    ];
    const review = reviewed({ events, resources: [] });
    const text = renderReview(review, "markdown", 5_000);
    assert.ok(bytes(text) <= 5_000, `${bytes(text)}`);
    assert.match(text, /\*\*The vault `v` is deleted\.\*\*/);
    assert.match(text, /`infrastructure\/prod\/releases\/app-0\.yaml` changed, \+400 −400: left out/);
    assert.equal([...text.matchAll(/^```diff$/gm)].length, 2);
    assert.match(text, /room: 1 manifest's diff, \d+ resources, 1 warning\. All of it/);
    assert.equal(text.match(/<details>/g)?.length, text.match(/<\/details>/g)?.length);
  });

  it("keeps many small manifests rather than one large one", () => {
    const text = renderReview(reviewed({ events: filesOf([20, 5, 5, 5]), resources: [] }), "markdown", 4_200);
    assert.match(text, /app-0\.yaml` changed, \+20 −20: left out/);
    assert.equal([...text.matchAll(/^```diff$/gm)].length, 3);
  });

  it("keeps to any limit", () => {
    const events = [
      ...Array.from({ length: 200 }, (_, index) =>
        step("delete", "gitops:index:ManagedCluster", `cluster-${index}`),
      ).flat(),
      ...filesOf([5, 50, 500]),
    ];
    const review = reviewed({ events, resources: [] });
    for (const limit of [2_000, 5_000, 10_000, 20_000, 50_000]) {
      const [markdown, text] = [renderReview(review, "markdown", limit), renderReview(review, "text", limit)];
      assert.ok(bytes(markdown) <= limit && bytes(text) <= limit, `${limit}`);
      assert.match(markdown, /^### ⚠️ `prod`: the cluster `cluster-0` is deleted, and 199 more$/m);
      assert.match(markdown, /Left out/);
    }
  });

  it("says of a long message or value how much of it is missing", () => {
    const events = [
      diagnostic("warning", "w".repeat(10_000)),
      ...step("update", "a:b:C", "c", { old: { p: "o" }, new: { p: "n".repeat(5_000) }, diff: { p: "update" } }),
    ];
    const review = reviewed({ events, resources: [] });
    assert.match(review.warnings[0]?.text ?? "", /^w{4000} … \(6000 more characters\)$/);
    assert.ok(bytes(renderReview(review, "markdown")) < 6_000);
  });
});
