import type { Lock } from "../../mirror/lock.ts";
import { digest } from "../settings/settingsOf.ts";

/** A lock of Kured's chart and the demo's image. */
export const LOCK: Lock = {
  version: 2,
  charts: [
    {
      name: "kured",
      repository: "https://kubereboot.github.io/charts",
      version: "6.1.0",
      url: "https://kubereboot.github.io/charts/kured-6.1.0.tgz",
      sha256: "a".repeat(64),
      settings: "0".repeat(64),
      created: "2026-01-01T00:00:00Z",
      manifest: digest("b"),
      analysis: "c".repeat(64),
      images: ["ghcr.io/kubereboot/kured:1.23.0"],
      values: { image: { repository: "{registry}/ghcr.io/kubereboot/kured", tag: `1.23.0@${digest("d")}` } },
      postRender: [],
    },
  ],
  images: [
    {
      source: "ghcr.io/kubereboot/kured:1.23.0",
      digest: digest("d"),
      repository: "ghcr.io/kubereboot/kured",
      tag: "1.23.0",
    },
    {
      source: "ghcr.io/stefanprodan/podinfo:6.14.1",
      digest: digest("e"),
      repository: "ghcr.io/stefanprodan/podinfo",
      tag: "6.14.1",
    },
  ],
};
