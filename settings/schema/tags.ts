// The form of `aks-gitops:tags`, by Azure's limits:
// https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources
import { MOST_TAGS, OWNER_TAG, TAGS } from "../../components/defaults.ts";
import { defaulted, forEditors, record, refined, setting } from "../form.ts";
import { z } from "../zod.ts";

// JSON Schema's patterns have no flag for it.
const anyCase = (word: string) => [...word].map((letter) => `[${letter.toUpperCase()}${letter}]`).join("");
const RESERVED = ["microsoft", "azure", "windows"].map(anyCase).join("|");

const value = () => {
  const error = "write a text in quotes, at most 256 characters";
  return z.string({ error }).check(z.maxLength(256, { error }));
};

/** Tags of everything in Azure. */
export const tags = setting(
  defaulted(
    forEditors(
      refined(
        record(
          new RegExp(`^(?!${RESERVED})[^<>%&\\\\?/]{1,512}$`),
          "write at most 512 characters without < > % & \\ ? /, and begin with none of microsoft, azure, windows",
          value(),
        ),
        (given) => {
          const names = Object.keys(given);
          const twice = names.find((name, i) => names.findIndex((one) => one.toLowerCase() === name.toLowerCase()) < i);
          if (names.length > MOST_TAGS)
            return {
              problem: `has ${names.length} tags`,
              remedy: `write at most ${MOST_TAGS}: Azure takes 50, and the cluster has one of its own`,
            };
          const taken = names.find((name) => name.toLowerCase() === OWNER_TAG);
          if (taken !== undefined)
            return { problem: `has ${taken}, which says whose a cluster is`, remedy: "give the tag another name" };
          if (twice !== undefined)
            return {
              problem: `has ${twice} twice`,
              remedy: "write each name once; Azure sees no upper and lower case in it",
            };
          return undefined;
        },
      ),
      { maxProperties: MOST_TAGS },
    ),
    { ...TAGS },
  ),
  "Tags of everything that the program makes in Azure: at most 49, names of at most 512 characters, values of at most 256.",
  { environment: "prod", costCenter: "4711" },
);
