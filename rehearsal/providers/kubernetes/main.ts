// Started by the engine as pulumi-resource-kubernetes.

import { serve } from "../../../plugin/server.ts";
import { kubernetes } from "./provider.ts";

await serve(kubernetes);
