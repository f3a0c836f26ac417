// Yjs over y-websocket, one document of records, its server in memory, as shipped. There are no
// receipts: a push counts as done when the server has it.
import http from "node:http";
import { createRequire } from "node:module";
import { WebSocket, WebSocketServer } from "ws";
import { NEW, RECORDS, measure, openLine, records, until } from "./line.mjs";

// The server's half is CommonJS, and there must be one Yjs.
const require = createRequire(import.meta.url);
const Y = require("yjs");
const { docs, setupWSConnection } = require("y-websocket/bin/utils");
const { WebsocketProvider } = require("y-websocket");

const server = http.createServer();
new WebSocketServer({ server }).on("connection", (socket, request) => setupWSConnection(socket, request));
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const line = await openLine(server.address().port);

const write = (doc, some) =>
  doc.transact(() => some.forEach(({ id, ...rest }) => doc.getMap("records").set(id, rest)));
const size = (doc) => (doc ? doc.getMap("records").size : 0);
const hub = () => docs.get("town");
const connect = (doc) =>
  new WebsocketProvider(`ws://127.0.0.1:${line.port}`, "town", doc, {
    WebSocketPolyfill: WebSocket,
    disableBc: true,
  });

const first = new Y.Doc();
const second = new Y.Doc();
let provider;
write(first, records.slice(0, RECORDS));
await measure(line, "yjs", "push", async () => {
  provider = connect(first);
  await until(() => size(hub()) === RECORDS);
});
const other = connect(new Y.Doc()); // keeps the server's document, over the line but silent from here on
await until(() => other.synced);
provider.destroy();
let reader;
await measure(line, "yjs", "pull", async () => {
  reader = connect(second);
  await until(() => size(second) === RECORDS);
});
reader.destroy();
other.disconnect();
write(first, records.slice(RECORDS, RECORDS + NEW));
const keeper = new WebsocketProvider(`ws://127.0.0.1:${server.address().port}`, "town", other.doc, {
  WebSocketPolyfill: WebSocket,
  disableBc: true,
});
await until(() => keeper.synced);
if (size(hub()) !== RECORDS) throw new Error("the server forgot its document");
write(hub(), records.slice(RECORDS + NEW));
await measure(line, "yjs", "ten", async () => {
  provider = connect(first);
  await until(() => size(hub()) === RECORDS + 2 * NEW && size(first) === RECORDS + 2 * NEW);
});
line.close();
process.exit(0);
