// The protocol's bytes as docs/protocol.md describes them, and nothing of the C code: the protobuf
// wire format, the table of hashes, signatures, and changes with their chain.
import crypto from "node:crypto";

// --- bytes ---

export const hex = (bytes) => Buffer.from(bytes).toString("hex");
export const unhex = (text) => Buffer.from(text, "hex");
export const text = (words) => Buffer.from(words, "utf8");
export const zeros = (n) => Buffer.alloc(n);
export const sha256 = (bytes) => crypto.createHash("sha256").update(bytes).digest();

export function u8(v) {
  return Buffer.from([v]);
}

export function u32(v) {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(v);
  return out;
}

export function u64(v) {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(BigInt.asUintN(64, BigInt(v)));
  return out;
}

export const sized = (bytes) => Buffer.concat([u32(bytes.length), bytes]);
const label = (name) => Buffer.concat([text(name), u8(0)]);
const join = (...parts) => Buffer.concat(parts);

// --- the protobuf wire format ---

export function varint(v) {
  let rest = BigInt.asUintN(64, BigInt(v));
  const out = [];
  for (; rest >= 0x80n; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  out.push(Number(rest));
  return Buffer.from(out);
}

export const tagOf = (number, type) => varint((BigInt(number) << 3n) | BigInt(type));

// One field each, written whatever its value.
export const put = {
  uint: (number, v) => join(tagOf(number, 0), varint(v)),
  sint: (number, v) => put.uint(number, v >= 0 ? 2n * BigInt(v) : -2n * BigInt(v) - 1n),
  fixed64: (number, v) => {
    const out = Buffer.alloc(8);
    out.writeBigUInt64LE(BigInt(v));
    return join(tagOf(number, 1), out);
  },
  bytes: (number, v) => join(tagOf(number, 2), varint(v.length), v),
  text: (number, v) => put.bytes(number, text(v)),
  fixed32: (number, v) => {
    const out = Buffer.alloc(4);
    out.writeUInt32LE(v);
    return join(tagOf(number, 5), out);
  },
};

// One field each, left out where it has its default value.
const some = {
  uint: (number, v) => (v ? put.uint(number, v) : zeros(0)),
  fixed32: (number, v) => (v ? put.fixed32(number, v) : zeros(0)),
  bytes: (number, v) => (v?.length ? put.bytes(number, v) : zeros(0)),
  message: (number, v) => (v ? put.bytes(number, v) : zeros(0)),
  each: (number, items = []) => join(...items.map((item) => put.bytes(number, item))),
};

export const encode = {
  dot: (d) =>
    join(some.bytes(1, d.device), some.uint(2, d.seq), some.uint(3, d.index), some.fixed32(4, d.tag)),
  envelope: (e) =>
    join(
      some.uint(1, e.kind),
      some.bytes(2, e.id),
      some.each(3, e.parts),
      some.uint(4, e.time),
      some.uint(5, e.class),
      some.each(6, (e.over ?? []).map(encode.dot)),
    ),
  change: (c) =>
    join(
      some.bytes(1, c.envelope),
      some.bytes(2, c.fields),
      some.bytes(3, c.body_hash),
      some.bytes(4, c.leaf),
    ),
  changes: (changes) => some.each(1, changes.map(encode.change)),
  pack: (p) => join(some.uint(1, p.packing), some.uint(2, p.size), some.bytes(3, p.data)),
  logHead: (h) => join(some.bytes(1, h.log), some.uint(2, h.size), some.bytes(3, h.root)),
  run: (r) =>
    join(
      some.bytes(1, r.device),
      some.uint(2, r.first),
      some.each(3, r.packs.map(encode.pack)),
      some.bytes(4, r.salts),
      some.bytes(5, r.signature),
      some.message(6, r.seen && encode.logHead(r.seen)),
    ),
  cursor: (c) =>
    join(some.bytes(1, c.log), some.uint(2, c.position), some.bytes(3, c.root), some.uint(4, c.view)),
  chainPoint: (p) => join(some.bytes(1, p.device), some.uint(2, p.seq), some.bytes(3, p.head)),
  syncRequest: (s) =>
    join(
      some.uint(1, s.version),
      some.bytes(2, s.community),
      some.message(3, s.cursor && encode.cursor(s.cursor)),
      some.message(4, s.own && encode.chainPoint(s.own)),
      some.each(5, (s.push ?? []).map(encode.run)),
      s.answer_max === undefined ? zeros(0) : put.uint(6, s.answer_max),
      some.uint(7, s.packings),
      some.each(8, (s.vector ?? []).map(encode.chainPoint)),
      some.uint(9, s.own_too ? 1 : 0),
    ),
};

export const packPlain = (bytes) => ({ packing: 1, size: bytes.length, data: bytes });

// A zstd frame (RFC 8878) of stored blocks, so that no compressor is needed.
export function packZstd(bytes) {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(bytes.length);
  const out = [unhex("28b52ffda0"), size];
  const most = 128 << 10;
  for (let at = 0; at === 0 || at < bytes.length; at += most) {
    const block = bytes.subarray(at, at + most);
    const header = Buffer.alloc(4);
    header.writeUInt32LE((block.length << 3) | (at + most >= bytes.length ? 1 : 0));
    out.push(header.subarray(0, 3), block);
  }
  return { packing: 2, size: bytes.length, data: join(...out) };
}

// --- section 2: the preimages, one function a row of the table ---

export const preimage = {
  community: (i) => join(label("folkmoot community v1"), i.identity_key, i.nonce),
  handle: (i) => join(label("folkmoot handle v1"), i.community, i.device_key),
  envelope: (i) => join(label("folkmoot envelope v1"), i.envelope),
  body: (i) => join(label("folkmoot body v1"), i.salt, i.fields),
  leaf: (i) => join(label("folkmoot leaf v1"), i.envelope_hash, i.body_hash),
  head: (i) =>
    join(label("folkmoot head v1"), i.community, i.device_key, u32(i.seq), i.head_before, i.leaf),
  record_id: (i) => join(label("folkmoot id v1"), u32(i.kind), ...i.parts.map(sized)),
  card: (i) => join(label("folkmoot card v1"), i.community, sized(text(normaliseCard(i.code)))),
  member: (i) => join(label("folkmoot member v1"), i.community, i.handle),
  log_entry: (i) =>
    join(u8(0), label("folkmoot log entry v1"), u64(i.position), i.device, u32(i.seq), i.leaf),
  log_node: (i) => join(u8(1), i.left, i.right),
  invitation: (i) => join(label("folkmoot invitation v1"), i.code),
  token: (i) => join(label("folkmoot token v1"), i.token),
  export: (i) => join(label("folkmoot export v1"), i.community, u32(i.audience)),
  run: (i) =>
    join(
      label("folkmoot run v1"),
      i.community,
      i.device_key,
      u32(i.last),
      i.head,
      i.seen?.log ?? zeros(12),
      u64(i.seen?.size ?? 0),
      i.seen?.root ?? zeros(32),
    ),
  incarnation: (i) =>
    join(
      label("folkmoot incarnation v1"),
      i.community,
      i.chain_key,
      i.nonce,
      i.previous_log ?? zeros(12),
      u64(i.previous_size ?? 0),
      i.previous_root ?? zeros(32),
      u32(i.previous_seq ?? 0),
    ),
  log_head: (i) =>
    join(label("folkmoot log head v1"), i.community, i.log, u64(i.size), i.root),
  tls: (i) => join(label("folkmoot tls v1"), i.nonce ?? zeros(16), i.tls_key),
  enrol: (i) =>
    join(
      label("folkmoot enrol v1"),
      u8(i.purpose),
      i.hub_key,
      i.community,
      i.device_key,
      i.invitation_hash ?? zeros(32),
      i.challenge,
      u64(i.expires),
    ),
};

// How many bytes of the hash are used, where not all.
export const cut = { community: 16, handle: 12, record_id: 16, card: 16, member: 16, export: 12 };

export function digest(row, input) {
  return sha256(preimage[row](input)).subarray(0, cut[row] ?? 32);
}

export const normaliseCard = (code) => code.normalize("NFKC").toUpperCase().replace(/[ -]/g, "");

export const createdId = (handle, seq, tag) => join(handle.subarray(0, 8), u32(seq), u32(tag));

// RFC 9162 section 2.1.1 over the entries' hashes.
export function treeRoot(nodes) {
  if (nodes.length === 0) return sha256(zeros(0));
  if (nodes.length === 1) return nodes[0];
  let left = 1;
  while (left * 2 < nodes.length) left *= 2;
  return digest("log_node", {
    left: treeRoot(nodes.slice(0, left)),
    right: treeRoot(nodes.slice(left)),
  });
}

// --- keys ---

const pkcs8 = (seed) => join(unhex("302e020100300506032b657004220420"), seed);
const spki = (key) => join(unhex("302a300506032b6570032100"), key);

const secretOf = (seed) => crypto.createPrivateKey({ key: pkcs8(seed), format: "der", type: "pkcs8" });

export function publicKey(seed) {
  const der = crypto.createPublicKey(secretOf(seed)).export({ format: "der", type: "spki" });
  return der.subarray(der.length - 32);
}

export const sign = (seed, message) => crypto.sign(null, message, secretOf(seed));

export function verify(key, message, signature) {
  const object = crypto.createPublicKey({ key: spki(key), format: "der", type: "spki" });
  return crypto.verify(null, message, object, signature);
}

// --- changes ---

// The record that a change is about.
export function recordOf(change) {
  const { kind, id, parts } = change.about;
  if (parts?.length) return { kind, id: digest("record_id", { kind, parts }) };
  return { kind, id: id ?? createdId(change.device, change.seq, change.tag) };
}

// A device of a community: writes changes and keeps its chain.
export class Author {
  constructor(community, seed, makeSalt) {
    this.community = community;
    this.seed = seed;
    this.key = publicKey(seed);
    this.handle = digest("handle", { community, device_key: this.key });
    this.makeSalt = makeSalt;
    this.seq = 0;
    this.head = zeros(32);
  }

  // about: kind, id or parts or neither, time, class, over (dots). fields: encoded.
  write(about, fields = zeros(0)) {
    const envelope = encode.envelope(about);
    const salt = this.makeSalt(this.seq + 1);
    const envelope_hash = digest("envelope", { envelope });
    const body_hash = digest("body", { salt, fields });
    const leaf = digest("leaf", { envelope_hash, body_hash });
    const head_before = this.head;
    this.seq += 1;
    this.head = digest("head", {
      community: this.community,
      device_key: this.key,
      seq: this.seq,
      head_before,
      leaf,
    });
    const change = { device: this.handle, seq: this.seq, about, envelope, fields, salt };
    Object.assign(change, { envelope_hash, body_hash, leaf, tag: leaf.readUInt32BE(), head: this.head });
    return Object.assign(change, { record: recordOf(change) });
  }

  // Consecutive changes of this author's as a run, the last of which stands at the chain's end.
  run(changes, { seen, pack = packPlain } = {}) {
    const { head, seq: last } = changes.at(-1);
    const transcript = preimage.run({
      community: this.community,
      device_key: this.key,
      last,
      head,
      seen,
    });
    return {
      first: changes[0].seq,
      packs: [pack(encode.changes(changes.map(({ envelope, fields }) => ({ envelope, fields }))))],
      salts: join(...changes.map((change) => change.salt)),
      signature: sign(this.seed, transcript),
      seen,
    };
  }
}

// Names an edit; `by` is who writes the dot.
export function dot(by, change, index = 0) {
  const own = by.handle.equals(change.device);
  return { device: own ? zeros(0) : change.device, seq: change.seq, index, tag: change.tag };
}
