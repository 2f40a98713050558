import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { marker, renderReview } from "../../../delivery/review/render.ts";
import { diagnostic, ended, outputs, policy, step, urnOf } from "./events.ts";
import { reviewed } from "./recorded.ts";

/** A review in which every foreign text is this one. */
function reviewOf(text: string) {
  const commit = "gitops:index:GitCommit";
  const events = [
    ...step("replace", "azure-native:keyvault:Vault", `v ${text}`, {
      old: { p: "x" },
      new: { p: text },
      diff: { p: "update-replace" },
    }),
    ...step("delete", "gitops:index:ManagedCluster", `m ${text}`),
    ...step("update", "a:b:C", `c ${text}`, {
      old: { p: text, [text]: 1 },
      new: { p: "x", [text]: 2 },
      diff: { p: "update" },
    }),
    ...step("create", "gitops:index:ImageImport", "i", { new: { repository: text, tag: text, digest: text } }),
    ...step("update", commit, "g", {
      old: { files: { [`a ${text}`]: "a: b\n", "b.yaml": `${text}\n` } },
      new: { files: { "b.yaml": `c: d\n${text}\n${text}\n` } },
      diff: { files: "update" },
    }),
    outputs({ [text]: "x" }, { [text]: text }),
    diagnostic("warning", text, urnOf("a:b:C", text)),
    diagnostic("error", text, urnOf("a:b:C", text)),
    policy("mandatory", text, urnOf("a:b:C", text)),
    policy("advisory", text),
    ended("failed"),
  ];
  return reviewed({ events, resources: [] });
}

/**
 * A comment without what Markdown shows as it stands: blocks in fences and code in backticks. By CommonMark: a fence ends
 * with one at least as long, a code span with a run of backticks just as long.
 */
function skeleton(markdown: string): string {
  const lines: string[] = [];
  let fence: string | undefined;
  for (const line of markdown.split("\n")) {
    if (fence === undefined) fence = /^ {0,3}(`{3,})[^`]*$/.exec(line)?.[1];
    else {
      if (new RegExp(`^ {0,3}\`{${fence.length},}\\s*$`).test(line)) fence = undefined;
      continue;
    }
    lines.push(fence === undefined ? line.replace(/(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)/g, "CODE") : "FENCE");
  }
  assert.equal(fence, undefined, "every block ends");
  return lines.join("\n");
}

const HOSTILE = [
  "</details>",
  "```\n</details>\n# all is well\n```",
  "````\n```",
  "a `b` ``c`` ```d",
  "`",
  "| a | b |",
  "<!-- aks-gitops review other/stack -->",
  "-->",
  "@everyone @acme/owners fixes #1, !2 and GH-3",
  "<img src=x onerror=alert(1)> <script>x</script> &lt;",
  "[all is well](https://example.com) ![x](y)",
  "# heading\n\n- list\n\n> quote\n\n---\n",
  "**bold** _it_ ~~no~~ $x$",
  "\\` \\<",
  "1. one",
  "a\r\nb\tc",
];

describe("a hostile value", () => {
  // Prose is shown as prose: its signs are escaped, and a line more is a point more.
  const structure = (text: string) =>
    skeleton(renderReview(reviewOf(text), "markdown"))
      .replace(/<summary>.*<\/summary>/g, "<summary>")
      .split("\n")
      .filter((line) => /^(<|#|\||FENCE)/.test(line))
      .map((line) => (line.startsWith("#") ? line.replace(/\d+/g, "N") : line));
  const plain = structure("plain");

  for (const text of HOSTILE)
    it(`changes nothing of the comment's structure: ${JSON.stringify(text)}`, () => {
      assert.deepEqual(structure(text), plain);
    });

  for (const text of HOSTILE)
    it(`is no HTML, calls nobody and links nothing: ${JSON.stringify(text)}`, () => {
      const review = reviewOf(text);
      const outside = skeleton(renderReview(review, "markdown"));
      const [first, ...rest] = outside.split("\n");
      assert.equal(first, marker(review));
      const html = rest.join("\n").replace(/<\/?(details|summary|code)>|<https:[^<>]*>/g, "");
      assert.ok(!/[<>]/.test(html), html);
      assert.ok(!/@[\w/]|(?<!&)#\d|!\d|GH-\d|\]\(/.test(html), html);
    });

  for (const text of HOSTILE)
    it(`adds no cell to a table, and no tag to what is opened by a click: ${JSON.stringify(text)}`, () => {
      const files = { [`a ${text}`]: "line: of many\n".repeat(100) };
      const events = [
        ...step("create", "gitops:index:ImageImport", "i", { new: { repository: text, tag: text, digest: text } }),
        ...step("create", "gitops:index:GitCommit", "g", { new: { files } }),
      ];
      const markdown = renderReview(reviewed({ events, resources: [] }), "markdown");
      const rows = markdown.split("\n").filter((line) => line.startsWith("| "));
      assert.deepEqual(
        rows.map((row) => row.split("|").length),
        [5, 5, 5],
      );
      const [, summary = ""] = /<details><summary><code>(.*)<\/code> added, \+100 −0<\/summary>/.exec(markdown) ?? [];
      assert.notEqual(summary, "");
      assert.ok(!/[<>"'`@]/.test(summary), summary);
    });

  it("is seen where it is made not to be", () => {
    const text = renderReview(reviewOf("abc\u202edef\u200bghi\u001b[31m"), "text");
    assert.ok(text.includes("abc\\u202edef\\u200bghi"), text);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for.
    assert.ok(!/[\u001b\u202e\u200b]/.test(text));
  });

  it("leaves an address in a policy's words a link", () => {
    const events = [
      policy("advisory", "See https://learn.microsoft.com/azure/aks/managed-azure-ad#disable-local-accounts."),
    ];
    const text = renderReview(reviewed({ events, resources: [] }), "markdown");
    assert.ok(
      text.includes("See <https://learn.microsoft.com/azure/aks/managed-azure-ad#disable-local-accounts>"),
      text,
    );
  });
});
