// The merge of docs/protocol.md section 4, in as few words as it takes.

// One field at a time: its number and the bytes that it takes.
export function splitFields(bytes) {
  const fields = [];
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = BigInt(bytes[at++]);
      value |= (byte & 0x7fn) << shift;
      if (byte < 0x80n) return value;
    }
  };
  while (at < bytes.length) {
    const start = at;
    const tag = varint();
    const value = at;
    const type = Number(tag & 7n);
    if (type === 0) varint();
    else if (type === 1) at += 8;
    else if (type === 2) at = Number(varint()) + at; // varint() moves `at` first
    else if (type === 5) at += 4;
    else throw new Error(`wire type ${type}`);
    const whole = bytes.subarray(start, at);
    fields.push({ number: Number(tag >> 3n), whole, value: bytes.subarray(value, at) });
  }
  return fields;
}

const sameRecord = (a, b) => a.kind === b.kind && a.id.equals(b.id);
const classOf = (change) => change.about.class ?? 0;
const timeOf = (change) => BigInt(change.about.time ?? 0);

function editsOf(change) {
  return splitFields(change.fields).map(({ number, whole, value }, index) => {
    return { change, index, number, whole, value };
  });
}

const voice = 2;
const stance = 11;

function covers(by, edit) {
  const { change } = edit;
  if (!sameRecord(by.record, change.record) || classOf(by) !== classOf(change)) return false;
  if (change.record.kind === voice && edit.number === stance && timeOf(by) < timeOf(change)) return false;
  return (by.about.over ?? []).some((dot) => {
    const device = dot.device.length ? dot.device : by.device;
    return (
      device.equals(change.device) &&
      dot.seq === change.seq &&
      (dot.index ?? 0) === edit.index &&
      dot.tag === change.tag
    );
  });
}

export function byRank(a, b) {
  const times = timeOf(a.change) - timeOf(b.change);
  if (times !== 0n) return times < 0n ? -1 : 1;
  return (
    Buffer.compare(a.change.device, b.change.device) || a.change.seq - b.change.seq || a.index - b.index
  );
}

// The live edits of a record, by field number and rank, greatest last.
export function liveEdits(changes, record) {
  const inEffect = changes.filter((change) => !change.apart && sameRecord(change.record, record));
  return inEffect
    .flatMap(editsOf)
    .filter((edit) => !inEffect.some((by) => covers(by, edit)))
    .sort((a, b) => a.number - b.number || byRank(a, b));
}

export const message = (edits) => Buffer.concat(edits.map((edit) => edit.whole));

// The numbers of those registers that hold several values that differ.
export function tensions(edits, registers) {
  const values = (number) => edits.filter((edit) => edit.number === number).map((edit) => edit.whole);
  return registers.filter((number) => values(number).some((one, _, all) => !one.equals(all[0])));
}

export function recordsOf(changes) {
  const records = new Map();
  for (const { record } of changes) records.set(`${record.kind} ${record.id.toString("hex")}`, record);
  return [...records.values()];
}

// --- counting voices ---

const subject = (part) => ({ kind: part.readUInt32BE(), id: part.subarray(4) });

// All that live SameAs edits join a record to, itself among them.
function joined(changes, start) {
  const found = [start];
  const pairs = recordsOf(changes)
    .filter((record) => record.kind === 11)
    .filter((record) => liveEdits(changes, record).some((e) => e.number === 11 && e.value.equals(Buffer.from([1]))))
    .map((record) => changes.find((change) => sameRecord(change.record, record)).about.parts.map(subject));
  for (let i = 0; i < found.length; i++) {
    for (const [a, b] of pairs) {
      for (const [from, to] of [[a, b], [b, a]]) {
        if (sameRecord(from, found[i]) && !found.some((record) => sameRecord(record, to))) found.push(to);
      }
    }
  }
  return found;
}

const nameOf = (records) => records.map((record) => record.id.toString("hex")).sort()[0];

export function tally(changes, record) {
  const subjects = joined(changes, record);
  const heard = new Map();
  for (const each of recordsOf(changes).filter(({ kind }) => kind === voice)) {
    const { parts } = changes.find((change) => sameRecord(change.record, each)).about;
    if (!subjects.some((one) => sameRecord(one, subject(parts[0])))) continue;
    const person = nameOf(joined(changes, { kind: 9, id: parts[1] }));
    const stances = liveEdits(changes, each).filter((edit) => edit.number === stance);
    heard.set(person, [...(heard.get(person) ?? []), ...stances]);
  }
  const counted = [...heard.values()].filter((s) => s.length).map((s) => s.sort(byRank).at(-1).value[0]);
  const count = (value) => counted.filter((one) => one === value).length;
  return { for: count(1), against: count(2), unsure: count(3) };
}
