// Writes vectors.json anew, or says whether it would be the same:
//   node make.mjs [--check]
import fs from "node:fs";

import * as digest from "./cases_digest.mjs";
import * as form from "./cases_form.mjs";
import { merges } from "./cases_merge.mjs";

const path = new URL("vectors.json", import.meta.url);

// Bytes as hexadecimal, integers that may exceed 2^53 as decimal text.
function plain(value) {
  if (Buffer.isBuffer(value)) return value.toString("hex");
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

const vectors = {
  version: 1,
  digests: digest.digests(),
  created_ids: digest.createdIds(),
  cards: digest.cards(),
  transcripts: digest.transcripts(),
  keys: digest.keys(),
  chain: digest.chain(),
  log: digest.log(),
  envelopes: form.envelopes(),
  fields: form.fields(),
  apart: form.apart(),
  packs: form.packs(),
  messages: form.messages(),
  merges: merges(),
};

const json = `${JSON.stringify(plain(vectors), null, 1)}\n`;
if (!process.argv.includes("--check")) {
  fs.writeFileSync(path, json);
} else if (fs.readFileSync(path, "utf8") !== json) {
  console.error("vectors.json is not what make.mjs writes");
  process.exit(1);
}
