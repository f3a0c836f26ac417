// PouchDB on the phone, express-pouchdb (what pouchdb-server is) on the hub, both in memory, as shipped.
import express from "express";
import expressPouchdb from "express-pouchdb";
import PouchDB from "pouchdb";
import memory from "pouchdb-adapter-memory";
import { NEW, RECORDS, measure, openLine, records } from "./line.mjs";

PouchDB.plugin(memory);
const Stored = PouchDB.defaults({ adapter: "memory" });
const asDocument = ({ id, ...rest }) => ({ _id: id, ...rest });
const documents = records.map(asDocument);

const app = express();
app.use("/", expressPouchdb(Stored, { inMemoryConfig: true, logPath: "/dev/null" }));
const server = app.listen(0, "127.0.0.1");
await new Promise((resolve) => server.once("listening", resolve));
const direct = `http://127.0.0.1:${server.address().port}/town`;
const line = await openLine(server.address().port);
const remote = () => new PouchDB(`http://127.0.0.1:${line.port}/town`);
await new PouchDB(direct).info();

const first = new Stored("first");
const second = new Stored("second");
await first.bulkDocs(documents.slice(0, RECORDS));
await measure(line, "pouchdb", "push", () => first.replicate.to(remote()));
await measure(line, "pouchdb", "pull", () => second.replicate.from(remote()));
await first.bulkDocs(documents.slice(RECORDS, RECORDS + NEW));
await new PouchDB(direct).bulkDocs(documents.slice(RECORDS + NEW));
await measure(line, "pouchdb", "ten", () => first.sync(remote()));
if ((await first.info()).doc_count !== RECORDS + 2 * NEW) throw new Error("the phone does not have all");
await measure(line, "pouchdb", "nothing", () => first.sync(remote()));
line.close();
process.exit(0);
