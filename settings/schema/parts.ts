// Forms that several subjects use.
import { FOLDER } from "../../components/repository/order.ts";
import { SECRET_NAME, SECRET_NAME_WORDS } from "../../components/repository/secretTypes.ts";
import { armIdPattern, armIdWords } from "../../net/armId.ts";
import { parseNetwork } from "../../net/cidr.ts";
import { forEditors, list, refined, text } from "../form.ts";

/** The object id of somebody in Entra. */
export const objectId = (what: string) =>
  text(
    /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/,
    `write the object id of ${what}, a GUID; \`az ad group show --group NAME --query id\` tells it`,
  );

/** Entra groups. */
export const groups = list(objectId("an Entra group"));

/** An IPv4 network. */
export const cidr = forEditors(
  refined(text(undefined, "write an IPv4 network in CIDR notation, for example 10.60.0.0/16"), (value) =>
    parseNetwork(value)
      ? undefined
      : {
          problem: "is not an IPv4 network in CIDR notation",
          remedy: "write its first address and a prefix length up to 32, for example 10.60.0.0/16",
        },
  ),
  { pattern: "^((25[0-5]|2[0-4]\\d|1?\\d?\\d)(\\.(?!/)|(?=/))){4}/(3[0-2]|[12]?\\d)$" },
);

/** The ARM id of a resource; `below` is the pattern of what follows its name. */
export const armId = (type: string, example: string, below = "") =>
  text(new RegExp(armIdPattern(type, below)), `write its ARM id: ${example}`);

/** The ARM id of a virtual network. */
export const networkId = armId("Microsoft.Network/virtualNetworks", armIdWords("Microsoft.Network/virtualNetworks"));

/** Kubernetes' names of objects that become a DNS label (RFC 1123). */
export const label = () =>
  text(
    /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
    "write at most 63 lower-case letters, digits and hyphens, a letter or digit first and last",
  );

/** A Kubernetes Secret's name. */
export const secretName = () => text(SECRET_NAME, `write ${SECRET_NAME_WORDS}`);

/** A folder as {@link folder}, or a dot for the root. */
export const folderOrRoot = (example: string) =>
  text(new RegExp(`${FOLDER.source}|^\\.$`), `write a folder from the repository's root, for example ${example}`);

/** A folder below a repository's root, with or without `./` before it. */
export const folder = (example: string) =>
  text(FOLDER, `write a folder from the repository's root, for example ${example}`);
