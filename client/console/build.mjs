// Builds dist/console.html: one page with its script and style inline, and the hashes of both in its policy.
// `--check` builds in memory and compares with the file that is there.
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "dist", "console.html");
const page_bytes_max = 1_000_000;

async function bundle(entry, loader) {
  const result = await build({
    entryPoints: [join(here, "src", entry)],
    absWorkingDir: here,
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: ["chrome109", "firefox115", "safari16.4"],
    charset: "utf8",
    legalComments: "none",
    logLevel: "warning",
    loader,
  });
  return result.outputFiles[0].text.trim();
}

const hash = (text) => `'sha256-${createHash("sha256").update(text, "utf8").digest("base64")}'`;

/// What the page may do. The empty style is that of the grid, which gives it its rules through the CSSOM.
function policy(script, style) {
  return [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)} ${hash("")}`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

async function page() {
  const [script, style, template] = await Promise.all([
    bundle("main.ts"),
    bundle("css/console.css"),
    readFile(join(here, "src", "index.html"), "utf8"),
  ]);
  if (/<\/(script|style)/i.test(script + style)) throw new Error("the script or style would end its own element");
  const parts = { policy: policy(script, style), style, script };
  return template.replace(/\{\{(policy|style|script)\}\}/g, (_, name) => parts[name]);
}

const html = await page();
const bytes = Buffer.byteLength(html);
if (bytes > page_bytes_max) throw new Error(`the page has ${bytes} bytes, the most is ${page_bytes_max}`);

if (process.argv.includes("--check")) {
  const present = await readFile(target, "utf8").catch(() => "");
  if (present !== html) {
    console.error("dist/console.html is not what src/ builds: run `npm ci && npm run build` and check it in");
    process.exit(1);
  }
  console.log(`dist/console.html is current: ${bytes} bytes`);
} else {
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, html);
  console.log(`dist/console.html: ${bytes} bytes`);
}
