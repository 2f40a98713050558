// Started by the engine as pulumi-resource-azure-native.

import { serve } from "../../../provider/server.ts";
import { azureNative } from "./provider.ts";

await serve(azureNative());
