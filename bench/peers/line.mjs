// What all peers share: the emulated line before a port, the records, and how a figure is said.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const [, , program, texts, latency, rate] = process.argv;

export const RECORDS = 1000;
export const NEW = 10;

export const records = readFileSync(texts, "utf8")
  .split("\n")
  .slice(0, RECORDS + 2 * NEW)
  .map((text, i) => ({ id: `need-${i}`, kind: "need", time: 1795000000000 + i * 61000, author: "device-1", text }));

// A line to this port of the loopback interface. exchange(command) gives the answer to it.
export async function openLine(port) {
  const child = spawn(program, [String(port), latency, rate], { stdio: ["pipe", "pipe", "inherit"] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => (await answers.next()).value;
  const exchange = async (command) => {
    child.stdin.write(command + "\n");
    return next();
  };
  return { port: Number(await next()), exchange, close: () => child.stdin.end() };
}

// Does the work, and says what it cost.
export async function measure(line, row, figure, work) {
  await line.exchange("reset");
  const begun = performance.now();
  await work();
  const seconds = (performance.now() - begun) / 1000;
  const count = JSON.parse(await line.exchange("count"));
  const say = (name, value) => console.log(JSON.stringify({ row, figure: `${figure}_${name}`, value }));
  say("seconds", seconds);
  say("bytes", count.bytes);
  say("turns", count.turns);
  say("connections", count.connections);
}

// Waits until `holds` does.
export async function until(holds, seconds = 240) {
  const end = performance.now() + seconds * 1000;
  while (!holds()) {
    if (performance.now() > end) throw new Error("it did not come to its end within " + seconds + " s");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
