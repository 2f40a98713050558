// What Azure sets or changes by itself in resources that a program made, in azure-native's inputs. A refresh takes each for
// a change of the program's own, which the next preview would take back: https://github.com/pulumi/pulumi-azure-native,
// provider/pkg/provider/diff.go.

/** The `ignoreChanges` of a type: none of them is ever set here. */
export const SERVICE_SET = {
  /** With inline rules. */
  networkSecurityGroup: ["securityRules[*].etag", "securityRules[*].provisioningState"],
  privateEndpoint: ["customDnsConfigs", "privateLinkServiceConnections[*].privateLinkServiceConnectionState"],
  publicIPAddress: ["natGateway", "ipTags"],
  /** With inline routes. */
  routeTable: ["routes[*].etag", "routes[*].provisioningState", "routes[*].hasBgpOverride"],
  /** With inline subnets. */
  virtualNetwork: [
    "subnets[*].etag",
    "subnets[*].provisioningState",
    "subnets[*].resourceNavigationLinks",
    "subnets[*].serviceAssociationLinks",
    "subnets[*].delegations[*].actions",
    "subnets[*].delegations[*].etag",
  ],
  extension: ["statuses"],
} satisfies Record<string, string[]>;
