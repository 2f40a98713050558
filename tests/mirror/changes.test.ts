import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { describeChanges } from "../../mirror/changes.ts";
import type { Lock, LockedChart, LockedImage } from "../../mirror/lock.ts";
import { LOCK } from "../components/lock.ts";

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const [kured] = LOCK.charts as [LockedChart];
const [image] = LOCK.images as [LockedImage];
const next: LockedChart = {
  ...kured,
  version: "6.2.0",
  images: ["ghcr.io/kubereboot/kured:1.24.0"],
  values: {
    image: { repository: "{registry}/ghcr.io/kubereboot/kured", tag: `1.24.0@${digest("a")}` },
    sidecars: [{ image: `{registry}/ghcr.io/acme/log:1@${digest("b")}` }],
  },
};
const lock = (charts: readonly LockedChart[], images: readonly LockedImage[]): Lock => ({ version: 2, charts, images });

describe("what a review is told of a lock", () => {
  it("is the version of a chart, its images and values, and every image that comes or goes", () => {
    const moved = { ...image, source: "ghcr.io/kubereboot/kured:1.24.0", tag: "1.24.0", digest: digest("a") };
    assert.deepEqual(describeChanges(lock([kured], [image]), lock([next], [moved])), [
      "~ chart kured 6.1.0 -> 6.2.0",
      "    image ghcr.io/kubereboot/kured 1.23.0 -> 1.24.0",
      "    2 values: image.tag, sidecars[0].image",
      `+ image ghcr.io/kubereboot/kured:1.24.0 ${digest("a")}`,
      `- image ghcr.io/kubereboot/kured:1.23.0 ${digest("d")}`,
    ]);
  });

  it("names no value for a digest alone, and not more than five", () => {
    const values = { image: { repository: "{registry}/ghcr.io/kubereboot/kured", tag: `1.23.0@${digest("f")}` } };
    assert.deepEqual(describeChanges(lock([kured], []), lock([{ ...kured, values }], [])), []);
    const many = { ...kured, values: Object.fromEntries([..."abcdefg"].map((name) => [name, "{registry}/x"])) };
    assert.deepEqual(describeChanges(lock([kured], []), lock([many], [])), [
      "~ chart kured: other images or relocating values",
      "    9 values: a, b, c, d, e, ...",
    ]);
  });

  it("is a signature that came to an image, and one that is gone", () => {
    const signed = { ...image, attached: [{ digest: digest("1"), tag: "sha256-d.sig" }, { digest: digest("2") }] };
    assert.deepEqual(describeChanges(lock([], [image]), lock([], [signed])), [
      `+ of image ${image.source}: sha256-d.sig ${digest("1")}`,
      `+ of image ${image.source}: ${digest("2")}`,
    ]);
    assert.deepEqual(describeChanges(lock([], [signed]), lock([], [image]))[0]?.slice(0, 10), "- of image");
  });
});
