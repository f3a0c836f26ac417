// One line a case, and at the end "N passed, N failed, N skipped".
const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;

function cause(error) {
  return error?.cause?.stack ?? error?.cause ?? error?.stack ?? String(error);
}

export default async function* report(source) {
  const count = { passed: 0, failed: 0, skipped: 0 };
  for await (const { type, data } of source) {
    if (type === "test:stderr" || type === "test:stdout") yield data.message;
    if (type !== "test:pass" && type !== "test:fail") continue;
    const isCase = data.details.type !== "suite";
    if (data.skip !== undefined) {
      if (isCase) count.skipped += 1;
      yield `skip  ${data.name}: ${data.skip}\n`;
    } else if (type === "test:pass") {
      if (isCase) count.passed += 1;
      yield `${isCase ? "ok   " : "-----"} ${data.name} (${seconds(data.details.duration_ms)})\n`;
    } else if (isCase || data.details.error?.failureType !== "subtestsFailed") {
      count.failed += 1;
      yield `FAIL  ${data.name}\n${cause(data.details.error)}\n`;
    }
  }
  yield `${count.passed} passed, ${count.failed} failed${count.skipped ? `, ${count.skipped} skipped` : ""}\n`;
}
