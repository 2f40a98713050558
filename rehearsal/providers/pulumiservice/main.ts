// Started by the engine as pulumi-resource-pulumiservice.

import { serve } from "../../../plugin/server.ts";
import { pulumiService } from "./provider.ts";

await serve(pulumiService);
