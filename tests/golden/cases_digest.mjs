// One entry or more for each row of the table in docs/protocol.md section 2.
import * as p from "./protocol.mjs";

export const seeded = (name, n = 32) => p.sha256(p.text(`golden ${name}`)).subarray(0, n);

export const identity = { seed: seeded("identity") };
identity.key = p.publicKey(identity.seed);
export const nonce = seeded("community nonce", 16);
export const community = p.digest("community", { identity_key: identity.key, nonce });

export const author = (name) =>
  new p.Author(community, seeded(`device ${name}`), (seq) => seeded(`salt ${name} ${seq}`, 16));

function entry(row, input) {
  const preimage = p.preimage[row](input);
  const hash = p.sha256(preimage);
  return { row, in: input, preimage, hash, out: p.digest(row, input) };
}

const subject = (kind, id) => Buffer.concat([p.u32(kind), id]);

export function digests() {
  const device_key = p.publicKey(seeded("device a"));
  const handle = p.digest("handle", { community, device_key });
  const envelope = p.encode.envelope({ kind: 1, time: 1700000000123 });
  const salt = seeded("salt", 16);
  const fields = p.put.text(7, "The tap at the square is dry.");
  const envelope_hash = p.digest("envelope", { envelope });
  const body_hash = p.digest("body", { salt, fields });
  const leaf = p.digest("leaf", { envelope_hash, body_hash });
  const need = subject(1, seeded("need", 16));
  const pair = [subject(9, seeded("one", 16)), subject(9, seeded("two", 16))].sort(Buffer.compare);
  const ids = [
    { kind: 2, parts: [need, seeded("person", 16)] },
    { kind: 11, parts: pair },
    { kind: 60000, parts: [p.u8(0)] },
    { kind: 60000, parts: [p.u8(1), p.zeros(64), p.text("ab"), p.text("c")] },
    { kind: 60000, parts: [p.u8(1), p.zeros(64), p.text("a"), p.text("bc")] },
  ];
  return [
    entry("community", { identity_key: identity.key, nonce }),
    entry("handle", { community, device_key }),
    entry("envelope", { envelope }),
    entry("body", { salt, fields }),
    entry("body", { salt, fields: p.zeros(0) }),
    entry("leaf", { envelope, envelope_hash, body_hash }),
    entry("head", { community, device_key, seq: 1, head_before: p.zeros(32), leaf }),
    entry("head", { community, device_key, seq: 4294967295, head_before: seeded("head"), leaf }),
    ...ids.map((input) => entry("record_id", input)),
    entry("member", { community, handle }),
    entry("log_entry", { position: "1", device: handle, seq: 1, leaf }),
    entry("log_entry", { position: "18446744073709551615", device: handle, seq: 4294967295, leaf }),
    entry("log_node", { left: seeded("left"), right: seeded("right") }),
    entry("invitation", { code: seeded("code", 16) }),
    entry("token", { token: seeded("token") }),
    entry("export", { community, audience: 3 }),
  ];
}

export const createdIds = () =>
  [[1, 0], [1, 0x01020304], [4294967295, 4294967295]].map(([seq, tag]) => {
    const device = author("a").handle;
    return { device, seq, tag, id: p.createdId(device, seq, tag) };
  });

// The same card, however it was typed; then others.
const typed = [
  "K7QF-29XM-4HTB-WZ8C-PD3N",
  "k7qf29xm4htbwz8cpd3n",
  " K7qf 29xM-4htb wz8c pd3n ",
  "Ｋ７ＱＦ－２９ＸＭ－４ＨＴＢ－ＷＺ８Ｃ－ＰＤ３Ｎ",
  "ｋ７ｑｆ　２９ｘｍ　４ｈｔｂ　ｗｚ８ｃ　ｐｄ３ｎ",
  "K7QF\u00a029XM\u00a04HTB\u00a0WZ8C\u00a0PD3N",
  "K7QF-29XM-4HTB-WZ8C-PD3M",
  "①②③④⑤-ﬁ²-ⓠrstuvwx-０１２３４５６７８９",
];

export const cards = () =>
  typed.map((code) => {
    const { preimage, out } = entry("card", { community, code });
    return { community, typed: p.text(code), normalised: p.normaliseCard(code), preimage, id: out };
  });

