// Started by the engine as pulumi-resource-azure-native.

import { serve } from "../../../plugin/server.ts";
import { azureNative } from "./provider.ts";

await serve(azureNative());
