// The form of the settings of deployments/; what they have to do with each other and with the stacks' own is in rules.ts.
import type * as z from "zod/mini";
import {
  defaulted,
  flag,
  integer,
  list,
  map,
  oneOf,
  optional,
  record,
  refined,
  section,
  setting,
  text,
} from "../../settings/form.ts";
import { stackName } from "../../settings/schema/settings.ts";

/**
 * The image in which deployments run, with Node 24 alone and the version of Pulumi that the rehearsal has:
 * https://github.com/pulumi/pulumi-docker-containers
 */
export const IMAGE = "pulumi/pulumi-nodejs-24:3.259.0";

/** Events that ask for somebody's attention. */
const ALARMS = ["deployment_failed", "drift_detected", "drift_detection_failed"] as const;

const name = (what: string) => text(/^[A-Za-z0-9_.-]{1,100}$/, `write ${what} as Pulumi Cloud shows it`);

const label = text(/^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/, "write at most 40 lower-case letters, digits and hyphens");

const guid = (what: string, command: string) =>
  text(/^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/, `write ${what}, a GUID; \`${command}\` tells it`);

const branch = text(
  /^(?!refs\/)(?![-/.])(?!.*(\.\.|\/\/|@\{))[^\s~^:?*[\\]+(?<![/.])$/,
  "write a branch without refs/heads/, for example main",
);

const cron = text(
  /^(?:[\d*,/-]+\s+){4}[\d*,/-]+$/,
  'write five fields of numbers, in UTC: minute, hour, day, month, day of the week; for example "0 4 * * *"',
);

/** A pattern, with ! in front where it takes away. */
const pattern = text(/^!?[^!\s][^\s]*$/, "write a pattern such as v*, or !*-rc* for what is not to count");

const image = refined(
  text(/^[^\s@:]+(:\d+\/[^\s@:]+)?(:[\w.-]+)?(@sha256:[0-9a-f]{64})?$/, `write an image with its version: ${IMAGE}`),
  (value) =>
    /(:[\w.-]+|@sha256:[0-9a-f]{64})$/.test(value) && !/:latest$/.test(value)
      ? undefined
      : {
          problem: "says no version",
          remedy: `write it with its version, better with its digest too: ${IMAGE}@sha256:...`,
        },
);

const subject = text(/^\S{1,600}$/, "copy it from the service connection");

const people = list(integer(1, Number.MAX_SAFE_INTEGER));

const gitHubEnvironment = map({
  environment: setting(
    optional(text(undefined, "write its name")),
    "The environment that deploys. Default: the stack's name.",
  ),
  previewEnvironment: setting(
    optional(text(undefined, "write its name")),
    "The environment that previews. Default: the stack's name and -preview.",
  ),
  reviewerUsers: setting(
    defaulted(people, []),
    "Ids of users of whom one approves each deployment: `gh api users/NAME --jq .id`.",
    [1234],
  ),
  reviewerTeams: setting(
    defaulted(people, []),
    "Ids of teams of which one member approves each deployment: `gh api orgs/ORG/teams/NAME --jq .id`.",
    [5678],
  ),
  preventSelfReview: setting(defaulted(flag, true), "Whether who starts a deployment may not approve it."),
  deployBranches: setting(
    optional(list(pattern)),
    "Branches that deploy, as patterns. Default: `branch`, without deployTags.",
  ),
  deployTags: setting(optional(list(pattern)), "Tags that deploy, as patterns."),
});

const azureDevOps = map({
  deploySubject: setting(subject, "The subject that the service connection which deploys shows."),
  previewSubject: setting(optional(subject), "The subject of the connection that previews."),
  issuer: setting(
    optional(text(/^https:\/\/\S+$/, "copy it from the service connection")),
    "The issuer that they show.",
  ),
});

const drift = map({
  cron: setting(cron, "When, in UTC.", "0 4 * * *"),
  remediate: setting(defaulted(flag, false), "Whether a difference is put right at once, by an update."),
});

const stack = map({
  updates: setting(
    oneOf("push", "tag", "run"),
    "What updates the stack: a push to `branch`; a tag; or only a run that somebody starts, such as a workflow whose " +
      "environment has reviewers, by `pulumi deployment run update`.",
  ),
  tags: setting(optional(list(pattern)), 'Tags that update it, with updates: tag. Default: ["v*"].', ["v*", "!*-rc*"]),
  branch: setting(
    optional(branch),
    "The branch that pushes, pull requests, schedules and runs are about. Default: `branch` of all stacks.",
    "release",
  ),
  previews: setting(
    defaulted(oneOf("reader", "deployer", "off"), "reader"),
    "Who previews pull requests: the identity that reads, or the one that deploys; or nobody.",
  ),
  production: setting(
    optional(flag),
    "Whether nobody's push or schedule alone may change it. Default: true unless the stack's cluster.sku is Free.",
  ),
  agentPool: setting(optional(label), "The agent pool whose runners it takes. Default: Pulumi's own runners.", "hub"),
  drift: setting(optional(drift), "Looks for differences between Azure and the state."),
  rotation: setting(
    optional(cron),
    "When the stack is updated by itself, in UTC, so that what the program renews by its age is renewed.",
    "0 3 1 * *",
  ),
  tenantId: setting(
    optional(guid("the tenant's id", "az account show --query tenantId")),
    "The Entra tenant. Default: azure-native:tenantId of the stack's file.",
  ),
  subscriptionId: setting(
    optional(guid("the subscription's id", "az account show --query id")),
    "The subscription. Default: azure-native:subscriptionId of the stack's file.",
  ),
  identity: setting(
    optional(
      map({
        deployer: setting(guid("its client id", "az ad app list --display-name NAME --query [].appId"), "Deploys."),
        reader: setting(
          optional(guid("its client id", "az ad app list --display-name NAME --query [].appId")),
          "Previews, with previews: reader.",
        ),
      }),
    ),
    "Client ids of Entra applications that are there already. Default: they are made.",
  ),
  gitHub: setting(
    optional(gitHubEnvironment),
    "The environments of GitHub's workflows, which are made. Default: none.",
  ),
  azureDevOps: setting(optional(azureDevOps), "The service connections of Azure DevOps. Default: none."),
});

const secret = text(/^\S+$/, "write it as a secret: `pulumi config set --secret --path 'KEY'`");

/** The keys of the namespace of deployments/. */
export const form = map({
  organization: setting(name("the organisation"), "The organisation in Pulumi Cloud.", "acme"),
  vcs: setting(defaulted(oneOf("github", "azure_devops"), "github"), "Where the program's repository is."),
  repository: setting(
    text(
      /^[A-Za-z0-9][\w. -]*\/[\w. -]*[\w-](\/[\w. -]*[\w-])?$/,
      "write owner/name, and for Azure DevOps what Pulumi Cloud shows",
    ),
    "The program's repository, which is not the GitOps repository.",
    "acme/aks-gitops",
  ),
  gitHubIds: setting(
    optional(
      map({
        owner: setting(integer(1, Number.MAX_SAFE_INTEGER), "The owner's: `gh api users/OWNER --jq .id`."),
        repository: setting(
          integer(1, Number.MAX_SAFE_INTEGER),
          "The repository's: `gh api repos/OWNER/NAME --jq .id`.",
        ),
      }),
    ),
    "Ids of the repository on GitHub, whose workflows' tokens name them where it was made, renamed or moved since mid-2026.",
    { owner: 12, repository: 34 },
  ),
  branch: setting(defaulted(branch, "main"), "The branch that deployments are about."),
  image: setting(defaulted(image, IMAGE), "The image in which deployments run: with Node 24, by version."),
  agentPools: setting(
    defaulted(
      record(
        /^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/,
        "name pools with at most 40 lower-case letters, digits and hyphens",
        map({ description: setting(optional(text(undefined, "write a text")), "What its runners are.") }),
      ),
      {},
    ),
    "Pools of runners of one's own (Pulumi Cloud: Business Critical), by name.",
  ),
  stacks: setting(
    record(/^[A-Za-z0-9_.-]{1,100}$/, "name stacks as their files do: dev for Pulumi.dev.yaml", stack),
    "The stacks, by name.",
  ),
  tokens: setting(
    defaulted(
      record(
        /^[A-Za-z0-9_.-]{1,100}$/,
        "name stacks as their files do: dev for Pulumi.dev.yaml",
        section({
          gitHub: setting(
            optional(secret),
            "Reads and writes the GitOps repository. Default: the token that Pulumi's GitHub App gives a deployment.",
          ),
          git: setting(
            optional(secret),
            "Reads and writes the GitOps repository where it is not on GitHub. Default: none.",
          ),
          fluxGit: setting(optional(secret), "With it a bootstrapped Flux reads the GitOps repository, for good."),
        }),
      ),
      {},
    ),
    "Tokens of the Git host, by stack.",
  ),
  notifications: setting(
    defaulted(
      list(
        map({
          name: setting(label, "Its name."),
          format: setting(oneOf("slack", "ms_teams"), "Where the address leads: to Slack or to Microsoft Teams."),
          url: setting(text(/^https:\/\/\S+$/, "write the webhook's address, https://..."), "The webhook's address."),
          events: setting(
            defaulted(
              list(
                oneOf(
                  ...ALARMS,
                  "deployment_queued",
                  "deployment_started",
                  "deployment_succeeded",
                  "drift_detection_succeeded",
                  "drift_remediation_failed",
                  "drift_remediation_succeeded",
                  "preview_failed",
                  "preview_succeeded",
                  "update_failed",
                  "update_succeeded",
                ),
              ),
              [...ALARMS],
            ),
            "What is told.",
          ),
          stacks: setting(optional(list(stackName)), "Of which stacks. Default: all."),
        }),
      ),
      [],
    ),
    "Who is told of what.",
  ),
});

/** What the form gives when there is no fault. */
export type Form = z.output<typeof form>;
