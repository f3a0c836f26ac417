// Bytes that must be taken, bytes that must be refused, and whole messages.
import { author, community, seeded, shown } from "./cases_digest.mjs";
import * as p from "./protocol.mjs";

const { put } = p;
const join = (...parts) => Buffer.concat(parts);
const id = seeded("record", 16);
const other = seeded("other", 12);
const kind = put.uint(1, 1);
const dot = (...parts) => put.bytes(6, join(...parts));
const dots = (n) => Array.from({ length: n }, (_, i) => ({ seq: i + 1, index: i % 256, tag: i }));

function validEnvelopes() {
  const { envelope } = p.encode;
  const all = [{ seq: 1, tag: 1 }, { device: other, seq: 4294967295, index: 255, tag: 4294967295 }];
  const parts = [p.zeros(1), p.zeros(64), seeded("part", 20), p.zeros(1)];
  const later = join(put.uint(7, 1), put.bytes(8, other), put.fixed64(9, 1), put.fixed32(536870911, 1));
  return [
    ["creates a record", envelope({ kind: 1 })],
    ["the greatest kind", envelope({ kind: 65535, time: 1 })],
    ["a record by its id", envelope({ kind: 1, id, time: 1700000000123 })],
    ["parts", envelope({ kind: 2, parts, time: 1 })],
    ["a negative time", envelope({ kind: 1, time: -1 })],
    ["the least time", envelope({ kind: 1, time: -(2n ** 63n) })],
    ["the greatest time", envelope({ kind: 1, time: 2n ** 63n - 1n })],
    ["class personal", envelope({ kind: 10, class: 1 })],
    ["a class of later", envelope({ kind: 10, class: 4294967295 })],
    ["dots of the author's own and of another", envelope({ kind: 1, id, over: all })],
    ["a dot with tag 0", envelope({ kind: 1, id, over: [{ seq: 1 }] })],
    ["256 dots", envelope({ kind: 1, id, over: dots(256) })],
    ["unknown fields", join(kind, later)],
    ["an unknown field twice", join(kind, put.uint(100, 1), put.uint(100, 1))],
    ["an unknown field in a dot", join(kind, dot(put.uint(2, 1), put.uint(5, 300)))],
  ];
}

