// A device as somebody would write it from docs/protocol.md: it joins, writes, pushes and pulls, with
// whichever client it is given.
import assert from "node:assert/strict";
import crypto from "node:crypto";

import * as merge from "../golden/merge.mjs";
import * as p from "../golden/protocol.mjs";
import { invite } from "./hub.mjs";

export const kinds = { need: 1, voice: 2, constraint: 3, remark: 7, contact: 10, sameAs: 11 };
export const number = { about: 1, audience: 3, words: 7, title: 8, category: 11, stance: 11, urgency: 14 };
export const standing = { unspecified: 0, gap: 1, fork: 2 };
export const role = { volunteer: 2, coordinator: 3 };

const withHandle = (dot) => ({ ...dot, device: Buffer.from(dot.device) });

export class Device {
  constructor(client, invitation) {
    this.client = client;
    this.invitation = invitation;
    this.author = new p.Author(invitation.community, crypto.randomBytes(32), () => crypto.randomBytes(16));
    this.entries = []; // pulled, as changes for the merge
    this.pushed = 0; // seq up to which the hub has given a receipt
    this.changes = [];
  }

  // Joins as section 7 says; `as` gives the role.
  static async join(client, as = "volunteer") {
    const device = new Device(client, await invite(as));
    await device.enrol();
    return device;
  }

  // Steps 1 and 2: nothing is said before the hub has proved who it is.
  async info() {
    const nonce = crypto.randomBytes(16);
    const info = await this.client.call("InfoService", "Info", { nonce });
    const hubKey = Buffer.from(info.hubKey);
    const tls_key = Buffer.from(info.tlsKey);
    assert.deepEqual(hubKey, this.invitation.hub, "the hub of the join link");
    assert.deepEqual(tls_key, this.client.tlsKey, "this connection's key");
    assert.ok(p.verify(hubKey, p.preimage.tls({ nonce, tls_key }), Buffer.from(info.tlsSignature)));
    return info;
  }

  transcript(info, purpose) {
    const { code, hub: hub_key, community } = this.invitation;
    return p.preimage.enrol({
      purpose,
      hub_key,
      community,
      device_key: this.author.key,
      invitation_hash: purpose === 1 ? p.digest("invitation", { code }) : undefined,
      challenge: Buffer.from(info.challenge),
      expires: info.challengeExpires,
    });
  }

  async admitted(method, purpose, changed = {}) {
    const info = await this.info();
    const message = {
      community: this.invitation.community,
      deviceKey: this.author.key,
      challenge: info.challenge,
      signature: p.sign(this.author.seed, this.transcript(info, purpose)),
      ...(purpose === 1 ? { invitation: this.invitation.code } : {}),
      ...changed,
    };
    message.expires = changed.expires ?? info.challengeExpires;
    const answer = await this.client.call("EnrolService", method, message);
    this.token = Buffer.from(answer.token);
    return answer;
  }

  enrol = (changed) => this.admitted("Enrol", 1, changed);
  login = (changed) => this.admitted("Login", 2, changed);

  call(service, method, message, options) {
    return this.client.call(service, method, message, { token: this.token, ...options });
  }

  me = (options) => this.call("RecordService", "Me", {}, options);
  get = async (record, options) => (await this.call("RecordService", "Get", record, options)).record;
  list = (message, options) => this.call("RecordService", "List", message, options);
  sync = (message) => this.call("SyncService", "Sync", { version: 1, ...message });

  write(about, fields) {
    this.changes.push(this.author.write({ time: Date.now(), ...about }, fields));
    return this.changes.at(-1);
  }

  // A change that goes over all that a RecordService answer shows of these fields.
  writeOver(view, fields, ...numbers) {
    const shown = view.fields.filter(({ field }) => numbers.includes(field));
    const over = shown.flatMap((field) => field.over.map(withHandle));
    const id = Buffer.from(view.id);
    const which = view.parts.length ? { parts: view.parts.map((part) => Buffer.from(part)) } : { id };
    return this.write({ kind: view.kind, ...which, over }, fields);
  }

  // Pushes all that has no receipt yet, as one run; the receipt.
  async push(options = {}) {
    const run = this.author.run(this.changes.slice(this.pushed), options);
    const answer = await this.sync({ push: [run], answerMax: 0 });
    assert.equal(answer.receipts.length, 1);
    const [receipt] = answer.receipts;
    if (receipt.standing === standing.unspecified) {
      assert.equal(receipt.seq, this.author.seq);
      assert.deepEqual(Buffer.from(receipt.head), this.author.head.subarray(0, 16));
      this.pushed = receipt.seq;
    }
    return receipt;
  }

  // Takes in the pieces of an answer.
  take(answer) {
    for (const piece of answer.pieces) {
      if (piece.pack) {
        const { packing, size, data } = piece.pack;
        assert.equal(packing, 1, "packings: plain alone was offered");
        assert.equal(data.length, size);
        this.takeEntries(this.client.decode("Entries", data));
      }
      const log = answer.head?.log?.length ? answer.head.log : this.cursor?.log;
      const { position, root } = piece;
      this.cursor = { log: Buffer.from(log), position, root, view: answer.view };
    }
  }

  takeEntries({ devices, entries }) {
    for (const entry of entries) {
      const envelope = this.client.decode("Envelope", entry.envelope);
      const about = {
        kind: envelope.kind,
        id: envelope.id.length ? Buffer.from(envelope.id) : undefined,
        parts: envelope.parts.map((part) => Buffer.from(part)),
        time: envelope.time,
        class: envelope.class,
        over: envelope.over.map(withHandle),
      };
      const change = { device: Buffer.from(devices[entry.device]), seq: entry.seq, tag: entry.tag, about };
      change.fields = Buffer.from(entry.fields ?? []);
      change.record = p.recordOf(change);
      this.entries.push(change);
    }
  }

  // Until nothing waits; how many requests it took.
  async pull(message = {}) {
    for (let requests = 1; ; requests++) {
      const answer = await this.sync({ cursor: this.cursor, packings: 2, ...message });
      assert.ok(!answer.cursorLost);
      this.take(answer);
      if (!answer.more) return requests;
      assert.ok(requests < 500, "it ends");
    }
  }

  // The record as this device's own merge makes it of what was pulled.
  merged(record) {
    return merge.message(merge.liveEdits(this.entries, record));
  }
}

export const { put } = p;
export const words = (text) => put.text(number.words, text);
export const ref = ({ kind, id }) => put.bytes(number.about, Buffer.concat([put.uint(1, kind), put.bytes(2, id)]));
export const subject = ({ kind, id }) => Buffer.concat([p.u32(kind), Buffer.from(id)]);
