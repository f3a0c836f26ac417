// Letters as somebody would write them from docs/protocol.md: HPKE (RFC 9180) to the hub's identity
// key, and the answer as in RFC 9458, section 4.4, with what Node has.
import assert from "node:assert/strict";
import crypto from "node:crypto";

import * as p from "../golden/protocol.mjs";

const join = (...parts) => Buffer.concat(parts);
const label = (text) => Buffer.from(`${text}\0`);

// --- keys ---

const prime = (1n << 255n) - 19n;
const ofLittle = (bytes) => BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
const toLittle = (n) => Buffer.from(n.toString(16).padStart(64, "0"), "hex").reverse();

function power(base, exponent) {
  let result = 1n;
  for (; exponent > 0n; exponent >>= 1n, base = (base * base) % prime)
    if (exponent & 1n) result = (result * base) % prime;
  return result;
}

// The Montgomery form of an Ed25519 key.
export function montgomery(key) {
  const y = ofLittle(key) & ((1n << 255n) - 1n);
  const below = (((1n - y) % prime) + prime) % prime;
  return toLittle((((1n + y) % prime) * power(below, prime - 2n)) % prime);
}

const publicX25519 = (raw) =>
  crypto.createPublicKey({ key: join(Buffer.from("302a300506032b656e032100", "hex"), raw), format: "der", type: "spki" });
const rawOf = (key) => crypto.createPublicKey(key).export({ type: "spki", format: "der" }).subarray(-32);

// --- HPKE ---

const hmac = (key, data) => crypto.createHmac("sha256", key).update(data).digest();
const kem = join(Buffer.from("KEM"), Buffer.from([0, 0x20]));
const suite = join(Buffer.from("HPKE"), Buffer.from([0, 0x20, 0, 1, 0, 3]));
const version = Buffer.from("HPKE-v1");
const none = Buffer.alloc(0);
const extract = (salt, of, what, ikm) => hmac(salt, join(version, of, Buffer.from(what), ikm));
const expand = (prk, of, what, info, n) =>
  hmac(prk, join(Buffer.from([0, n]), version, of, Buffer.from(what), info, Buffer.from([1]))).subarray(0, n);

function begin(hubKey, info) {
  const { privateKey } = crypto.generateKeyPairSync("x25519");
  const enc = rawOf(privateKey);
  const recipient = montgomery(hubKey);
  const dh = crypto.diffieHellman({ privateKey, publicKey: publicX25519(recipient) });
  const eae = extract(none, kem, "eae_prk", dh);
  const shared = expand(eae, kem, "shared_secret", join(enc, recipient), 32);
  const context = join(
    Buffer.from([0]),
    extract(none, suite, "psk_id_hash", none),
    extract(none, suite, "info_hash", info),
  );
  const secret = extract(shared, suite, "secret", none);
  return {
    enc,
    key: expand(secret, suite, "key", context, 32),
    nonce: expand(secret, suite, "base_nonce", context, 12),
    exporter: expand(secret, suite, "exp", context, 32),
  };
}

function answering({ enc, exporter }, answerNonce) {
  const secret = expand(exporter, suite, "sec", Buffer.from("folkmoot letter answer v1"), 32);
  const prk = hmac(join(enc, answerNonce), secret);
  const of = (what, n) => hmac(prk, join(Buffer.from(what), Buffer.from([1]))).subarray(0, n);
  return { key: of("key", 32), nonce: of("nonce", 12) };
}

const cipher = "chacha20-poly1305";

function seal({ key, nonce }, aad, plain) {
  const sealing = crypto.createCipheriv(cipher, key, nonce, { authTagLength: 16 });
  sealing.setAAD(aad, { plaintextLength: plain.length });
  return join(sealing.update(plain), sealing.final(), sealing.getAuthTag());
}

function open({ key, nonce }, aad, sealed) {
  const opening = crypto.createDecipheriv(cipher, key, nonce, { authTagLength: 16 });
  opening.setAAD(aad, { plaintextLength: sealed.length - 16 });
  opening.setAuthTag(sealed.subarray(-16));
  return join(opening.update(sealed.subarray(0, -16)), opening.final());
}

// --- letters ---

const header = ({ community, key, nonce, answerNonce = none }) =>
  join(
    p.put.uint(1, 1),
    p.put.bytes(2, community),
    p.put.bytes(3, key),
    p.put.bytes(4, nonce),
    answerNonce.length ? p.put.bytes(5, answerNonce) : none,
  );

export class Letter {
  // author: whose key signs; hub: the identity key; request: an encoded SyncRequest.
  constructor(author, hub, request, memo = Buffer.from("mine")) {
    const { community } = author;
    this.hpke = begin(hub, join(label("folkmoot letter v1"), community));
    this.memo = memo;
    const nonce = crypto.randomBytes(16);
    const said = p.sha256(join(label("folkmoot letter content v1"), p.sized(request), p.sized(memo)));
    const transcript = join(label("folkmoot letter v1"), community, author.key, this.hpke.enc, nonce, said);
    const content = join(
      p.put.bytes(1, author.handle),
      p.put.bytes(2, request),
      p.put.bytes(3, p.sign(author.seed, transcript)),
      p.put.bytes(4, memo),
    );
    this.plain = { version: 1, community, key: this.hpke.enc, nonce };
    this.message = { ...this.plain, sealed: seal(this.hpke, header(this.plain), content) };
  }

  // What is in an answer: a LetterAnswer, encoded.
  read(answer) {
    const bytes = (name) => Buffer.from(answer[name]);
    for (const name of ["community", "key", "nonce"]) assert.deepEqual(bytes(name), this.plain[name]);
    const answerNonce = bytes("answerNonce");
    assert.equal(answerNonce.length, 32);
    return open(answering(this.hpke, answerNonce), header({ ...this.plain, answerNonce }), bytes("sealed"));
  }
}
