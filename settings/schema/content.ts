// The form of what comes into registry and repository: charts, images, the demo, secrets.
import { CHART, DEMO, RELEASE, SECRET } from "../../components/defaults.ts";
import { SECRET_KEY, SECRET_KEY_WORDS } from "../../components/repository/secretTypes.ts";
import { ownPath } from "../../net/registry/ownRegistry.ts";
import { EXACT_VERSION, VERSION_RANGE } from "../../net/versionRange.ts";
import {
  defaulted,
  flag,
  forEditors,
  freeMap,
  integer,
  list,
  map,
  oneOf,
  optional,
  record,
  refined,
  setting,
  text,
} from "../form.ts";
import { z } from "../zod.ts";
import { duration, target } from "./kustomization.ts";
import { label, secretName } from "./parts.ts";

const VERSION = "write one exact version in quotes, for example 6.1.0, or a range, for example ~6.1 or >=6 <7";

const CHART_REPOSITORY =
  "write where the chart comes from, https:// or oci://, for example https://kubereboot.github.io/charts";

const OWN_REPOSITORY = "write oci://{registry}/<path> for a chart that is pushed into the stack's own registry";

/** Where a chart comes from. */
const repository = forEditors(
  refined(text(/^(https|oci):\/\/[^\s/]+(\/\S*)?$/, CHART_REPOSITORY), (value) => {
    if (/[@?#;&=]|%(40|3f|23|3d)/i.test(value))
      return {
        problem: "holds a sign-in, a query or a fragment, and would go into the lock and into logs with it",
        remedy: "write the address alone; a chart behind a sign-in has to be copied to where it needs none",
      };
    if (/[{}]/.test(value) && ownPath(value) === undefined)
      return { problem: "does not have the right form", remedy: OWN_REPOSITORY };
    return URL.canParse(value) ? undefined : { problem: "does not have the right form", remedy: CHART_REPOSITORY };
  }),
  { pattern: "^(https|oci)://[^\\s/@?#;&=]+(/[^\\s@?#;&=]*)?$" },
);

// Helm's limit of a release's name is 53 characters.
const releaseText = () =>
  text(
    /^[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?$/,
    "write at most 53 lower-case letters, digits and hyphens, a letter or digit first and last",
  );

const valuesReference = map({
  kind: setting(oneOf("ConfigMap", "Secret"), "What holds them."),
  name: setting(
    secretName(),
    "Its name in Flux's namespace, flux-system: a secret of aks-gitops:secrets, or what somebody else puts there.",
    "web-values",
  ),
  valuesKey: setting(
    optional(text(/^[-._a-zA-Z0-9]{1,253}$/, "write a key of it, for example values.yaml")),
    "The key that holds them. Default: values.yaml.",
    "password",
  ),
  targetPath: setting(
    optional(text(/^\S+$/, "write a path as `helm --set` does, for example auth.password")),
    "The one value that they are, as `helm --set` names it. Default: the key holds a YAML map of values.",
    "auth.password",
  ),
  optional: setting(optional(flag), "Whether it may be missing. Default: false."),
});

const retries = () =>
  setting(defaulted(integer(-1, 100), RELEASE.retries), "How often a failed one is tried again; -1: without end.");

const crds = (standard: string) =>
  setting(
    optional(oneOf("Skip", "Create", "CreateReplace")),
    `What Helm does with the chart's CustomResourceDefinitions. Default: ${standard}, as Flux does.`,
  );

const install = map({
  createNamespace: setting(
    optional(flag),
    "Whether Helm makes the namespace, which then stays for good. Default: false, the program makes and removes it.",
  ),
  crds: crds("Create"),
  remediation: setting(
    optional(
      map({
        retries: retries(),
        remediateLastFailure: setting(
          optional(flag),
          "Whether what the last try left is uninstalled too. Default: false.",
        ),
      }),
    ),
    "What follows a failed one. Default: 3 retries.",
  ),
});

const upgrade = map({
  crds: crds("Skip"),
  cleanupOnFail: setting(optional(flag), "Whether new objects of a failed one go again. Default: false."),
  remediation: setting(
    optional(
      map({
        retries: retries(),
        remediateLastFailure: setting(
          optional(flag),
          "Whether what the last try left is put right too. Default: true.",
        ),
        strategy: setting(
          optional(oneOf("rollback", "uninstall")),
          "How it is put right. Default: rollback, to the last release that worked.",
        ),
      }),
    ),
    "What follows a failed one. Default: 3 retries.",
  ),
});

const driftDetection = map({
  mode: setting(
    oneOf("enabled", "warn", "disabled"),
    "enabled: changes that somebody made in the cluster are told and undone; warn: they are told.",
  ),
  ignore: setting(
    optional(
      list(
        map({
          paths: setting(
            list(text(/^\/\S*$/, "write a JSON pointer, for example /spec/replicas")),
            "What in them may change, as JSON pointers.",
            ["/spec/replicas"],
          ),
          target: setting(optional(target), "Which objects. Default: all of the release."),
        }),
      ),
    ),
    "What somebody else may change, an autoscaler for example. Default: nothing.",
  ),
});

const chart = map({
  name: setting(releaseText(), "The chart's name.", "kured"),
  release: setting(
    optional(releaseText()),
    "The release's name, Helm's and that of its objects, by which others wait for it. Default: the chart's name.",
    "web",
  ),
  repository: setting(
    repository,
    "Where the chart comes from: an address of a chart repository or an OCI registry, without any credential. " +
      "oci://{registry}/<path> is the stack's own registry: what a pipeline pushes there is released and not mirrored.",
    "https://kubereboot.github.io/charts",
    "oci://ghcr.io/stefanprodan/charts",
    "oci://{registry}/helm",
  ),
  version: setting(
    forEditors(
      refined(text(undefined, VERSION), (value) =>
        EXACT_VERSION.test(value) || VERSION_RANGE.test(value)
          ? undefined
          : { problem: "does not have the right form", remedy: VERSION },
      ),
      { pattern: "^[<>=~^vxX*0-9][-0-9A-Za-z.+*<>=~^|, ]*$" },
    ),
    "One exact version, in quotes, or a range: `npm run mirror -- update` finds the highest version within it, and the " +
      "lock's is released until it is run again.",
    "6.1.0",
    "~6.1",
    ">=6 <7",
  ),
  follow: setting(
    defaulted(flag, RELEASE.follow),
    "Whether the cluster itself takes the highest version within the range, at most ten minutes after it was pushed: for " +
      "charts of the stack's own registry alone.",
  ),
  namespace: setting(label(), "The namespace that its objects go into.", "baseline"),
  values: setting(
    defaulted(freeMap(), { ...CHART.values }),
    "The chart's values. They are committed as they are: secrets go under aks-gitops:secrets.",
  ),
  valuesFrom: setting(
    optional(list(valuesReference)),
    "ConfigMaps and Secrets with further values, each over the ones before; values is over all. Default: none.",
  ),
  dependsOn: setting(
    optional(list(releaseText())),
    "Which releases of the stack have to be Ready first, by name. Default: none.",
    ["cert-manager"],
  ),
  interval: setting(duration(RELEASE.interval), "How often the release is looked at."),
  timeout: setting(duration(RELEASE.timeout), "How long an action of Helm may take."),
  install: setting(optional(install), "How the chart is installed. Default: as Flux does, with 3 retries."),
  upgrade: setting(optional(upgrade), "How it is upgraded. Default: as Flux does, with 3 retries."),
  driftDetection: setting(
    optional(driftDetection),
    "What becomes of changes that somebody made in the cluster. Default: they stay until the next upgrade.",
  ),
  verify: setting(
    optional(label()),
    "The secret with the public keys of cosign (<name>.pub), of which one has to have signed the chart, one of " +
      "aks-gitops:secrets in Flux's namespace; for charts of OCI registries. Default: none, the lock's digest decides.",
    "web-cosign",
  ),
  suspend: setting(defaulted(flag, RELEASE.suspend), "Whether Flux leaves the release alone."),
  serviceAccountName: setting(
    optional(label()),
    "The service account of Flux's namespace that Helm acts as. Default: Flux's own.",
  ),
});

/** Helm charts. */
export const charts = setting(
  defaulted(list(chart), []),
  "Helm charts that are mirrored and released; one chart may be there several times, as releases of their own names.",
);

/** An image with its registry's host and a tag or a digest. */
const image = () =>
  text(
    /^(?=[^/]*[.:])[a-z0-9.-]+(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)+(:\w[\w.-]{0,127}(@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})$/,
    "write the whole name with registry and tag, for example ghcr.io/stefanprodan/podinfo:6.14.1",
  );

/** Images beside those of charts. */
export const images = setting(defaulted(list(image()), []), "Further images to mirror, by their whole names.", [
  "ghcr.io/stefanprodan/podinfo:6.14.1",
]);

const imageRule = (why: string, example: string) =>
  map({
    image: setting(
      text(
        /^(?=[^/]*[.:])[a-z0-9.-]+(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)+(:\w[\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/,
        "write the whole name with registry, of all tags or with one, for example quay.io/acme/tool",
      ),
      "Its whole name, of all tags; or with the one tag or digest that is meant.",
      "quay.io/acme/tool",
    ),
    reason: setting(text(/\S/, "say why, for whoever reads this later"), why, example),
  });

/** What in charts is no image. */
export const ignoreImages = setting(
  defaulted(list(imageRule("Why it need not be there.", "only an example in a text for people")), []),
  "What in charts looks like an image and is none, or never runs: it is neither mirrored nor looked for.",
);

/** What in charts may stay. */
export const acceptForeign = setting(
  defaulted(list(imageRule("Why it may come from elsewhere.", "no pod here asks for it")), []),
  "Images of charts that may come from elsewhere where nothing moves them: a warning names them instead of an error. They " +
    "are mirrored all the same. A preview does not warn of them in people's own files.",
);

/** The demo application. */
export const demo = setting(
  optional(
    map({
      image: setting(image(), "The application's image, by its whole name.", "ghcr.io/stefanprodan/podinfo:6.14.1"),
      replicas: setting(defaulted(integer(0, 100), DEMO.replicas), "How many pods run."),
      imagePolicy: setting(
        optional(label()),
        "The ImagePolicy of Flux's namespace whose image runs: name and tag then stand, marked for Flux's image " +
          "automation, in apps/<stack>/kustomization.yaml. Default: none, the lock's image runs.",
        "demo",
      ),
    }),
  ),
  "A small application to see that everything works. Default: none.",
);

/** A secret's value: a text, or its ciphertext in a stack file. */
export const secretText = z.union(
  [
    z.string(),
    setting(
      z.strictObject({ secure: setting(z.string(), "Ciphertext; `pulumi config set --secret` writes it.") }),
      "A value that Pulumi encrypted.",
    ),
  ],
  { error: "write the value in quotes" },
);

const DATA_KEY_REMEDY = `write ${SECRET_KEY_WORDS}`;

const secret = map({
  name: setting(secretName(), "The secret's name.", "demo-credentials"),
  namespace: setting(label(), "The secret's namespace.", "demo"),
  type: setting(
    defaulted(text(/^\S+$/, "write a type as Kubernetes names it, for example Opaque"), SECRET.type),
    "The secret's type, as Kubernetes names it.",
    "kubernetes.io/basic-auth",
  ),
  generate: setting(
    defaulted(list(text(SECRET_KEY, DATA_KEY_REMEDY)), [...SECRET.generate]),
    "Keys whose values are random, made once.",
    ["password"],
  ),
  data: setting(
    defaulted(record(SECRET_KEY, DATA_KEY_REMEDY, secretText), { ...SECRET.data }),
    "Keys with values that are given.",
    { username: "admin" },
  ),
});

/** Kubernetes secrets. */
export const secrets = setting(
  defaulted(list(secret), []),
  "Kubernetes secrets that are encrypted into the repository.",
);
