// Started by the engine as pulumi-resource-azuread.

import { serve } from "../../../plugin/server.ts";
import { azuread } from "./provider.ts";

await serve(azuread);