function transcript(row, signer, input) {
  const preimage = p.preimage[row](input);
  const signature = p.sign(signer, preimage);
  return { row, in: input, transcript: preimage, seed: signer, key: p.publicKey(signer), signature };
}

export function transcripts() {
  const seed = seeded("device a");
  const device_key = p.publicKey(seed);
  const seen = { log: seeded("log", 12), size: "4294967297", root: seeded("root") };
  const chain_key = p.publicKey(seeded("chain"));
  const incarnation = { community, chain_key, nonce };
  const again = { previous_log: seen.log, previous_size: seen.size, previous_root: seen.root, previous_seq: 77 };
  const enrol = { hub_key: identity.key, community, device_key, challenge: seeded("challenge", 16) };
  const invitation_hash = p.digest("invitation", { code: seeded("code", 16) });
  return [
    transcript("run", seed, { community, device_key, last: 1, head: seeded("head") }),
    transcript("run", seed, { community, device_key, last: 4294967295, head: seeded("head"), seen }),
    transcript("incarnation", identity.seed, incarnation),
    transcript("incarnation", identity.seed, { ...incarnation, ...again }),
    transcript("log_head", seeded("chain"), { community, ...seen }),
    transcript("tls", identity.seed, { nonce: seeded("nonce", 16), tls_key: seeded("tls") }),
    transcript("tls", identity.seed, { tls_key: seeded("tls") }),
    transcript("enrol", seed, { purpose: 1, ...enrol, invitation_hash, expires: "1700000000123" }),
    transcript("enrol", seed, { purpose: 2, ...enrol, expires: "1700000000123" }),
    transcript("enrol", seeded("previous"), { purpose: 3, ...enrol, invitation_hash, expires: "1700000000123" }),
    transcript("enrol", seed, { purpose: 2, ...enrol, expires: "-1" }),
  ];
}

// Keys that are refused at enrolment, and one that is not.
export function keys() {
  const refused = [
    ["the neutral element, of order 1", "0100000000000000000000000000000000000000000000000000000000000000"],
    ["of order 2", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"],
    ["of order 4", "0000000000000000000000000000000000000000000000000000000000000000"],
    ["of order 8", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"],
    ["y is p + 1, not canonical", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"],
    ["y is p, not canonical", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"],
  ];
  const sound = { key: p.publicKey(seeded("device a")), sound: true };
  return [sound, ...refused.map(([why, key]) => ({ key: p.unhex(key), sound: false, why }))];
}

// A chain of five changes, and the runs that carry it.
export function chain() {
  const device = author("chain");
  const changes = [
    device.write({ kind: 1, time: 1700000000000 }, p.put.text(7, "No light on the path.")),
    device.write({ kind: 60000, time: -1, class: 7 }, p.put.uint(1, 0)),
    device.write({ kind: 9, id: seeded("person", 16), class: 1 }, p.put.text(12, "25-34")),
  ];
  const over = [p.dot(device, changes[0])];
  const need = { kind: 1, id: changes[0].record.id };
  changes.push(device.write({ ...need, time: 1700000000001, over }, p.put.text(7, "No light, and a step.")));
  changes.push(device.write({ ...need, time: 1700000000002 }));
  const { seed, key, handle } = device;
  return { community, seed, key, handle, changes: changes.map(shown) };
}

// What of a change goes to the file.
export function shown(change) {
  const { device, seq, envelope, fields, salt, envelope_hash, body_hash, leaf, tag, head, record } = change;
  return { device, seq, envelope, fields, salt, envelope_hash, body_hash, leaf, tag, head, record };
}

export function log() {
  const devices = [author("a"), author("b"), author("c")].map((one) => one.handle);
  const entries = [];
  for (let i = 0; i < 100; i++) {
    const seq = Math.floor(i / 3) + 1;
    const input = { position: String(i + 1), device: devices[i % 3], seq, leaf: seeded(`leaf ${i}`) };
    entries.push({ ...input, node: p.digest("log_entry", input) });
  }
  const nodes = entries.map((one) => one.node);
  const sizes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 100];
  return { entries, roots: sizes.map((size) => ({ size, root: p.treeRoot(nodes.slice(0, size)) })) };
}
