import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import { takenNamespace } from "../../components/repository/taken.ts";
import { EXEMPT, isExempt, MICROSOFT_REGISTRY } from "../../mirror/exempt.ts";

const page = readFileSync(fileURLToPath(new URL("../../docs/charts.md", import.meta.url)), "utf8");

describe("images that Azure brings", () => {
  it("are those of Microsoft's registry in namespaces that Azure keeps, and no others", () => {
    assert.equal(isExempt(MICROSOFT_REGISTRY, "kube-system"), true);
    assert.equal(isExempt(MICROSOFT_REGISTRY, "gatekeeper-system"), true);
    for (const namespace of ["default", "shop", undefined, "kube-systems"])
      assert.equal(isExempt(MICROSOFT_REGISTRY, namespace), false, namespace);
    for (const host of ["docker.io", "mcr.microsoft.com.example", "acme.azurecr.io"])
      assert.equal(isExempt(host, "kube-system"), false, host);
  });

  it("are of namespaces where charts may put nothing, but for those that Flux and Kubernetes share with others", () => {
    const shared = EXEMPT.filter(({ namespace }) => takenNamespace(namespace) === undefined);
    assert.deepEqual(
      shared.map(({ namespace }) => namespace),
      ["kube-system", "flux-system"],
    );
  });

  it("are listed in the guide, each with its reason", () => {
    const rows = EXEMPT.map(({ namespace, what, isEverywhere, why }) =>
      [`| \`${namespace}\``, what, isEverywhere ? "yes" : "no", `${why} |`].join(" | "),
    );
    const table = ["| namespace | what | in every cluster | why |", "| --- | --- | --- | --- |", ...rows].join("\n");
    assert.equal(/<!-- exempt -->\n([\s\S]*?)\n?<!-- \/exempt -->/.exec(page)?.[1], table);
  });
});
