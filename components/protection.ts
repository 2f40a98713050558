import * as pulumi from "@pulumi/pulumi";

/** What a Protection holds on to. */
export interface ProtectionArgs {
  /** Whether Pulumi refuses to destroy any of the resources. */
  readonly protect: boolean;
  /** The resources; a component stands for everything below it that is registered by now. */
  readonly resources: readonly pulumi.Resource[];
}

/**
 * Refuses a `pulumi destroy` before it deletes anything. The engine looks at `protect` when it comes to a resource, and by
 * then what depends on that one is gone; this depends on everything, so it is what the engine comes to first.
 *
 * Make it last and always: with `protect: false` it holds nothing, and takes the protection of an earlier `pulumi up` away.
 */
export class Protection extends pulumi.ComponentResource {
  constructor(name: string, { protect, resources }: ProtectionArgs, opts?: pulumi.ComponentResourceOptions) {
    // Holding on to nothing else, it is no obstacle to a `destroy --target` of a stack that is not protected.
    super("aks-gitops:index:Protection", name, {}, { ...opts, protect, dependsOn: protect ? [...resources] : [] });
    this.registerOutputs();
  }
}
