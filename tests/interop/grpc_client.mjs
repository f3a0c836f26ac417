// grpc-js with the .proto files read when it starts.
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

import { host, port, tlsKeyOf } from "./hub.mjs";

const root = new URL("../../proto", import.meta.url).pathname;
const files = ["carry", "enrol", "info", "picture", "record", "sync"];
const definition = loader.loadSync(
  files.map((name) => `folkmoot/v1/${name}_service.proto`),
  { includeDirs: [root], longs: String, defaults: true },
);
const { folkmoot } = grpc.loadPackageDefinition(definition);

// Numbers of 64 bits are text with this client.
const long = new Set(["clock", "challengeExpires", "expires", "position", "size", "time"]);

const mapped = (value, map) =>
  Object.fromEntries(Object.entries(value).map(([key, item]) => [key, map(item, key)]));

function toPlain(value) {
  if (typeof value === "bigint") return value.toString();
  if (Buffer.isBuffer(value) || value === null || typeof value !== "object") return value;
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (Array.isArray(value)) return value.map(toPlain);
  return mapped(value, toPlain);
}

function fromPlain(value, key) {
  if (long.has(key) && typeof value === "string") return BigInt(value);
  if (Buffer.isBuffer(value) || value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((item) => fromPlain(item));
  return mapped(value, fromPlain);
}

const codeName = (code) => grpc.status[code].toLowerCase();

export class GrpcJs {
  constructor(certificate) {
    const checkServerIdentity = (_, shown) => {
      this.tlsKey = tlsKeyOf(shown.raw);
    };
    const pinned = Buffer.from(certificate.pem);
    const credentials = grpc.credentials.createSsl(pinned, null, null, { checkServerIdentity });
    this.clients = {};
    const options = { "grpc.ssl_target_name_override": "hub.invalid" }; // an address is no name for SNI
    this.make = (Service) => new Service(`${host}:${port}`, credentials, options);
  }

  client(service) {
    this.clients[service] ??= this.make(folkmoot.v1[service]);
    return this.clients[service];
  }

  call(service, method, message = {}, { token } = {}) {
    const metadata = new grpc.Metadata();
    if (token) metadata.set("authorization", `Bearer ${token.toString("base64url")}`);
    const deadline = Date.now() + 20_000;
    return new Promise((resolve, reject) => {
      this.client(service)[method](toPlain(message), metadata, { deadline }, (error, answer) => {
        if (!error) resolve(fromPlain(answer));
        else reject(Object.assign(new Error(error.details), { code: codeName(error.code) }));
      });
    });
  }

  // Answers of a stream, one after the other; `signal` ends it.
  async *listen(service, method, message, { token, signal }) {
    const metadata = new grpc.Metadata();
    if (token) metadata.set("authorization", `Bearer ${token.toString("base64url")}`);
    const stream = this.client(service)[method](toPlain(message), metadata, {});
    signal.addEventListener("abort", () => stream.cancel());
    try {
      for await (const answer of stream) yield fromPlain(answer);
    } catch (error) {
      throw Object.assign(new Error(error.details), { code: codeName(error.code) });
    }
  }

  callUnknown() {
    const same = (bytes) => bytes;
    return new Promise((resolve) => {
      const path = "/folkmoot.v1.InfoService/Gossip";
      const done = (error) => resolve(error ? codeName(error.code) : "ok");
      this.client("InfoService").makeUnaryRequest(path, same, same, Buffer.alloc(0), done);
    });
  }

  decode(name, bytes) {
    return fromPlain(definition[`folkmoot.v1.${name}`].deserialize(Buffer.from(bytes)));
  }

  encode(name, message) {
    return definition[`folkmoot.v1.${name}`].serialize(toPlain(message));
  }

  close() {
    for (const client of Object.values(this.clients)) client.close();
  }
}
