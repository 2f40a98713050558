import { kustomization } from "./demo.ts";
import { toYaml } from "./yaml.ts";

/** The stages that a repository may begin with. */
const STAGES = ["dev", "staging", "prod"] as const;

/** Who owns what, as people read it in the repository. It speaks of no stack, so that whichever comes first may write it. */
const OWNERS = `# Who owns what

A stack is a cluster and what it is given by \`pulumi up\`. Below, \`<stack>\` is its name.

| path | whose | what |
|---|---|---|
| \`clusters/<stack>/\`, or the folder that the stack's settings name | the program's | Flux's Kustomizations: what is applied, in which order |
| \`infrastructure/<stack>/\` | the program's | releases of mirrored charts, encrypted secrets, namespaces |
| \`infrastructure/base/\`, \`infrastructure/overlays/\` | yours | what clusters have in common, and where a stage differs |
| \`apps/base/\`, \`apps/overlays/\` | yours | applications, and where a stage differs |
| \`.sops.yaml\` | both | the program's rules come and go; yours stay as they are |

The program changes what is its own with each \`pulumi up\`: whoever edits it there has it undone. It writes what is yours
once, where nothing is, and never again. If you put a \`kustomization.yaml\` into a cluster's folder, the program lists its
own files there.

Secrets are committed encrypted: \`sops encrypt --in-place FILE\` in a folder that a stack decrypts.
`;

/**
 * A base, and an overlay for each stage, of applications and of infrastructure, and who owns what: written where nothing is
 * yet, and people's own from then on.
 * @returns text by path.
 */
export function overlayStart(): Record<string, string> {
  const folders = ["apps", "infrastructure"].flatMap((folder) => [
    [`${folder}/base/kustomization.yaml`, toYaml(kustomization([]))],
    ...STAGES.map((stage) => [`${folder}/overlays/${stage}/kustomization.yaml`, toYaml(kustomization(["../../base"]))]),
  ]);
  return { "clusters/README.md": OWNERS, ...Object.fromEntries(folders) };
}
