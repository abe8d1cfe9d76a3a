// Loads a module of src/ for a test.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const src = join(dirname(fileURLToPath(import.meta.url)), "..", "src");

export async function load(path) {
  const result = await build({
    entryPoints: [join(src, path)],
    bundle: true,
    write: false,
    format: "esm",
    banner: { js: "globalThis.matchMedia ??= () => ({ matches: false });" },
  });
  return import(`data:text/javascript;base64,${Buffer.from(result.outputFiles[0].contents).toString("base64")}`);
}
