// The hub that run.sh started, its administrator, and a device of the C client.
import { execFile } from "node:child_process";
import crypto from "node:crypto";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import tls from "node:tls";
import { promisify } from "node:util";

import { sha256 } from "../golden/protocol.mjs";

const run = promisify(execFile);

function setting(name) {
  const value = process.env[`FOLKMOOT_INTEROP_${name}`];
  if (!value) throw new Error(`FOLKMOOT_INTEROP_${name} is not set: start this by run.sh`);
  return value;
}

export const folder = setting("DIR");
export const communityName = setting("COMMUNITY");
export const host = "127.0.0.1";
export const port = Number(setting("PORT"));
export const url = `https://${host}:${port}`;

async function json(program, args) {
  const { stdout } = await run(program, args, { timeout: 20_000 });
  return JSON.parse(stdout);
}

export const control = (...args) => json(setting("CTL"), ["--socket", setting("SOCKET"), "--json", ...args]);

// A join link, and what section 7 of docs/protocol.md says is in it.
export async function invite(role = "volunteer") {
  const { link } = await control("invite", communityName, "--role", role);
  const query = new URL(link).searchParams;
  const bytes = (name) => Buffer.from(query.get(name), "base64url");
  return { link, community: bytes("community"), hub: bytes("hub"), code: bytes("code") };
}

// The installation of a volunteer with a laptop: the folkmoot command and a store of its own.
export class Laptop {
  constructor(name) {
    this.store = path.join(folder, name);
    fs.mkdirSync(this.store);
  }

  async plain(...args) {
    const { stdout } = await run(setting("COMMAND"), ["--store", this.store, ...args], { timeout: 20_000 });
    return stdout;
  }

  async do(...args) {
    return JSON.parse(await this.plain("--json", ...args));
  }
}

// SHA-256 of a certificate's SubjectPublicKeyInfo.
export function tlsKeyOf(certificate) {
  const { publicKey } = new crypto.X509Certificate(certificate);
  return sha256(publicKey.export({ type: "spki", format: "der" }));
}

// The certificate that the hub shows, for clients to pin.
export async function peerCertificate() {
  const socket = tls.connect({ host, port, ALPNProtocols: ["h2"], rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const { raw } = socket.getPeerCertificate();
  const { alpnProtocol } = socket;
  const protocol = socket.getProtocol();
  socket.destroy();
  return { raw, pem: new crypto.X509Certificate(raw).toString(), alpnProtocol, protocol };
}
