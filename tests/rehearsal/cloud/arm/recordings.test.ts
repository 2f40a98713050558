import { strict as assert } from "node:assert";
import { before, describe, it } from "mocha";
import { APART, DIFFERENCES } from "./differences.ts";
import { hasRecordings, recordings } from "./recorded.ts";
import { type Finding, replayAll } from "./replay.ts";

/** A pattern of a list: `*` stands for anything. */
const matcher = (pattern: string): RegExp =>
  new RegExp(`^${pattern.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`);

/** What of the findings no pattern names, and the patterns that name none. */
function unmatched(findings: readonly Finding[], patterns: readonly string[]): { unlisted: string[]; stale: string[] } {
  const known = patterns.map(matcher);
  const named = (what: string) => known.some((pattern) => pattern.test(what));
  const unlisted = new Map(findings.filter(({ what }) => !named(what)).map(({ what, seen }) => [what, seen]));
  return {
    unlisted: [...unlisted].map(([what, seen]) => `${what} (${seen})`),
    stale: patterns.filter((_, index) => !findings.some(({ what }) => known[index]?.test(what))),
  };
}

describe("simulated ARM beside recordings of the real one", () => {
  let findings: readonly Finding[];
  const of = (kind: Finding["kind"]) => findings.filter((finding) => finding.kind === kind);

  before(async function () {
    if (!hasRecordings) this.skip(); // shared/recordings, beside the checkout, holds them
    findings = await replayAll(recordings());
    console.log(
      `    ${of("agrees").length} agree, ${of("differs").length} differ in ${new Set(of("differs").map(({ what }) => what)).size} ` +
        `ways, ${of("apart").length} exchanges cannot be compared`,
    );
  });

  it("agrees with Azure in status, headers, codes and filled properties, but for what is listed with its reason", () => {
    assert.ok(of("agrees").length > 3000, `only ${of("agrees").length} agree`);
    const patterns = Object.entries(DIFFERENCES).flatMap(([type, reasons]) =>
      Object.values(reasons).flatMap((all) => all.map((one) => `${type} ${one}`)),
    );
    assert.deepEqual(unmatched(of("differs"), patterns), { unlisted: [], stale: [] });
  });

  it("leaves out of the comparison only what is listed with its reason", () => {
    assert.deepEqual(unmatched(of("apart"), APART), { unlisted: [], stale: [] });
  });
});
