/** Arguments in which those that have a default are there. */
export type Filled<Args, Defaults> = Omit<Args, keyof Defaults> & {
  readonly [K in keyof Defaults & keyof Args]-?: Exclude<Args[K], undefined>;
};

/** Arguments with the default of each that is left out or undefined; nested ones count as a whole. */
export function withDefaults<Args extends object, const Defaults extends { readonly [K in keyof Args]?: Args[K] }>(
  args: Args,
  defaults: Defaults,
): Filled<Args, Defaults> {
  const given = Object.entries(args).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) } as Filled<Args, Defaults>;
}
