// connect-node over HTTP/2 with code that protoc-gen-es made.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, Http2SessionManager } from "@connectrpc/connect-node";

import * as carry from "./gen/folkmoot/v1/carry_service_pb.js";
import { EnrolService } from "./gen/folkmoot/v1/enrol_service_pb.js";
import { InfoService } from "./gen/folkmoot/v1/info_service_pb.js";
import * as change from "./gen/folkmoot/v1/change_pb.js";
import * as record from "./gen/folkmoot/v1/record_pb.js";
import { PictureService } from "./gen/folkmoot/v1/picture_service_pb.js";
import { RecordService } from "./gen/folkmoot/v1/record_service_pb.js";
import * as sync from "./gen/folkmoot/v1/sync_service_pb.js";
import { tlsKeyOf, url } from "./hub.mjs";

const { CarryService } = carry;
const { SyncService } = sync;
const services = { CarryService, EnrolService, InfoService, PictureService, RecordService, SyncService };
const schemas = { ...carry, ...change, ...record, ...sync };

// "invalid_argument", as the protocol writes it.
const codeName = (code) => Code[code].replace(/(?<!^)([A-Z])/g, "_$1").toLowerCase();

// Notes the methods of HTTP.
class Sessions extends Http2SessionManager {
  request(method, ...more) {
    this.methods.push(method);
    return super.request(method, ...more);
  }
}

export class ConnectNode {
  constructor(certificate) {
    this.methods = []; // of HTTP, as they were used
    const sessionManager = new Sessions(url, {}, {
      ca: certificate.pem,
      checkServerIdentity: (_, shown) => {
        this.tlsKey = tlsKeyOf(shown.raw);
      },
    });
    sessionManager.methods = this.methods;
    this.close = () => sessionManager.abort();
    const make = (useHttpGet) =>
      createConnectTransport({
        baseUrl: url,
        httpVersion: "2",
        useBinaryFormat: true,
        useHttpGet,
        defaultTimeoutMs: 20_000,
        sessionManager,
      });
    this.transports = [make(false), make(true)];
  }

  // Fails with a plain { code, message }.
  async call(service, method, message = {}, { token, get = false } = {}) {
    const client = createClient(services[service], this.transports[get ? 1 : 0]);
    const headers = token ? { authorization: `Bearer ${token.toString("base64url")}` } : {};
    try {
      return await client[method[0].toLowerCase() + method.slice(1)](message, { headers });
    } catch (error) {
      const { code, rawMessage } = ConnectError.from(error);
      throw Object.assign(new Error(rawMessage), { code: codeName(code) });
    }
  }

  // Answers of a stream, one after the other; `signal` ends it.
  async *listen(service, method, message, { token, signal }) {
    const client = createClient(services[service], this.transports[0]);
    const headers = token ? { authorization: `Bearer ${token.toString("base64url")}` } : {};
    try {
      yield* client[method[0].toLowerCase() + method.slice(1)](message, { headers, signal });
    } catch (error) {
      const { code, rawMessage } = ConnectError.from(error);
      throw Object.assign(new Error(rawMessage), { code: codeName(code) });
    }
  }

  // Calls a method that the hub does not have.
  async callUnknown() {
    const method = { ...InfoService.method.info, name: "Gossip", localName: "gossip" };
    const [transport] = this.transports;
    try {
      await transport.unary({ ...method, parent: InfoService }, undefined, 20_000, {}, {});
    } catch (error) {
      return codeName(ConnectError.from(error).code);
    }
    return "ok";
  }

  decode(name, bytes) {
    return fromBinary(schemas[`${name}Schema`], bytes);
  }

  encode(name, message) {
    const schema = schemas[`${name}Schema`];
    return Buffer.from(toBinary(schema, create(schema, message)));
  }
}
