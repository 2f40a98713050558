// All checks, in the order in which they are told: what others depend on first.

import type { Check } from "./check.ts";
import { defaults } from "./checks/defaults.ts";
import { deployers } from "./checks/deployers.ts";
import { environment } from "./checks/environment.ts";
import { existing } from "./checks/existing.ts";
import { git } from "./checks/git.ts";
import { gitHub } from "./checks/gitHub.ts";
import { kubernetesVersion } from "./checks/kubernetesVersion.ts";
import { names } from "./checks/names.ts";
import { principals } from "./checks/principals.ts";
import { privateZones } from "./checks/privateZones.ts";
import { program } from "./checks/program.ts";
import { providers } from "./checks/providers.ts";
import { quota } from "./checks/quota.ts";
import { region } from "./checks/region.ts";
import { rights } from "./checks/rights.ts";
import { routes } from "./checks/routes.ts";
import { settings } from "./checks/settings.ts";
import { signIn } from "./checks/signIn.ts";
import { subscription } from "./checks/subscription.ts";
import { tools } from "./checks/tools.ts";
import { upgrade } from "./checks/upgrade.ts";
import { vmSizes } from "./checks/vmSizes.ts";

export const CHECKS: readonly Check[] = [
  settings,
  tools,
  environment,
  program,
  signIn,
  subscription,
  providers,
  rights,
  deployers,
  region,
  names,
  existing,
  vmSizes,
  quota,
  kubernetesVersion,
  upgrade,
  privateZones,
  routes,
  gitHub,
  git,
  principals,
  defaults,
];
