// Runs the benchmarks that are named, or all: `npm run bench -- mirror`.

const NAMES = ["preview", "review", "mirror", "charts"];

const names = process.argv.slice(2);
const unknown = names.find((name) => !NAMES.includes(name));
if (unknown !== undefined) {
  console.error(`There is no benchmark ${unknown}; there are ${NAMES.join(", ")}.`);
  process.exitCode = 1;
} else {
  for (const name of names.length > 0 ? names : NAMES) await import(`./${name}.ts`);
}
