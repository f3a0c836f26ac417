// automerge-repo over its websocket adapters, one document of records, in memory. There are no receipts: a
// push counts as done when the server has it. As shipped its server drops whoever does not answer a
// ping within 5 s, which a phone that uploads over this line cannot: here it waits for ten minutes.
import http from "node:http";
import { Repo } from "@automerge/automerge-repo";
import { WebSocketClientAdapter, WebSocketServerAdapter } from "@automerge/automerge-repo-network-websocket";
import { WebSocketServer } from "ws";
import { NEW, RECORDS, measure, openLine, records, until } from "./line.mjs";

const server = http.createServer();
const sockets = new WebSocketServer({ server });
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const hub = new Repo({ network: [new WebSocketServerAdapter(sockets, 600000)], sharePolicy: async () => false });
const line = await openLine(server.address().port);
const size = (handle) => (handle?.isReady() ? Object.keys(handle.doc().records ?? {}).length : 0);
const write = (handle, some) =>
  handle.change((doc) => some.forEach(({ id, ...rest }) => (doc.records[id] = rest)));
const connect = (repo) => repo.networkSubsystem.addNetworkAdapter(new WebSocketClientAdapter(`ws://127.0.0.1:${line.port}`));

const first = new Repo({ network: [] });
const handle = first.create({ records: {} });
write(handle, records.slice(0, RECORDS));
await measure(line, "automerge", "push", async () => {
  connect(first);
  await until(() => size(hub.handles[handle.documentId]) === RECORDS);
});
const second = new Repo({ network: [] });
await measure(line, "automerge", "pull", async () => {
  connect(second);
  await until(() => second.peers.length > 0); // else it says that the document is not to be had
  const found = await second.find(handle.url);
  await until(() => size(found) === RECORDS);
});
const inHub = hub.handles[handle.documentId];
await measure(line, "automerge", "ten_live", async () => {
  write(handle, records.slice(RECORDS, RECORDS + NEW));
  write(inHub, records.slice(RECORDS + NEW));
  await until(() => size(inHub) === RECORDS + 2 * NEW && size(handle) === RECORDS + 2 * NEW);
});
line.close();
process.exit(0);
