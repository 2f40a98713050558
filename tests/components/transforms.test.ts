import { strict as assert } from "node:assert";
import type * as pulumi from "@pulumi/pulumi";
import { describe, it } from "mocha";
import { deploy, type Registration } from "./deployment.ts";
import { EVERYTHING } from "./everything.ts";

/** Adds something to whatever it is given. */
const marked: pulumi.ResourceTransform = ({ props, opts }) => ({ props: { ...props, marked: true }, opts });

/** A resource's inputs as the engine would hand them on. */
async function transformed({ type, name, inputs, transforms }: Registration): Promise<Record<string, unknown>> {
  let props: Record<string, unknown> = inputs;
  for (const transform of transforms)
    props = (await transform({ custom: true, type, name, props, opts: {} }))?.props ?? props;
  return props;
}

describe("the engine's transforms, given to a component", () => {
  for (const [name, make] of Object.entries(EVERYTHING))
    it(`reach every child of ${name}`, async () => {
      const { resources } = await deploy(() => make({}, { transforms: [marked] }));
      const ofTests = resources.filter(({ type }) => type.startsWith("test:"));
      assert.deepEqual(await missedBy(ofTests), ofTests.map(label), "only what is the component's is transformed");
      const children = resources.filter((resource) => !ofTests.includes(resource));
      assert.ok(children.length > 1);
      assert.deepEqual(await missedBy(children), []);
    });
});

const label = ({ type, name }: Registration) => `${type} ${name}`;

async function missedBy(resources: readonly Registration[]): Promise<string[]> {
  const inputs = await Promise.all(resources.map(transformed));
  return resources.filter((_, index) => inputs[index]?.marked !== true).map(label);
}
