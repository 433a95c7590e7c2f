// What npm's macaroon makes of ../inputs.json: run `npm ci && node generate.mjs`.
import { readFileSync } from "node:fs";
import macaroon from "macaroon";

const here = new URL(".", import.meta.url);
const read = (path) => JSON.parse(readFileSync(new URL(path, here), "utf8"));
const bytes = (hex) => new Uint8Array(Buffer.from(hex, "hex"));

/** v2 binary and JSON: it writes no v1. */
function create(input) {
  const made = macaroon.newMacaroon({
    version: 2,
    rootKey: bytes(input.root_key),
    identifier: bytes(input.identifier),
    location: input.location,
  });
  for (const caveat of input.caveats) made.addFirstPartyCaveat(bytes(caveat));
  const json = { name: input.name, format: "v2json", text: JSON.stringify(made.exportJSON()) };
  try {
    const hex = Buffer.from(made.exportBinary()).toString("hex");
    return [{ name: input.name, format: "v2", hex }, json];
  } catch (error) {
    // Its buffer grows by a factor of what it holds, and so beyond any memory.
    if (error instanceof RangeError) return [json];
    throw error;
  }
}

/** Whether it reads and verifies; undefined for v1, which it has no reader for. */
function accepts(input) {
  try {
    const data =
      input.format === "v2json"
        ? JSON.parse(input.text)
        : input.format === "base64"
          ? macaroon.base64ToBytes(input.text)
          : bytes(input.hex);
    macaroon.importMacaroon(data).verify(bytes(input.root_key), () => null, []);
    return true;
  } catch {
    return false;
  }
}

const inputs = read("../inputs.json");
const output = {
  library: "npm macaroon",
  version: read("node_modules/macaroon/package.json").version,
  created: inputs.create.flatMap(create),
  judged: Object.fromEntries(
    inputs.judge.filter((input) => input.format !== "v1").map((input) => [input.name, accepts(input)]),
  ),
};
console.log(JSON.stringify(output, null, 1));