function refusedEnvelopes() {
  const part = put.bytes(3, id);
  return [
    ["empty", p.zeros(0)],
    ["no kind", put.uint(4, 1)],
    ["kind 0 written out: a default", put.uint(1, 0)],
    ["kind over 65535", put.uint(1, 65536)],
    ["kind over 32 bits", put.uint(1, 2n ** 32n + 1n)],
    ["kind of another wire type", put.fixed32(1, 1)],
    ["kind twice", join(kind, kind)],
    ["fields that descend", join(put.uint(4, 1), kind)],
    ["a known field after an unknown one", join(kind, put.uint(7, 1), put.uint(4, 1))],
    ["unknown fields that descend", join(kind, put.uint(9, 1), put.uint(8, 1))],
    ["a tag that is not minimal", join(p.unhex("8800"), p.varint(1))],
    ["a value that is not minimal", p.unhex("088100")],
    ["a length that is not minimal", join(kind, p.unhex("129000"), id)],
    ["an unknown field that is not minimal", join(kind, p.unhex("388100")) ],
    ["an id of 15 bytes", join(kind, put.bytes(2, id.subarray(1)))],
    ["an id of 17 bytes", join(kind, put.bytes(2, join(id, p.u8(0))))],
    ["an empty id: a default", join(kind, put.bytes(2, p.zeros(0)))],
    ["id twice", join(kind, put.bytes(2, id), put.bytes(2, id))],
    ["both id and parts", join(kind, put.bytes(2, id), part)],
    ["an empty part", join(kind, put.bytes(3, p.zeros(0)))],
    ["a part of 65 bytes", join(kind, put.bytes(3, p.zeros(65)))],
    ["five parts", join(kind, part, part, part, part, part)],
    ["parts that do not stand together", join(kind, part, put.uint(4, 1), part)],
    ["time 0 written out: a default", join(kind, put.uint(4, 0))],
    ["a time of eleven bytes", join(kind, p.unhex("20ffffffffffffffffffff01"))],
    ["a time of over 64 bits", join(kind, p.unhex("20ffffffffffffffffff02"))],
    ["class 0 written out: a default", join(kind, put.uint(5, 0))],
    ["class over 32 bits", join(kind, put.uint(5, 2n ** 32n))],
    ["a dot without seq", join(kind, dot(put.uint(3, 1)))],
    ["a dot of nothing", join(kind, dot())],
    ["a dot with seq 0 written out", join(kind, dot(put.uint(2, 0)))],
    ["a dot with seq over 32 bits", join(kind, dot(put.uint(2, 2n ** 32n)))],
    ["a dot with index 0 written out", join(kind, dot(put.uint(2, 1), put.uint(3, 0)))],
    ["a dot with index 256", join(kind, dot(put.uint(2, 1), put.uint(3, 256)))],
    ["a dot with tag 0 written out", join(kind, dot(put.uint(2, 1), put.fixed32(4, 0)))],
    ["a dot whose tag is a varint", join(kind, dot(put.uint(2, 1), put.uint(4, 1)))],
    ["a dot whose device has 11 bytes", join(kind, dot(put.bytes(1, p.zeros(11)), put.uint(2, 1)))],
    ["a dot whose device is empty: a default", join(kind, dot(put.bytes(1, p.zeros(0)), put.uint(2, 1)))],
    ["a dot whose fields descend", join(kind, dot(put.uint(3, 1), put.uint(2, 1)))],
    ["a dot with a varint that is not minimal", join(kind, dot(p.unhex("108100")))],
    ["257 dots", p.encode.envelope({ kind: 1, id, over: dots(257) })],
    ["over 16 KiB", join(kind, put.bytes(7, p.zeros(16384)))],
    ["field number 0", join(kind, p.unhex("0001"))],
    ["a field number over 536870911", join(kind, p.tagOf(536870912, 0), p.u8(1))],
    ["a group", join(kind, p.unhex("3b3c"))],
    ["the end of a group", join(kind, p.unhex("3c"))],
    ["wire type 6", join(kind, p.unhex("3e00"))],
    ["wire type 7", join(kind, p.unhex("3f00"))],
    ["cut off in a tag", join(kind, p.unhex("a0"))],
    ["cut off in a varint", join(kind, p.unhex("2080"))],
    ["cut off in a string of bytes", join(kind, p.unhex("1210"), p.zeros(15))],
    ["cut off in a fixed field", join(kind, p.unhex("3d000000"))],
  ];
}

const repeat = (n, field) => join(...Array.from({ length: n }, () => field));

function validFields() {
  return [
    ["nothing", p.zeros(0), 0],
    ["each wire type", join(put.uint(1, 1), put.fixed64(2, 1), put.text(3, "a"), put.fixed32(4, 1)), 4],
    ["values that are defaults", join(put.uint(1, 0), put.text(2, ""), put.fixed32(3, 0)), 3],
    ["in any order, again and again", join(put.uint(9, 1), put.uint(1, 1), put.uint(9, 2)), 3],
    ["the greatest number", put.uint(536870911, 2n ** 64n - 1n), 1],
    ["bytes that are no message", put.bytes(1, p.unhex("ffffff")), 1],
    ["256 edits", repeat(256, put.uint(1, 1)), 256],
  ];
}

function refusedFields() {
  return [
    ["257 edits", repeat(257, put.uint(1, 1))],
    ["a tag that is not minimal", p.unhex("880001")],
    ["a value that is not minimal", p.unhex("08808000")],
    ["a length that is not minimal", p.unhex("0a8000")],
    ["field number 0", p.unhex("0001")],
    ["a field number over 536870911", join(p.tagOf(536870912, 0), p.u8(1))],
    ["a group", p.unhex("0b0c")],
    ["wire type 6", p.unhex("0e00")],
    ["a varint of eleven bytes", p.unhex("08ffffffffffffffffffff01")],
    ["a varint of over 64 bits", p.unhex("08ffffffffffffffffff02")],
    ["cut off in a tag", p.unhex("80")],
    ["cut off before its value", p.unhex("08")],
    ["cut off in a fixed32", p.unhex("0d010203")],
    ["cut off in a fixed64", p.unhex("0901020304050607")],
    ["a length beyond the end", p.unhex("0a0261")],
    ["a length near 2^64", p.unhex("0affffffffffffffffff0161")],
  ];
}

