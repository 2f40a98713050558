// The form of what comes into registry and repository: charts, images, the demo, secrets.
import { CHART, DEMO, SECRET } from "../../components/defaults.ts";
import {
  defaulted,
  forEditors,
  freeMap,
  integer,
  list,
  map,
  optional,
  record,
  refined,
  setting,
  text,
} from "../form.ts";
import { z } from "../zod.ts";
import { label } from "./parts.ts";

const CHART_REPOSITORY =
  "write where the chart comes from, https:// or oci://, for example https://kubereboot.github.io/charts";

const chart = map({
  // Helm's limit of a release's name is 53 characters.
  name: setting(
    text(
      /^[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?$/,
      "write at most 53 lower-case letters, digits and hyphens, a letter or digit first and last",
    ),
    "The chart's name; its release has the same.",
    "kured",
  ),
  repository: setting(
    forEditors(
      refined(text(/^(https|oci):\/\/[^\s/]+(\/\S*)?$/, CHART_REPOSITORY), (value) => {
        if (/[@?#;&=]|%(40|3f|23|3d)/i.test(value))
          return {
            problem: "holds a sign-in, a query or a fragment, and would go into the lock and into logs with it",
            remedy: "write the address alone; a chart behind a sign-in has to be copied to where it needs none",
          };
        return URL.canParse(value) ? undefined : { problem: "does not have the right form", remedy: CHART_REPOSITORY };
      }),
      { pattern: "^(https|oci)://[^\\s/@?#;&=]+(/[^\\s@?#;&=]*)?$" },
    ),
    "Where the chart comes from: an address of a chart repository or an OCI registry, without any credential.",
    "https://kubereboot.github.io/charts",
    "oci://ghcr.io/stefanprodan/charts",
  ),
  version: setting(
    text(
      /^v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/,
      "write one exact version in quotes, for example 6.1.0; ranges are not taken, so that a release is repeatable",
    ),
    "One exact version, in quotes.",
    "6.1.0",
  ),
  namespace: setting(label(), "The namespace that its objects go into.", "baseline"),
  values: setting(
    defaulted(freeMap(), { ...CHART.values }),
    "The chart's values. They are committed as they are: secrets go under aks-gitops:secrets.",
  ),
});

/** Helm charts. */
export const charts = setting(defaulted(list(chart), []), "Helm charts that are mirrored and released.");

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

/** The demo application. */
export const demo = setting(
  optional(
    map({
      image: setting(image(), "The application's image, by its whole name.", "ghcr.io/stefanprodan/podinfo:6.14.1"),
      replicas: setting(defaulted(integer(0, 100), DEMO.replicas), "How many pods run."),
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

const DATA_KEY = /^[-._a-zA-Z0-9]{1,253}$/;
const DATA_KEY_REMEDY = "write letters, digits, '-', '_' or '.', as Kubernetes wants a secret's keys";

const secret = map({
  name: setting(label(), "The secret's name.", "demo-credentials"),
  namespace: setting(label(), "The secret's namespace.", "demo"),
  type: setting(
    defaulted(text(/^\S+$/, "write a type as Kubernetes names it, for example Opaque"), SECRET.type),
    "The secret's type, as Kubernetes names it.",
    "kubernetes.io/basic-auth",
  ),
  generate: setting(
    defaulted(list(text(DATA_KEY, DATA_KEY_REMEDY)), [...SECRET.generate]),
    "Keys whose values are random, made once.",
    ["password"],
  ),
  data: setting(
    defaulted(record(DATA_KEY, DATA_KEY_REMEDY, secretText), { ...SECRET.data }),
    "Keys with values that are given.",
    { username: "admin" },
  ),
});

/** Kubernetes secrets. */
export const secrets = setting(
  defaulted(list(secret), []),
  "Kubernetes secrets that are encrypted into the repository.",
);
