// Small charts for tests of mirror/.
import { stringify } from "yaml";
import { gzip, tar } from "../../rehearsal/content/archive.ts";

/** A packed chart: `values`, templates by file name, and files by path. */
export function packChart(
  values: object,
  templates: Readonly<Record<string, string>>,
  {
    name = "tool",
    version = "1.0.0",
    files = {} as Readonly<Record<string, string | Buffer>>,
    meta = {} as object,
  } = {},
): Buffer {
  const content: Record<string, string | Buffer> = {
    "Chart.yaml": stringify({ apiVersion: "v2", name, version, appVersion: "1.4.0", ...meta }),
    "values.yaml": stringify(values),
    ...Object.fromEntries(Object.entries(templates).map(([file, text]) => [`templates/${file}`, text])),
    ...files,
  };
  return gzip(
    tar(Object.entries(content).map(([path, body]) => ({ path: `${name}/${path}`, body: Buffer.from(body) }))),
  );
}

/** A Deployment with one container; `more` is put below the container's image. */
export function deployment(image: string, { name = "tool", labels = "", more = "" } = {}): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  labels: {app: ${name}${labels}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
        - name: main
          image: ${image}
${more.replace(/^/gm, "          ")}
`;
}
