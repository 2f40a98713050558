// Azure's clouds, and which one an environment means.

type Environment = Readonly<Record<string, string | undefined>>;

/** The hosts of one of Azure's clouds. */
export interface AzureCloud {
  /** Origin of Azure Resource Manager. */
  readonly resourceManager: string;
  /** Origin of Entra ID. */
  readonly authority: string;
  /** Origin of Microsoft Graph: https://learn.microsoft.com/graph/deployments */
  readonly graph: string;
}

const CLOUDS: Readonly<Record<string, AzureCloud>> = {
  public: {
    resourceManager: "https://management.azure.com",
    authority: "https://login.microsoftonline.com",
    graph: "https://graph.microsoft.com",
  },
  usgovernment: {
    resourceManager: "https://management.usgovcloudapi.net",
    authority: "https://login.microsoftonline.us",
    graph: "https://graph.microsoft.us",
  },
  china: {
    resourceManager: "https://management.chinacloudapi.cn",
    authority: "https://login.chinacloudapi.cn",
    graph: "https://microsoftgraph.chinacloudapi.cn",
  },
};

/** The cloud of ARM_ENVIRONMENT (`public`, `usgovernment`, `china`). @throws Error for another one. */
export function cloudOf(environment: Environment): AzureCloud {
  const name = (environment.ARM_ENVIRONMENT || "public").toLowerCase();
  const cloud = CLOUDS[name];
  if (cloud) return cloud;
  throw new Error(`ARM_ENVIRONMENT is "${name}": give one of ${Object.keys(CLOUDS).join(", ")}`);
}
