// Two branches that each update another chart, merged by git itself.

import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { chartSettings, type Lock, type LockedChart, lockText, readLock } from "../../mirror/lock.ts";

const digest = (number: number) => `sha256:${String(number).padStart(64, "0")}`;
const NAMES = ["argo", "cert-manager", "keda", "kured", "podinfo"];

const setting = (name: string, version: string) => ({
  ...{ name, version, repository: "https://charts.example", namespace: name },
  values: { replicas: 2 },
});

/** A chart with two images, and one more from version 2 on. */
function chart(name: string, version: number): LockedChart {
  const images = [`ghcr.io/acme/${name}:${version}`, `ghcr.io/acme/${name}-web:${version}`];
  if (version > 1) images.push(`ghcr.io/acme/${name}-new:${version}`);
  return {
    ...{ name, repository: "https://charts.example", version: `${version}.0.0` },
    url: `https://charts.example/${name}-${version}.0.0.tgz`,
    sha256: String(version).repeat(64),
    settings: chartSettings(setting(name, `${version}.0.0`)),
    created: "2026-01-01T00:00:00Z",
    manifest: digest(version),
    analysis: String(version + 5).repeat(64),
    images,
    values: Object.fromEntries(images.map((image) => [image.replace(/:.*/, ""), `${image}@${digestOf(image)}`])),
    postRender: [],
  };
}

const digestOf = (source: string) =>
  digest([...source].reduce((sum, letter) => sum * 3 + letter.charCodeAt(0), 0) % 1e9);

function lockOf(versions: Readonly<Record<string, number>>): Lock {
  const charts = Object.entries(versions).map(([name, version]) => chart(name, version));
  const images = charts
    .flatMap((one) => one.images)
    .map((source) => ({
      ...{ source, digest: digestOf(source), repository: source.replace(/:.*/, "") },
      tag: source.replace(/.*:/, ""),
    }));
  return { version: 2, charts, images };
}

describe("a lock on two branches", () => {
  let folder: string;
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.com", "-C", folder, ...args], {
      encoding: "utf8",
    });
  const commit = async (versions: Readonly<Record<string, number>>, branch: string, from?: string) => {
    if (from !== undefined) git("checkout", "-q", "-b", branch, from);
    await writeFile(join(folder, "mirror.prod.lock.json"), lockText(lockOf(versions)));
    git("add", ".");
    git("commit", "-q", "-m", branch);
  };
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "aks-gitops-merge-"));
    git("init", "-q", "-b", "main");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const one = Object.fromEntries(NAMES.map((name) => [name, 1]));

  for (const [ours, theirs] of NAMES.flatMap((name, index) =>
    NAMES.slice(index + 1).map((other) => [name, other] as const),
  ))
    it(`merges ${ours} and ${theirs} of other versions, with their images, and fits the settings of both`, async () => {
      await commit(one, "main");
      await commit({ ...one, [ours]: 2 }, "ours", "main");
      await commit({ ...one, [theirs]: 2 }, "theirs", "main");
      git("merge", "-q", "--no-edit", "ours");
      const both = { ...one, [ours]: 2, [theirs]: 2 };
      assert.equal(await readFile(join(folder, "mirror.prod.lock.json"), "utf8"), lockText(lockOf(both)));
      const charts = Object.entries(both).map(([name, version]) => setting(name, `${version}.0.0`));
      await readLock(folder, { stack: "prod", charts, images: [] });
    });

  it("merges a chart that is new with another one that goes", async () => {
    await commit(one, "main");
    await commit({ ...one, harbor: 1 }, "ours", "main");
    const { podinfo: _, ...less } = one;
    await commit(less, "theirs", "main");
    git("merge", "-q", "--no-edit", "ours");
    const text = await readFile(join(folder, "mirror.prod.lock.json"), "utf8");
    assert.equal(text, lockText(lockOf({ ...less, harbor: 1 })));
  });
});