const named = ([name, bytes, edits]) => ({ name, bytes, edits });
const whyNot = ([why, bytes]) => ({ why, bytes });

export const envelopes = () => ({ valid: validEnvelopes().map(named), refused: refusedEnvelopes().map(whyNot) });
export const fields = () => ({ valid: validFields().map(named), refused: refusedFields().map(whyNot) });

const subject = (of, name) => join(p.u32(of), seeded(name, 16));
const reason = { malformed_field: 1, wrong_id: 2, not_permitted: 3, wrong_class: 4 };

// What a version that knows the kind asks beyond the form; reason 0: nothing is wrong.
export function apart() {
  const need = { kind: 1 };
  const voice = { kind: 2, parts: [subject(1, "need"), seeded("person", 16)] };
  const pair = [subject(1, "one"), subject(1, "two")].sort(Buffer.compare);
  const ref = join(put.uint(1, 1), put.bytes(2, id));
  const cases = [
    ["a need", need, put.text(7, "Wasser — ماء — 水"), 0],
    ["fields of later", need, join(put.uint(500, 1), put.text(501, "\0")), 0],
    ["an enum value of later", need, put.uint(14, 77), 0],
    ["words of 16 KiB", need, put.bytes(7, Buffer.alloc(16384, 0x61)), 0],
    ["a negative keep_until", need, put.uint(6, -1), 0],
    ["a ref", need, put.bytes(1, ref), 0],
    ["a voice", voice, put.uint(11, 1), 0],
    ["a SameAs", { kind: 11, parts: pair }, put.uint(11, 1), 0],
    ["a kind of later takes anything", { kind: 60000, class: 9, parts: [p.u8(1)] }, put.text(7, "\0"), 0],
    ["a person", { kind: 9, class: 1, id }, put.text(12, "25-34"), 0],
    ["words over 16 KiB", need, put.bytes(7, Buffer.alloc(16385, 0x61)), reason.malformed_field],
    ["words that are not UTF-8", need, put.bytes(7, p.unhex("c080")), reason.malformed_field],
    ["words with a surrogate", need, put.bytes(7, p.unhex("eda080")), reason.malformed_field],
    ["words with NUL", need, put.text(7, "a\0b"), reason.malformed_field],
    ["words of another wire type", need, put.uint(7, 1), reason.malformed_field],
    ["a speaker of 15 bytes", need, put.bytes(2, id.subarray(1)), reason.malformed_field],
    ["a negative amount", { kind: 5 }, put.uint(12, -1), reason.malformed_field],
    ["a day of over 32 bits", { kind: 6 }, put.uint(12, 2n ** 32n), reason.malformed_field],
    ["a bool of 2", { kind: 11, parts: pair }, put.uint(11, 2), reason.malformed_field],
    ["a ref that is cut", need, put.bytes(1, ref.subarray(0, 10)), reason.malformed_field],
    ["a voice without parts", { kind: 2 }, put.uint(11, 1), reason.wrong_id],
    ["a voice by an id", { kind: 2, id }, put.uint(11, 1), reason.wrong_id],
    ["a voice with one part", { kind: 2, parts: voice.parts.slice(1) }, put.uint(11, 1), reason.wrong_id],
    ["a voice on kind 0", { kind: 2, parts: [subject(0, "need"), id] }, put.uint(11, 1), reason.wrong_id],
    ["a voice whose person is short", { kind: 2, parts: [voice.parts[0], p.zeros(15)] }, put.uint(11, 1), reason.wrong_id],
    ["a SameAs with the greater first", { kind: 11, parts: [pair[1], pair[0]] }, put.uint(11, 1), reason.wrong_id],
    ["a SameAs of one with itself", { kind: 11, parts: [pair[0], pair[0]] }, put.uint(11, 1), reason.wrong_id],
    ["a SameAs of two kinds", { kind: 11, parts: [subject(1, "one"), subject(3, "two")] }, put.uint(11, 1), reason.wrong_id],
    ["a need with parts", { kind: 1, parts: [p.u8(1)] }, put.text(7, "a"), reason.wrong_id],
    ["a need of class personal", { kind: 1, class: 1 }, put.text(7, "a"), reason.wrong_class],
    ["a contact that is ordinary", { kind: 10 }, put.text(11, "a"), reason.wrong_class],
    ["a person of a class of later", { kind: 9, class: 2, id }, put.text(12, "a"), reason.wrong_class],
    ["a decision by a device", { kind: 13 }, put.text(7, "a"), reason.not_permitted],
  ];
  return cases.map(([name, about, bytes, why]) => {
    return { name, envelope: p.encode.envelope(about), fields: bytes, reason: why };
  });
}

