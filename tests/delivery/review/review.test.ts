import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { marker, renderReview } from "../../../delivery/review/render.ts";
import { read, recorded, reviewed } from "./recorded.ts";

describe("the review", () => {
  for (const [name, verdict] of [
    ["unchanged", "unchanged"],
    ["chart", "changes"],
    ["cluster", "dangerous"],
    ["failed", "failed"],
    ["policy", "blocked"],
    ["up", "changes"],
  ] as const)
    it(`says what a reviewer needs of what the engine told: ${name}`, () => {
      const review = reviewed(recorded(name), name === "up" ? { operation: "up" } : {});
      assert.equal(review.verdict, verdict);
      assert.equal(renderReview(review, "markdown"), read("expected", `${name}.md`));
    });

  it("is found again by its first line, one of each stack of each project", () => {
    const review = reviewed(recorded("unchanged"));
    const [first] = renderReview(review, "markdown").split("\n");
    assert.equal(first, marker(review));
    assert.equal(first, "<!-- aks-gitops review aks-gitops/prod -->");
    assert.notEqual(marker({ ...review, stack: "prod-2" }), first);
    assert.equal(marker({ project: "a", stack: "b-->c" }), "<!-- aks-gitops review a/b-%2D%3Ec -->");
  });
});
