// `buf curl`, which knows nothing but the .proto files.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import * as p from "../golden/protocol.mjs";
import { ConnectNode } from "./connect_client.mjs";
import { Device, kinds, words } from "./device.mjs";
import { peerCertificate, url } from "./hub.mjs";

const run = promisify(execFile);
const buf = new URL("node_modules/.bin/buf", import.meta.url).pathname;
const schema = new URL("../../proto", import.meta.url).pathname;
let client, device, need;

async function curl(protocol, call, message, ...more) {
  const data = JSON.stringify(message);
  const args = ["curl", "--insecure", "--schema", schema, "--protocol", protocol, "--data", data];
  const { stdout } = await run(buf, [...args, ...more, `${url}/folkmoot.v1.${call}`], { timeout: 20_000 });
  return JSON.parse(stdout);
}

before(async () => {
  client = new ConnectNode(await peerCertificate());
  device = await Device.join(client);
  need = device.write({ kind: kinds.need }, words("Shade in the square"));
  await device.push();
});

after(() => client.close());

for (const protocol of ["connect", "grpc"]) {
  test(`buf curl, ${protocol}: Info is signed by the hub`, async () => {
    const nonce = Buffer.alloc(16, 7);
    const info = await curl(protocol, "InfoService/Info", { nonce: nonce.toString("base64") });
    const tls_key = Buffer.from(info.tlsKey, "base64");
    const signature = Buffer.from(info.tlsSignature, "base64");
    assert.ok(p.verify(device.invitation.hub, p.preimage.tls({ nonce, tls_key }), signature));
  });

  test(`buf curl, ${protocol}: List shows the records`, async () => {
    const header = `Authorization: Bearer ${device.token.toString("base64url")}`;
    const message = { kind: kinds.need, pageSize: 200 };
    const { records } = await curl(protocol, "RecordService/List", message, "--header", header);
    const found = records.find(({ id }) => Buffer.from(id, "base64").equals(need.record.id));
    assert.deepEqual(Buffer.from(found.record, "base64"), need.fields);
  });

  test(`buf curl, ${protocol}: List without a token is refused`, async () => {
    const refused = curl(protocol, "RecordService/List", { kind: kinds.need });
    await assert.rejects(refused, /unauthenticated/);
  });
}