export function packs() {
  const bytes = Buffer.from("One tap for nine hundred people. ".repeat(12));
  const good = (pack) => ({ pack: p.encode.pack(pack), unpacked: bytes });
  const bad = (why, pack) => ({ why, pack: p.encode.pack(pack) });
  const zstd = p.packZstd(bytes);
  const plain = p.packPlain(bytes);
  const trailing = join(zstd.data, p.u8(0));
  return {
    valid: [good(plain), good(zstd)],
    refused: [
      bad("plain, and says another size", { ...plain, size: bytes.length - 1 }),
      bad("no packing", { ...plain, packing: 0 }),
      bad("a packing of later", { ...plain, packing: 4 }),
      bad("zstd, and the frame says another size", { ...zstd, size: bytes.length + 1 }),
      bad("bytes after the frame", { ...zstd, data: trailing }),
      bad("two frames", { ...zstd, data: join(zstd.data, zstd.data) }),
      bad("a frame that is cut", { ...zstd, data: zstd.data.subarray(0, -1) }),
      bad("no frame", { ...zstd, data: bytes }),
      bad("over 1 MiB", { packing: 2, size: (1 << 20) + 1, data: zstd.data }),
    ],
  };
}

// Whole messages: their bytes, and what stands in them.
export function messages() {
  const device = author("chain");
  const words = "Children walk an hour for water.";
  const changes = [
    device.write({ kind: 1, time: 1700000000000 }, join(put.text(7, words), put.uint(14, 3))),
    device.write({ kind: 7, time: 1700000000001 }, put.text(7, "The old well has a lid.")),
  ];
  const seen = { log: seeded("log", 12), size: 7, root: seeded("root") };
  const refused = { leaf: device.write({ kind: 1 }, put.text(7, "x")).leaf };
  const first = device.run(changes.slice(0, 1));
  const both = device.run(changes, { seen, pack: p.packZstd });
  const cursor = { log: seen.log, position: 7, root: seen.root.subarray(0, 16), view: 3 };
  const own = { seq: 2, head: changes[1].head.subarray(0, 16) };
  const vector = [{ device: device.handle, seq: 2, head: own.head }, { device: other, seq: 1 }];
  const push = { version: 1, community, cursor, own, push: [both], answer_max: 0, packings: 6 };
  const pull = { version: 1, own, answer_max: 65536, packings: 2, vector, own_too: true };
  const whole = { envelope: changes[0].envelope, fields: changes[0].fields };
  const of = (message, value) => {
    const encoder = message[0].toLowerCase() + message.slice(1);
    return { message, bytes: p.encode[encoder](value), value };
  };
  return {
    device: { community, seed: device.seed, key: device.key, handle: device.handle },
    changes: changes.map(shown),
    entries: [
      of("Change", whole),
      of("Change", refused),
      { ...of("Run", first), last: 1, head: changes[0].head },
      { ...of("Run", both), last: 2, head: changes[1].head },
      of("SyncRequest", { version: 1 }),
      of("SyncRequest", push),
      of("SyncRequest", pull),
    ],
  };
}
