import type * as pulumi from "@pulumi/pulumi";
import { parseRepositoryUrl, type RepositoryAddress } from "../../net/gitAddress.ts";
import type { GitCommit } from "../../provider/sdk/gitCommit.ts";
import { CONFIGURATION, FLUX } from "../defaults.ts";
import { clusterFolder } from "../repository/names.ts";
import { folderOf } from "../repository/order.ts";
import { type Filled, withDefaults } from "../shared/withDefaults.ts";
import type { FluxBootstrapArgs, FluxConfigurationArgs } from "./fluxBootstrapArgs.ts";
import { type Auth, authOf } from "./signIn.ts";

type Defaults = Omit<typeof FLUX, "version"> & { readonly contents: readonly [] };

/** FluxBootstrap's arguments with nothing left out, and what follows from them. */
export interface FluxWanted extends Filled<FluxBootstrapArgs, Defaults> {
  readonly auth: Auth;
  /** The repository that the arguments name. */
  readonly address: RepositoryAddress;
  /** The folder that the cluster reconciles. */
  readonly path: string;
  /** The extension's configuration. */
  readonly configuration: Filled<FluxConfigurationArgs, typeof CONFIGURATION>;
}

/** What a way to bring Flux into the cluster starts from. */
export interface FluxParts {
  /** The component's name, its resources' too. */
  readonly name: string;
  readonly args: FluxWanted;
  /** The repository's name on GitHub, when it is known to be there; its path on other hosts. */
  readonly repository: pulumi.Output<string>;
  /** The commit that Flux shall reconcile. */
  readonly commit: GitCommit;
  readonly parent: pulumi.Resource;
}

/** The arguments with every default filled in. @throws Error when the repository is none; faultless arguments name one. */
export function filled(args: FluxBootstrapArgs): FluxWanted {
  const address = parseRepositoryUrl(args.repository);
  if (address === undefined) throw new Error(`repository is no address of a repository: ${args.repository}`);
  const { version: _, ...defaults } = FLUX;
  const flat = withDefaults<FluxBootstrapArgs, Defaults>(args, { ...defaults, contents: [] });
  return {
    ...flat,
    auth: authOf(flat),
    address,
    path: folderOf(args.path ?? clusterFolder(args.stack)),
    configuration: withDefaults<FluxConfigurationArgs, typeof CONFIGURATION>(args.configuration ?? {}, CONFIGURATION),
  };
}
