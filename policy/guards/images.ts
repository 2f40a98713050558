// Guards of what a stack lets a cluster run: as far as it is seen in resources, which is what the program itself writes.
import type { PolicyConfigSchema } from "@pulumi/policy";
import { parseAllDocuments } from "yaml";
import { isMap } from "../../net/values.ts";
import { each, type Finding, type Guard, kindOf, known, type Seen } from "../guard.ts";

/** An Azure container registry's login server, in any of Azure's clouds. */
const AZURE_REGISTRY = /^[a-z0-9]+(-[a-z0-9]+)?\.azurecr\.(io|cn|us)$/;

/** The host of an image's or chart's address; undefined where it says none. */
function saidHost(reference: string): string | undefined {
  const [first = "", ...rest] = reference.replace(/^[a-z]+:\/\//, "").split("/");
  return rest.length > 0 && (/[.:]/.test(first) || first === "localhost") ? first : undefined;
}

/** The same for a container's image, which is Docker Hub's where it says no host. */
const hostOf = (reference: string): string => saidHost(reference) ?? "docker.io";

/** Every value of a tree with its keys, from the outside in. */
function* walk(value: unknown, keys: readonly string[] = []): Generator<{ value: unknown; keys: readonly string[] }> {
  yield { value, keys };
  if (Array.isArray(value)) for (const item of value) yield* walk(item, keys);
  else if (isMap(value)) for (const [key, item] of Object.entries(value)) yield* walk(item, [...keys, key]);
}

/** The images of the containers in an object of Kubernetes, of whatever kind. */
const containerImages = (object: unknown): string[] =>
  [...walk(object)]
    .filter(({ value, keys }) => isMap(value) && /^(init|ephemeral)?containers$/i.test(keys.at(-1) ?? ""))
    .flatMap(({ value }) => (isMap(value) && typeof value.image === "string" ? [value.image] : []));

/**
 * The images that a chart's values name with their registry: `image: <address>`, or `image: { registry, repository }`.
 * Where they name none it is in the chart, which is not seen here. Many charts have one registry for all their images.
 */
function valueImages(values: unknown): string[] {
  const { imageRegistry } = isMap(values) && isMap(values.global) ? values.global : {};
  const images = [...walk(values)]
    .filter(({ keys }) => /image$/i.test(keys.at(-1) ?? ""))
    .flatMap(({ value }) => {
      if (typeof value === "string") return value.includes("://") ? [] : [value];
      if (!isMap(value) || typeof value.repository !== "string") return [];
      const { registry, repository } = value;
      if (typeof registry !== "string" || registry === "") return [repository];
      return isText(imageRegistry) ? [] : [`${registry}/${repository}`];
    });
  return [...(isText(imageRegistry) ? [`${imageRegistry}/`] : []), ...images.filter((image) => saidHost(image))];
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

/** The images that kustomize puts in the place of others, in its own files, in Flux's and in a release's post-renderers. */
const replacingImages = (object: unknown): string[] =>
  [...walk(object)].flatMap(({ value, keys }) =>
    keys.at(-1) === "images" && isMap(value) && typeof value.newName === "string" ? [value.newName] : [],
  );

/** The images in patches of kustomize: a piece of an object as text, or steps that put a value at a path. */
const patchedImages = (patches: unknown): string[] =>
  (Array.isArray(patches) ? patches : []).flatMap((entry) => {
    const patch = isMap(entry) && typeof entry.patch === "string" ? objectsOf("patch.yaml", entry.patch) : [];
    const steps = patch.flat().filter((step) => isMap(step) && /\/image$/.test(String(step.path)));
    return [...patch.flatMap(containerImages), ...steps.map((step) => String((step as { value?: unknown }).value))];
  });

/** What an object of Kubernetes in Git makes the cluster fetch: images, and charts. */
function fetched(object: unknown): string[] {
  if (!isMap(object)) return [];
  const spec = isMap(object.spec) ? object.spec : {};
  switch (object.kind) {
    case "HelmRelease":
      return [...valueImages(spec.values), ...replacingImages(spec.postRenderers)];
    case "HelmRepository":
    case "OCIRepository":
      return typeof spec.url === "string" ? [spec.url] : [];
    case "Kustomization":
      return [...replacingImages(object), ...patchedImages(spec.patches), ...patchedImages(object.patches)];
    default:
      return containerImages(object);
  }
}

/** The objects in a YAML text; none where it is no YAML, as what a template is. */
function objectsOf(path: string, text: unknown): unknown[] {
  if (typeof text !== "string" || !/\.ya?ml$/.test(path)) return [];
  const documents = parseAllDocuments(text);
  return "empty" in documents ? [] : documents.flatMap((one) => (one.errors.length > 0 ? [] : [one.toJS() as unknown]));
}

/** The objects of Kubernetes in files that a commit writes, file by file: those that are known. */
function committed({ props }: Seen, ...from: readonly ("files" | "seeds")[]): { path: string; object: unknown }[] {
  return from.flatMap((which) => {
    const files = (known(() => props[which]) ?? {}) as Readonly<Record<string, unknown>>;
    return Object.keys(files).flatMap((path) => {
      const text = known(() => files[path]);
      return objectsOf(path, text).map((object) => ({ path, object }));
    });
  });
}

/** Where what a resource makes a cluster fetch comes from, with where that is said. */
function sources(seen: Seen): { where: string; reference: string }[] {
  const { type, props } = seen;
  if (kindOf(seen) === "flux") return server("Flux", known(() => props.loginServer) as string | undefined);
  if (kindOf(seen) === "commit") {
    const components = (known(() => props.fluxComponents) ?? {}) as Readonly<Record<string, { loginServer?: string }>>;
    return [
      // What is written once as a start is people's own then; what a stack makes of it stands in patches.
      ...committed(seen, "files").flatMap(({ path, object }) =>
        fetched(object).map((reference) => ({ where: path, reference })),
      ),
      ...Object.keys(components).flatMap((path) =>
        server(
          path,
          known(() => components[path]?.loginServer),
        ),
      ),
    ];
  }
  if (/^kubernetes:helm\.sh\/v\d+:(Release|Chart)$/.test(type))
    return (known(() => valueImages(props.values)) ?? []).map((reference) => ({ where: "values", reference }));
  if (type.startsWith("kubernetes:"))
    return (known(() => containerImages(props)) ?? []).map((reference) => ({ where: "containers", reference }));
  return [];
}

const server = (where: string, host: string | undefined) =>
  host === undefined ? [] : [{ where, reference: `${host}/` }];

const configSchema: PolicyConfigSchema = {
  properties: {
    registries: {
      type: "array",
      items: { type: "string" },
      default: [],
      description: "Hosts of registries that images and charts may come from beside Azure container registries.",
    },
  },
};

export const imageGuards: readonly Guard[] = [
  {
    name: "images-come-from-azure-registries",
    description:
      "What the program makes a cluster run comes from an Azure container registry, where it was mirrored to.",
    level: "mandatory",
    remedy:
      "list charts under aks-gitops:charts and images under aks-gitops:images, which mirrors them, or allow a registry by the configuration registries",
    link: "https://learn.microsoft.com/azure/container-registry/container-registry-import-images",
    configSchema,
    find: (seen, { config }) => {
      const allowed = (config.registries ?? []) as readonly string[];
      return each(sources(seen), ({ where, reference }) => {
        const host = hostOf(reference);
        return AZURE_REGISTRY.test(host) || allowed.includes(host)
          ? undefined
          : `${reference.replace(/\/$/, "")} in ${where} comes from ${host}`;
      });
    },
  },
  {
    name: "git-has-no-open-secrets",
    description: "A Secret that the program writes to Git is encrypted by SOPS.",
    level: "mandatory",
    remedy:
      "list it under aks-gitops:secrets, or encrypt it by sops before it is committed, and replace what was in it",
    link: "https://fluxcd.io/flux/guides/mozilla-sops/",
    kinds: ["commit"],
    find: (seen): Finding[] =>
      committed(seen, "files", "seeds").flatMap(({ path, object }) => {
        if (!isMap(object) || object.kind !== "Secret" || "sops" in object) return [];
        const keys = [object.data, object.stringData].filter(isMap).flatMap((data) => Object.keys(data));
        return keys.length === 0 ? [] : [{ problem: `The Secret in ${path} is not encrypted` }];
      }),
  },
];
