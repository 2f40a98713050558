// What a review says, as plain data: the shape of `--format json`. No secret is in it.
import type { FileChange } from "./manifests.ts";
import type { PropertyChange } from "./values.ts";

/**
 * The whole in a word: nothing changes; something does; what cannot be had back is lost (data, workloads, access);
 * a mandatory policy is broken; or the operation failed.
 */
export type Verdict = "unchanged" | "changes" | "dangerous" | "blocked" | "failed";

/** A resource of the stack. */
export interface ResourceName {
  /** As the engine knows it: `gitops:index:ManagedCluster`. */
  readonly type: string;
  /** Its name in the program. */
  readonly name: string;
  readonly urn: string;
}

/** What is done with a resource. */
export type Operation = "create" | "update" | "replace" | "delete" | "read" | "import" | "refresh" | "forget";

/** A resource that changes. */
export interface ResourceChange extends ResourceName {
  readonly operation: Operation;
  readonly properties: readonly PropertyChange[];
  /** Of a replacement: whether the old one goes before there is a new one. @default false */
  readonly deletedFirst?: true;
  /** It is protected: the engine refuses to delete it. @default false */
  readonly protected?: true;
  /** The update failed before this was done, or in doing it; it may be done in part. @default false */
  readonly unfinished?: true;
  /** It is what an earlier update replaced and could not delete. @default false */
  readonly leftover?: true;
}

/**
 * A resource that is replaced or deleted, and with it goes what it holds or lets others do; also an object of the cluster
 * that Flux deletes, as its manifest goes from Git (`type` is its kind then, and `urn` the commit's).
 */
export interface Danger extends ResourceChange {
  /** What the resource is, in a word or two: `cluster`. */
  readonly noun: string;
  /** Whether something is lost that neither Git nor another update brings back. */
  readonly loses: boolean;
  /** What it means. */
  readonly meaning: string;
  /** The properties that make it another resource. */
  readonly causes: readonly Cause[];
  /** What is replaced or deleted because this is, the worst first. */
  readonly dependents: readonly Dependent[];
}

/** What goes because something else does. */
export interface Dependent extends ResourceName {
  readonly operation: Operation;
  readonly noun: string;
  /** Whether somebody notices; else it is made again as it was. */
  readonly isNoticed: boolean;
  /** What it means, where that is as bad as what it goes with. */
  readonly meaning?: string;
}

/** Why a resource is replaced. */
export interface Cause extends PropertyChange {
  /** The resources that the new value comes from, which change too. */
  readonly comesFrom?: readonly ResourceName[];
}

/** A policy that is broken. */
export interface PolicyFinding {
  readonly policy: string;
  readonly pack: string;
  readonly level: "mandatory" | "advisory";
  /** low, medium, high or critical, where the policy says so. */
  readonly severity?: string;
  /** What is wrong and what to do, in the policy's words. */
  readonly message: string;
  readonly resource?: ResourceName;
}

/** A chart, an image, Flux itself or a cluster's Kubernetes in another version. */
export interface ArtifactChange {
  readonly kind: "chart" | "image" | "Flux" | "Kubernetes";
  readonly name: string;
  readonly from?: Artifact;
  readonly to?: Artifact;
}

export interface Artifact {
  readonly version: string;
  /** `sha256:<hex>`; Flux and Kubernetes have none. */
  readonly digest?: string;
}

/** Something that went wrong, or may. */
export interface Message {
  readonly text: string;
  readonly resource?: ResourceName;
}

export interface Counts {
  readonly create: number;
  readonly update: number;
  readonly replace: number;
  readonly delete: number;
  /** read, import, refresh and forget. */
  readonly other: number;
  readonly unchanged: number;
}

/** What is reviewed: what an update would do, what one did, or what is no longer as the stack has it. */
export type Reviewable = "preview" | "up" | "drift";

/** What an operation does, or did, to a stack. */
export interface Review {
  /** Of this shape. */
  readonly version: 1;
  readonly project: string;
  readonly stack: string;
  readonly operation: Reviewable;
  readonly verdict: Verdict;
  readonly commit?: string;
  /** When it was made, in ISO 8601. */
  readonly time: string;
  /** Resources that Azure, Git and the others hold: components and providers are not counted. */
  readonly counts: Counts;
  /** Why it failed. */
  readonly failures: readonly Message[];
  /** The worst first. */
  readonly dangers: readonly Danger[];
  /** Mandatory ones first. */
  readonly policies: readonly PolicyFinding[];
  readonly artifacts: readonly ArtifactChange[];
  /** The files of the GitOps repository. */
  readonly files: readonly FileChange[];
  /** Everything that changes, the dangers too. */
  readonly resources: readonly ResourceChange[];
  /** The stack's outputs. */
  readonly outputs: readonly PropertyChange[];
  readonly warnings: readonly Message[];
}
