// PouchDB on the phone, express-pouchdb on the hub, both in memory, as shipped.
import { spawn } from "node:child_process";
import PouchDB from "pouchdb";
import memory from "pouchdb-adapter-memory";
import { NEW, RECORDS, measure, openLine, records } from "./line.mjs";

PouchDB.plugin(memory);
const documents = records.map(({ id, ...rest }) => ({ _id: id, ...rest }));

const server = spawn(process.execPath, ["pouchdb_server.mjs"], { stdio: ["ignore", "pipe", "inherit"] });
const port = await new Promise((resolve) => server.stdout.once("data", (said) => resolve(Number(said))));
const line = await openLine(port);
const direct = new PouchDB(`http://127.0.0.1:${port}/town`);
const remote = () => new PouchDB(`http://127.0.0.1:${line.port}/town`);
await direct.info();

const first = new PouchDB("first", { adapter: "memory" });
const second = new PouchDB("second", { adapter: "memory" });
await first.bulkDocs(documents.slice(0, RECORDS));
await measure(line, "pouchdb", "push", () => first.replicate.to(remote()));
await measure(line, "pouchdb", "pull", () => second.replicate.from(remote()));
await first.bulkDocs(documents.slice(RECORDS, RECORDS + NEW));
await direct.bulkDocs(documents.slice(RECORDS + NEW));
await measure(line, "pouchdb", "ten", () => first.sync(remote()));
if ((await first.info()).doc_count !== RECORDS + 2 * NEW) throw new Error("the phone does not have all");
await measure(line, "pouchdb", "nothing", () => first.sync(remote()));
line.close();
server.kill();
process.exit(0);
