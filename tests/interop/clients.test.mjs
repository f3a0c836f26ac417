// What each client does with the hub, and with a device of the C library that syncs with it too.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { after, before, describe, test } from "node:test";
import zlib from "node:zlib";

import * as p from "../golden/protocol.mjs";
import { ConnectNode } from "./connect_client.mjs";
import { Device, kinds, number, put, ref, role, standing, subject, words } from "./device.mjs";
import { GrpcJs } from "./grpc_client.mjs";
import { communityName, invite, Laptop, peerCertificate, tlsKeyOf } from "./hub.mjs";
import { Letter } from "./letter.mjs";

const certificate = await peerCertificate();
const random = (n) => crypto.randomBytes(n);
const bytes = (value) => Buffer.from(value);

async function codeOf(promise) {
  const outcome = await promise.then(() => "ok", (error) => error.code ?? error);
  return outcome;
}

function cases(Client) {
  let client, device, laptop;

  before(async () => {
    client = new Client(certificate);
    device = await Device.join(client);
    laptop = new Laptop(Client.name);
    await laptop.do("join", (await invite("coordinator")).link);
  });

  after(() => client.close());

  test("Info proves that the connection ends at the hub of the link", async () => {
    const info = await device.info();
    assert.deepEqual(client.tlsKey, tlsKeyOf(certificate.raw));
    assert.ok(info.versionMin <= 1 && info.versionMax >= 1);
    assert.equal(info.requestMax, 1 << 20);
    assert.equal(info.packings & 2, 2, "plain");
    assert.ok(info.challengeExpires > info.clock);
    assert.ok(Math.abs(Number(info.clock) - Date.now()) < 60_000);
    assert.match(info.software, /folkmoot/);
    const again = await client.call("InfoService", "Info");
    const transcript = p.preimage.tls({ tls_key: client.tlsKey });
    assert.ok(p.verify(bytes(again.hubKey), transcript, bytes(again.tlsSignature)), "without a nonce");
  });

  test("Enrol admits a device, may be repeated, and Login voids its other tokens", async () => {
    const fresh = new Device(client, await invite());
    const first = await fresh.enrol();
    assert.equal(first.role, role.volunteer);
    assert.equal(first.communityName, communityName);
    const { token } = fresh;
    await fresh.enrol();
    await fresh.login();
    assert.equal(await codeOf(fresh.me()), "ok");
    fresh.token = token;
    assert.equal(await codeOf(fresh.me()), "unauthenticated");
  });

  test("Enrol refuses what is not as it should be", async () => {
    const fresh = new Device(client, await invite());
    assert.equal(await codeOf(fresh.enrol({ signature: random(64) })), "invalid_argument");
    assert.equal(await codeOf(fresh.enrol({ signature: random(63) })), "invalid_argument");
    assert.equal(await codeOf(fresh.enrol({ expires: 1n })), "failed_precondition");
    assert.notEqual(await codeOf(fresh.login()), "ok", "not enrolled");
    const other = new Device(client, device.invitation);
    assert.equal(await codeOf(other.enrol()), "permission_denied", "the invitation was used");
    other.invitation = { ...fresh.invitation, code: random(16) };
    assert.equal(await codeOf(other.enrol()), "permission_denied", "there is no such invitation");
    assert.equal(await codeOf(fresh.enrol()), "ok", "the invitation is still good");
  });

  test("Me tells who the caller is", async () => {
    const me = await device.me();
    assert.deepEqual(bytes(me.device), device.author.handle);
    assert.deepEqual(bytes(me.community), device.invitation.community);
    assert.equal(me.role, role.volunteer);
    assert.equal(me.seq, device.pushed);
    assert.equal(me.log.log.length, 12);
    assert.ok(me.log.size > 0n);
  });

  test("a plain run is taken, is durable, and changes nothing when it is repeated", async () => {
    const fields = Buffer.concat([words("The tap is dry."), put.uint(number.urgency, 3)]);
    const need = device.write({ kind: kinds.need }, fields);
    device.write({ kind: kinds.remark }, Buffer.concat([ref(need.record), words("Since May.")]));
    const { log: seen } = await device.me();
    await device.push({ seen: { ...seen, log: bytes(seen.log), root: bytes(seen.root) } });
    const before = await device.me();
    assert.equal(before.seq, device.author.seq);
    assert.deepEqual(bytes(before.head), device.author.head);
    device.pushed -= 1;
    await device.push();
    device.pushed = 0;
    const receipt = await device.push();
    assert.equal(receipt.setApart.length, 0);
    assert.equal((await device.me()).log.size, before.log.size, "the log did not grow");
  });

  test("a zstd run of stored blocks is taken", async () => {
    const need = device.write({ kind: kinds.need }, words("Light on the path. ".repeat(400)));
    await device.push({ pack: p.packZstd });
    const view = await device.get(need.record);
    assert.deepEqual(bytes(view.record), need.fields);
  });

  const skip = zlib.zstdCompressSync ? false : `Node ${process.versions.node} has no zstd (22.15 has)`;
  test("a zstd run that was compressed is taken", { skip }, async () => {
    const need = device.write({ kind: kinds.need }, words("A bench by the bus stop. ".repeat(400)));
    const pack = (plain) => ({ packing: 2, size: plain.length, data: zlib.zstdCompressSync(plain) });
    await device.push({ pack });
    assert.deepEqual(bytes((await device.get(need.record)).record), need.fields);
  });

  test("a letter that another device delivers is its author's Sync, and is answered to them alone", async () => {
    const author = await Device.join(client);
    const need = author.write({ kind: kinds.need }, words("A gate that closes."));
    const request = { version: 1, push: [author.author.run(author.changes)], packings: 2, answerMax: 65536 };
    const letter = new Letter(author.author, author.invitation.hub, client.encode("SyncRequest", request));
    const deliver = (message) => device.call("CarryService", "Deliver", { letter: message });
    const answer = client.decode("LetterAnswer", letter.read((await deliver(letter.message)).letter));
    assert.deepEqual(bytes(answer.memo), letter.memo);
    const response = client.decode("SyncResponse", answer.response);
    assert.equal(response.receipts[0].seq, 1);
    assert.deepEqual(bytes(response.receipts[0].head), author.author.head.subarray(0, 16));
    assert.equal(response.token.length, 0);
    author.take(response);
    assert.ok(author.entries.length > 0);
    assert.deepEqual(bytes((await device.get(need.record)).record), need.fields);
    // Once more it changes nothing; altered, or by a stranger, it is nothing.
    const again = client.decode("LetterAnswer", letter.read((await deliver(letter.message)).letter));
    assert.equal(client.decode("SyncResponse", again.response).receipts.length, 1);
    const sealed = bytes(letter.message.sealed);
    sealed[7] ^= 1;
    assert.equal(await codeOf(deliver({ ...letter.message, sealed })), "invalid_argument");
    assert.equal(await codeOf(deliver({ ...letter.message, nonce: random(16) })), "invalid_argument");
    const stranger = new Device(client, await invite());
    const theirs = new Letter(stranger.author, author.invitation.hub, client.encode("SyncRequest", request));
    assert.equal(await codeOf(deliver(theirs.message)), "not_found");
    const posing = Object.assign(Object.create(stranger.author), { handle: author.author.handle });
    const posed = new Letter(posing, author.invitation.hub, client.encode("SyncRequest", request));
    assert.equal(await codeOf(deliver(posed.message)), "unauthenticated");
  });

  test("the picture counts a need, and its record tells what was said", async () => {
    const fields = put.text(8, "A lamp");
    const need = device.write({ kind: kinds.need }, fields);
    await device.push();
    const { token } = device;
    const picture = await client.call("PictureService", "Picture", {}, { token });
    assert.ok(picture.total.unanswered > 0);
    const request = { kind: kinds.need, id: need.record.id };
    const { record, history } = await client.call("PictureService", "Record", request, { token });
    assert.deepEqual(bytes(record.record), fields);
    assert.equal(history.length, 1);
    assert.deepEqual(bytes(history[0].device), device.author.handle);
    assert.deepEqual(bytes(history[0].edits[0].edit), fields);
    assert.equal(history[0].edits[0].live, true);
  });

  test("Watch tells what changes while one listens, and goes on from a cursor", { timeout: 30_000 }, async () => {
    const { token } = device;
    const ending = new AbortController();
    const answers = client.listen("PictureService", "Watch", {}, { token, signal: ending.signal });
    const first = (await answers.next()).value;
    assert.equal(first.changed.length, 0);
    assert.equal(first.more, false);
    const need = device.write({ kind: kinds.need }, words("Water."));
    await device.push();
    const second = (await answers.next()).value;
    assert.deepEqual(second.changed.map(({ id }) => bytes(id)), [need.record.id]);
    assert.ok(BigInt(second.log.size) > BigInt(first.log.size));
    ending.abort();
    assert.notEqual(await codeOf(answers.next()), "ok", "it was ended");
    const again = new AbortController();
    const later = client.listen("PictureService", "Watch", { cursor: first.cursor }, { token, signal: again.signal });
    assert.deepEqual((await later.next()).value.changed.map(({ id }) => bytes(id)), [need.record.id]);
    again.abort();
    await codeOf(later.next());
  });

  test("Export streams what List gives, and goes on from a cursor", async () => {
    const { token } = device;
    const { signal } = new AbortController();
    const all = [];
    let cursor;
    for await (const page of client.listen("RecordService", "Export", { kind: kinds.need }, { token, signal })) {
      all.push(...page.records.map(({ id }) => bytes(id).toString("hex")));
      cursor = page.cursor;
    }
    const { records } = await device.list({ kind: kinds.need, pageSize: 200 });
    assert.deepEqual(all, records.map(({ id }) => bytes(id).toString("hex")));
    assert.ok(all.length > 0);
    const rest = [];
    for await (const page of client.listen("RecordService", "Export", { cursor }, { token, signal })) {
      rest.push(...page.records);
    }
    assert.ok(rest.every(({ kind }) => kind !== kinds.need), "needs were given");
  });

  test("Watch is refused without a token, and for a cursor that is none", async () => {
    const { signal } = new AbortController();
    const none = client.listen("PictureService", "Watch", {}, { signal });
    assert.equal(await codeOf(none.next()), "unauthenticated");
    const wrong = client.listen("PictureService", "Watch", { cursor: random(5) }, { token: device.token, signal });
    assert.equal(await codeOf(wrong.next()), "invalid_argument");
  });

  test("what the C device wrote is pulled, merged alike and read", async () => {
    const said = `Wasser für alle — ${Client.name}`;
    const fields = ["--words", said, "--category", "water", "--urgency", "high"];
    await laptop.do("add", "need", "--title", "Water", ...fields);
    const [{ id }] = await laptop.do("list", "need").then(recordsOf);
    await laptop.do("edit", id, "--title", "Water for all");
    await laptop.do("sync");
    await device.pull({ ownToo: true });
    const record = { kind: kinds.need, id: Buffer.from(id, "hex") };
    const view = await device.get(record);
    assert.deepEqual(device.merged(record), bytes(view.record), "the hub merges as we do");
    const need = client.decode("Need", view.record);
    assert.equal(need.words, said);
    assert.equal(need.title, "Water for all");
    assert.deepEqual(need.category, ["water"]);
    assert.equal(need.urgency, 3);
  });

  test("the C device reads what this one wrote, and counts its voices", async () => {
    const need = device.write({ kind: kinds.need }, words("A crossing by the school."));
    for (const [person, value] of [[random(16), 1], [random(16), 1], [random(16), 2]]) {
      const parts = [subject(need.record), person];
      device.write({ kind: kinds.voice, parts }, put.uint(number.stance, value));
    }
    await device.push();
    await laptop.do("sync");
    const shown = await laptop.do("show", `need:${p.hex(need.record.id)}`);
    assert.match(JSON.stringify(shown), /A crossing by the school\./);
    assert.deepEqual(shown.tally, { for: 2, against: 1, unsure: 0 });
    const { tally } = await device.get(need.record);
    assert.deepEqual([tally.for, tally.against, tally.unsure], [2, 1, 0]);
  });

  test("a thin client copies `over`, and the C device sees the new value alone", async () => {
    const fields = Buffer.concat([words("Old words"), put.text(number.title, "Kept")]);
    const need = device.write({ kind: kinds.need }, fields);
    await device.push();
    device.writeOver(await device.get(need.record), words("New words"), number.words);
    await device.push();
    const view = await device.get(need.record);
    const read = client.decode("Need", view.record);
    assert.deepEqual([read.words, read.title], ["New words", "Kept"]);
    assert.deepEqual(view.fields.map(({ edits }) => edits.length), [1, 1]);
    await laptop.do("sync");
    const shown = await laptop.do("show", `need:${p.hex(need.record.id)}`);
    assert.deepEqual(valuesOf(shown, "words"), ["New words"]);
  });

  test("two who did not see each other leave a tension, which who saw both resolves", async () => {
    const need = device.write({ kind: kinds.need }, words("Where?"));
    await device.push();
    await laptop.do("sync");
    const before = await device.get(need.record);
    const name = `need:${p.hex(need.record.id)}`;
    await laptop.do("edit", name, "--words", "At the mill");
    device.writeOver(before, words("At the bridge"), number.words);
    await device.push();
    await laptop.do("sync");
    const view = await device.get(need.record);
    const [field] = view.fields.filter((one) => one.field === number.words);
    assert.equal(field.tension, true);
    assert.equal(field.edits.length, 2);
    const both = valuesOf(await laptop.do("show", name), "words");
    assert.deepEqual(both.sort(), ["At the bridge", "At the mill"]);
    device.writeOver(view, words("At both"), number.words);
    await device.push();
    const settled = await device.get(need.record);
    assert.ok(settled.fields.every((one) => !one.tension));
    await laptop.do("sync");
    assert.deepEqual(valuesOf(await laptop.do("show", name), "words"), ["At both"]);
  });

  test("List goes by pages, and by what a record is about", async () => {
    const need = device.write({ kind: kinds.need }, words("Listed"));
    const remarks = ["one", "two", "three"].map((text) =>
      device.write({ kind: kinds.remark }, Buffer.concat([ref(need.record), words(text)])),
    );
    await device.push();
    const found = [];
    for (let page = Buffer.alloc(0), pages = 0; ; pages++) {
      assert.ok(pages < 4);
      const answer = await device.list({ kind: kinds.remark, pageSize: 2, page, about: need.record });
      found.push(...answer.records.map(({ id }) => p.hex(id)));
      page = bytes(answer.nextPage);
      if (!page.length) break;
    }
    assert.deepEqual(found, remarks.map(({ record }) => p.hex(record.id)).sort());
  });

  test("a cursor goes on where it stood, a lost one by vector", async () => {
    await device.pull({ ownToo: true });
    const still = await device.sync({ cursor: device.cursor, packings: 2 });
    assert.equal(still.pieces.length, 0);
    assert.ok(!still.more && !still.head && !still.headSignature.length, "nothing is new");
    const elsewhere = { ...device.cursor, root: random(16) };
    const lost = await device.sync({ cursor: elsewhere });
    assert.ok(lost.cursorLost);
    assert.equal(lost.pieces.length, 0);
    const known = new Map();
    for (const { device: one, seq } of device.entries) {
      known.set(p.hex(one), Math.max(known.get(p.hex(one)) ?? 0, seq));
    }
    const vector = [...known].map(([one, seq]) => ({ device: p.unhex(one), seq }));
    await laptop.do("add", "need", "--words", "New since");
    await laptop.do("sync");
    const heard = device.entries.length;
    const answer = await device.sync({ vector, packings: 2, ownToo: true });
    assert.equal(answer.head.size, device.cursor.position + 1n);
    assert.equal(answer.headSignature.length, 64);
    device.take(answer);
    assert.ok(!answer.more);
    assert.equal(device.entries.length, heard + 1, "only what the vector did not name");
  });

  test("a small answer_max gives the same in several answers", async () => {
    for (let i = 0; i < 12; i++) device.write({ kind: kinds.need }, words(`${i} `.repeat(500)));
    await device.push();
    const other = await Device.join(client);
    const requests = await other.pull({ answerMax: 4096 });
    assert.ok(requests > 2, `${requests} requests`);
    const whole = await Device.join(client);
    await whole.pull();
    const named = (one) => one.entries.map((entry) => `${p.hex(entry.device)} ${entry.seq}`);
    assert.deepEqual(named(other), named(whole).slice(0, other.entries.length));
  });

  test("personal changes go to coordinators and their author alone", async () => {
    const about = { kind: kinds.contact, class: 1 };
    const contact = device.write(about, put.text(11, "Rosa"));
    await device.push();
    const volunteer = await Device.join(client);
    const coordinator = await Device.join(client, "coordinator");
    assert.equal(await codeOf(volunteer.get(contact.record)), "not_found");
    assert.deepEqual(bytes((await coordinator.get(contact.record)).record), contact.fields);
    assert.deepEqual(bytes((await device.get(contact.record)).record), contact.fields);
    await volunteer.pull();
    await coordinator.pull();
    const has = (one) => one.entries.some(({ record }) => record.id.equals(contact.record.id));
    assert.deepEqual([has(volunteer), has(coordinator)], [false, true]);
  });

  test("a change of a wrong form for its kind is durable and set apart", async () => {
    device.write({ kind: kinds.need }, put.bytes(number.words, p.unhex("c080")));
    const { setApart } = await device.push();
    const told = setApart.map(({ seq, reason }) => [seq, reason]);
    assert.deepEqual(told, [[device.author.seq, 1]], "REASON_MALFORMED_FIELD");
  });

  test("kinds and fields of later are kept and given back", async () => {
    const fields = Buffer.concat([put.uint(900, 0), put.text(1, "later")]);
    const change = device.write({ kind: 54321 }, fields);
    await device.push();
    const view = await device.get(change.record);
    assert.deepEqual(bytes(view.record), Buffer.concat([put.text(1, "later"), put.uint(900, 0)]));
  });

  test("a wrong signature is refused and nothing of the request is taken", async () => {
    const fresh = await Device.join(client);
    fresh.write({ kind: kinds.need }, words("x"));
    const run = fresh.author.run(fresh.changes);
    const signature = Buffer.from(run.signature);
    signature[5] ^= 1;
    const wrong = { ...run, signature };
    assert.equal(await codeOf(fresh.sync({ push: [wrong] })), "invalid_argument");
    assert.equal(await codeOf(fresh.sync({ push: [run, wrong] })), "invalid_argument");
    assert.equal(await codeOf(fresh.sync({ push: [{ ...run, salts: random(16) }] })), "invalid_argument");
    assert.equal((await fresh.me()).seq, 0);
    await fresh.push();
    assert.equal((await fresh.me()).seq, 1);
  });

  test("a gap and a fork get their standings", async () => {
    const fresh = await Device.join(client);
    for (const text of ["one", "two", "three"]) fresh.write({ kind: kinds.need }, words(text));
    const late = await fresh.sync({ push: [fresh.author.run(fresh.changes.slice(2))] });
    assert.equal(late.receipts[0].standing, standing.gap);
    assert.equal(late.receipts[0].seq, 0);
    assert.notEqual(late.receipts[0].message, "");
    await fresh.push();
    const copy = await clone(fresh);
    copy.write({ kind: kinds.need }, words("another one"));
    const forked = await copy.sync({ push: [copy.author.run(copy.changes)] });
    assert.equal(forked.receipts[0].standing, standing.fork);
    assert.equal((await copy.me()).seq, 3, "the first branch stands");
  });

  test("own tells the hub's idea of a chain that is not the device's", async () => {
    const own = { seq: device.author.seq + 5, head: random(16) };
    const behind = await device.sync({ own, answerMax: 0 });
    assert.equal(behind.receipts[0].seq, device.author.seq, "the hub lacks changes");
    const branch = { seq: device.author.seq, head: random(16) };
    const other = await device.sync({ own: branch, answerMax: 0 });
    assert.equal(other.receipts[0].standing, standing.fork);
    const known = { seq: device.author.seq, head: device.author.head.subarray(0, 16) };
    const same = await device.sync({ own: known, answerMax: 0 });
    assert.equal(same.receipts.length, 0);
  });

  test("a void or missing token is unauthenticated", async () => {
    for (const token of [undefined, random(32), random(31)]) {
      assert.equal(await codeOf(client.call("RecordService", "Me", {}, { token })), "unauthenticated");
      assert.equal(await codeOf(client.call("SyncService", "Sync", { version: 1 }, { token })), "unauthenticated");
    }
  });

  test("other errors have their codes", async () => {
    assert.equal(await codeOf(device.sync({ version: 2 })), "failed_precondition");
    assert.equal(await codeOf(device.get({ kind: kinds.need, id: random(16) })), "not_found");
    assert.equal(await codeOf(device.get({ kind: 0, id: random(16) })), "invalid_argument");
    assert.equal(await codeOf(device.get({ kind: kinds.need, id: random(15) })), "invalid_argument");
    const large = Array.from({ length: 9 }, () => ({ packs: [p.packPlain(Buffer.alloc(130_000))] }));
    assert.equal(await codeOf(device.sync({ push: large })), "resource_exhausted");
    assert.equal(await codeOf(device.me()), "ok", "and the next call is answered");
  });

  test("an unknown method is told as such", async () => {
    assert.equal(await client.callUnknown(), Client === GrpcJs ? "unimplemented" : "not_found");
  });

  if (Client !== ConnectNode) return;

  test("Connect's GET is served where a call has no side effects", async () => {
    const need = device.write({ kind: kinds.need }, words("By GET"));
    await device.push();
    client.methods.length = 0;
    assert.equal((await device.me({ get: true })).seq, device.author.seq);
    assert.deepEqual(bytes((await device.get(need.record, { get: true })).record), need.fields);
    const { records } = await device.list({ kind: kinds.need, pageSize: 200 }, { get: true });
    assert.ok(records.some(({ id }) => need.record.id.equals(bytes(id))));
    assert.deepEqual(client.methods, ["GET", "GET", "GET"]);
  });
}

// Another installation with the same key, as a restored backup would be.
async function clone({ client, invitation, author }) {
  const copy = new Device(client, invitation);
  copy.author = new p.Author(invitation.community, author.seed, () => random(16));
  await copy.login();
  return copy;
}

const recordsOf = (document) => (Array.isArray(document) ? document : document.records);

function valuesOf(shown, name) {
  const { fields } = shown.record ?? shown;
  return fields.find((field) => field.name === name).values.map(({ text }) => text);
}

test("the hub speaks HTTP/2 over TLS 1.3", () => {
  assert.equal(certificate.alpnProtocol, "h2");
  assert.equal(certificate.protocol, "TLSv1.3");
});

describe("connect-node over HTTP/2", () => cases(ConnectNode));
describe("grpc-js", () => cases(GrpcJs));
