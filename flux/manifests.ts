// What `flux install` would apply: made by the real flux CLI, once for each version and options, and cached.
import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { cacheFolder } from "../tools/cacheFolder.ts";
import { findTool } from "../tools/findTool.ts";
import { type InstallOptions, installArgs } from "./installOptions.ts";

/** What of Flux is installed. */
export interface FluxOptions {
  /** Flux's version, without `v` in front: `2.9.4`. */
  readonly version: string;
  /** Whether the image controllers run too. */
  readonly imageAutomation: boolean;
  /** The Secret that the controllers' images are pulled with. @default none */
  readonly imagePullSecret?: string | undefined;
  /** How they are installed. @default as the flux CLI does by itself */
  readonly install?: InstallOptions | undefined;
}

/** Flux's manifests for a registry that is not known yet. */
export interface FluxManifests {
  /** The output of `flux install --export` with a placeholder for the registry's login server. */
  readonly text: string;
  /** Hex SHA-256 of the text. */
  readonly sha256: string;
  /** The images by their names upstream: `ghcr.io/fluxcd/source-controller:v1.9.4`. */
  readonly images: readonly string[];
}

/** Where the manifests come from; tests give something else. */
export interface FluxTools {
  /** The path of the flux CLI; called only when the manifests are not in the cache. */
  readonly flux: () => Promise<string>;
  /** The cache's folder. */
  readonly cache: string;
}

/** Flux's images stand here upstream, and below the login server in the mirror. */
const UPSTREAM = "ghcr.io/fluxcd";

/** Stands for the login server: a name that can be no registry's (RFC 2606), and no other word of the text. */
const PLACEHOLDER = "registry.invalid";

const IMAGE_CONTROLLERS = ["image-reflector-controller", "image-automation-controller"];

/** The names of the controllers, which their Deployments and service accounts have too. */
export function fluxControllers({ imageAutomation }: Pick<FluxOptions, "imageAutomation">): string[] {
  const controllers = ["source-controller", "kustomize-controller", "helm-controller", "notification-controller"];
  return imageAutomation ? [...controllers, ...IMAGE_CONTROLLERS] : controllers;
}

/**
 * The manifests of a version and options.
 * @throws Error with what the CLI said when it fails, or when it gave something that is no manifest of this version.
 */
export async function fluxManifests(options: FluxOptions, tools: FluxTools = machine()): Promise<FluxManifests> {
  const { version, imageAutomation, imagePullSecret, install } = options;
  const pulled = imagePullSecret === undefined ? "" : `-pulled-by-${imagePullSecret}`;
  const args = installArgs(install);
  const own = args.length === 0 ? "" : `-${createHash("sha256").update(args.join("\n")).digest("hex").slice(0, 16)}`;
  const name = `flux-install-${version}${imageAutomation ? "-image-automation" : ""}${pulled}${own}.yaml`;
  const path = join(tools.cache, "manifests", name);
  const cached = await readFile(path, "utf8").catch(() => undefined);
  if (cached !== undefined) return described(cached);
  const made = described(await exported(await tools.flux(), options));
  if (!made.text.includes(`# Flux Version: v${version}\n`) || made.images.length === 0)
    throw new Error(`flux install --export --version=v${version} gave no manifests of Flux ${version} with images.`);
  await mkdir(dirname(path), { recursive: true });
  // Another process may do the same now; either text is whole.
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, made.text);
  await rename(draft, path);
  return made;
}

/**
 * The bytes of `flux install --export --registry=<login server>/ghcr.io/fluxcd`, which bootstrap writes to
 * gotk-components.yaml.
 */
export function gotkComponents({ text }: Pick<FluxManifests, "text">, loginServer: string): string {
  return text.replaceAll(`image: ${PLACEHOLDER}/`, `image: ${loginServer}/`);
}

/** The names of the CustomResourceDefinitions in the manifests: read off them, for parsing all takes long. */
export function definitionNames({ text }: Pick<FluxManifests, "text">): string[] {
  const documents = text.split(/^---$/m).filter((document) => /^kind: CustomResourceDefinition$/m.test(document));
  return documents.flatMap((document) => /^metadata:\n(?: .*\n)*? {2}name: (\S+)$/m.exec(document)?.[1] ?? []);
}

function machine(): FluxTools {
  return { flux: () => findTool("flux"), cache: cacheFolder() };
}

function described(text: string): FluxManifests {
  const found = text.matchAll(new RegExp(`^ *image: ${PLACEHOLDER}/(\\S+)$`, "gm"));
  const images = [...new Set([...found].map((match) => match[1] ?? ""))].sort();
  return { text, sha256: createHash("sha256").update(text).digest("hex"), images };
}

async function exported(
  flux: string,
  { version, imageAutomation, imagePullSecret, install }: FluxOptions,
): Promise<string> {
  const args = [
    "install",
    "--export",
    // Else a variable of the environment could change it.
    "--namespace=flux-system",
    `--version=v${version}`,
    `--registry=${PLACEHOLDER}/${UPSTREAM}`,
    ...(imagePullSecret === undefined ? [] : [`--image-pull-secret=${imagePullSecret}`]),
    ...(imageAutomation ? [`--components-extra=${IMAGE_CONTROLLERS.join()}`] : []),
    ...installArgs(install),
  ];
  try {
    const { stdout } = await promisify(execFile)(flux, args, { maxBuffer: 2 ** 26 });
    return stdout;
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new Error(`${flux} ${args.join(" ")} failed: ${stderr?.trim() || message}`);
  }
}
