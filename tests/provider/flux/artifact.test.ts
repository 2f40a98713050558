// FluxReady of a cluster that reads an artifact in place of the repository: whether it is of the commit, and who pushes it.
import { strict as assert } from "node:assert";
import { afterEach, beforeEach, describe, it } from "mocha";
import { PartialFailure, type Properties } from "../../../plugin/handler.ts";
import { pushCommand } from "../../../provider/flux/artifact.ts";
import type { DescentOf } from "../../../provider/flux/past.ts";
import { type Flux, fluxInMemory } from "./fluxInMemory.ts";

const [OLD, COMMIT, LATER] = ["1", "2", "3"].map((digit) => digit.repeat(40)) as [string, string, string];
const DIGEST = `latest@sha256:${"a".repeat(64)}`;
const ARTIFACT = {
  ...{ url: "oci://acme.azurecr.io/fleet", tag: "latest" },
  ...{ source: "https://github.com/acme/fleet", branch: "main" },
};
const COMMAND =
  `flux push artifact oci://acme.azurecr.io/fleet:latest --path=. --source=https://github.com/acme/fleet ` +
  `--revision=main@sha1:${COMMIT}`;
const ROOT = "OCIRepository flux-system/flux-system";

describe("FluxReady of an artifact in place of the repository", () => {
  let flux: Flux;
  /** Of which commits git was asked for what descends from them. */
  let asked: string[];
  beforeEach(async () => {
    flux = await fluxInMemory();
    asked = [];
    flux.remove("GitRepository", "flux-system");
    flux.kustomization("flux-system", { lastAppliedRevision: DIGEST });
    holds(COMMIT);
  });
  afterEach(() => flux.close());

  const holds = (commit: string | undefined) => {
    const annotations = commit === undefined ? {} : { "org.opencontainers.image.revision": `main@sha1:${commit}` };
    flux.object("OCIRepository", "flux-system", { revision: DIGEST, annotations });
  };
  const inputs = (more: Properties = {}): Properties => ({
    ...{ endpoint: flux.endpoint, certificateAuthority: "Q0E=", commit: COMMIT, readyMinutes: 1 },
    ...{ kustomizations: ["flux-system"], artifact: ARTIFACT },
    ...more,
  });
  const descent: DescentOf = async (url, branch, commit) => {
    asked.push(`${url} ${branch} ${commit}`);
    return { later: new Set([commit, LATER]), earlier: new Set([OLD]) };
  };
  const ready = (more: Parameters<Flux["ready"]>[0] = {}) => flux.ready({ descent, ...more });
  const failure = async (more: Parameters<Flux["ready"]>[0] = {}) => {
    const error = await ready(more)
      .create(inputs(), flux.context)
      .catch((thrown: unknown) => thrown);
    assert.ok(error instanceof PartialFailure, String(error));
    return error.reasons[0]?.split("\n  ").slice(1);
  };

  it("arrives when the artifact is of the commit, and asks git for nothing", async () => {
    await ready().create(inputs(), flux.context);
    assert.deepEqual(flux.asked(), ["OCIRepository flux-system"]);
    assert.deepEqual(asked, []);
  });

  it("arrives when it is of one that descends from the commit", async () => {
    holds(LATER);
    await ready().create(inputs(), flux.context);
    assert.deepEqual(asked, [`https://github.com/acme/fleet main ${COMMIT}`]);
  });

  it("waits where it is of an older one, and goes on when the pipeline has pushed", async () => {
    holds(OLD);
    flux.onLook = (look) => {
      if (look === 20) holds(COMMIT);
    };
    await ready().create(inputs(), flux.context);
    // A registry tells Flux nothing: it is asked every 15 seconds, and once more as the new object here knows of no request.
    assert.deepEqual(flux.asked(), Array(4).fill("OCIRepository flux-system"));
  });

  it("says that nobody pushed the commit, and by which command it is pushed", async () => {
    holds(OLD);
    assert.deepEqual(await failure(), [
      `${ROOT}: holds commit ${OLD}, not ${COMMIT} yet; the pipeline has not pushed it: \`${COMMAND}\``,
    ]);
    holds(undefined);
    assert.deepEqual(await failure(), [
      `${ROOT}: holds no commit by name, not ${COMMIT} yet; the pipeline has not pushed it: \`${COMMAND}\``,
    ]);
  });

  it("says so where there is no artifact at all, and not where it is a matter of rights", async () => {
    const pull = (message: string) => flux.fail("OCIRepository", "flux-system", "OCIArtifactPullFailed", message);
    const absent =
      "failed to determine artifact digest: HEAD https://acme.azurecr.io: unexpected status code 404 Not Found";
    pull(absent);
    assert.deepEqual(await failure(), [
      `${ROOT}: OCIArtifactPullFailed: ${absent}; nobody has pushed commit ${COMMIT} there yet, which the pipeline does: \`${COMMAND}\``,
    ]);
    pull("UNAUTHORIZED: authentication required");
    assert.equal((await failure())?.[0]?.includes("flux push artifact"), false);
  });

  it("says that git could not be asked, and asks it again", async () => {
    holds(LATER);
    let times = 0;
    const closed: DescentOf = async () => {
      times++;
      throw new Error("github.com is not to be reached");
    };
    const [line] = (await failure({ descent: closed })) ?? [];
    assert.match(
      line ?? "",
      /, and whether that descends from it is not to be seen: github\.com is not to be reached; the pipeline/,
    );
    assert.ok(times > 5, String(times));
  });

  it("is wrong in a preview after a wait in vain, until it is of the commit", async () => {
    const preview = (state: Properties) =>
      ready().diff?.({ id: "flux-system", inputs: inputs(), state: inputs(state) }, inputs(), flux.context);
    holds(OLD);
    assert.equal((await preview({ wrong: ["x"] }))?.changes, true);
    // What people commit after that is theirs.
    assert.equal((await preview({}))?.changes, false);
    holds(COMMIT);
    assert.equal((await preview({ wrong: ["x"] }))?.changes, false);
    assert.deepEqual(asked, []);
  });

  it("is waited for anew where it is another artifact", async () => {
    const existing = { id: "flux-system", inputs: inputs(), state: inputs() };
    const other = inputs({ artifact: { ...ARTIFACT, tag: "prod" } });
    assert.equal((await ready().diff?.(existing, other, flux.context))?.changes, true);
  });
});

describe("the command that pushes an artifact", () => {
  it("takes the commit that is checked out where none is named, and leaves a version open where a range decides", () => {
    const { tag: _, ...ranged } = ARTIFACT;
    assert.equal(
      pushCommand(ranged),
      "flux push artifact oci://acme.azurecr.io/fleet:<version> --path=. --source=https://github.com/acme/fleet " +
        "--revision=main@sha1:$(git rev-parse HEAD)",
    );
  });
});
