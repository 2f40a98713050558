// Loaded before index.ts (`nodeargs` of Pulumi.yaml): an older Node would only say that it does not know the file
// extension ".ts". A script that any version of Node can read, so neither TypeScript nor a module.

const wanted = 24;
const found = process.versions.node;

if (Number(found.split(".")[0]) < wanted) {
  process.stderr.write(
    `aks-gitops needs Node.js ${wanted} or newer, but this is ${found} (${process.execPath}), the first "node" on PATH. ` +
      `Install a newer one (https://nodejs.org/en/download), or take the one that "npm ci" put into the project: ` +
      `PATH="$PWD/node_modules/.bin:$PATH" pulumi up\n`,
  );
  // Of a program that ends with this code Pulumi's language host takes it that the user knows why.
  process.exit(32);
}
