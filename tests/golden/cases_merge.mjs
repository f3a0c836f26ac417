// Changes, and the records that must come of them in whatever order they arrive.
import { author, seeded, shown } from "./cases_digest.mjs";
import * as merge from "./merge.mjs";
import * as p from "./protocol.mjs";

const { put } = p;
const join = (...parts) => Buffer.concat(parts);
const words = (value) => put.text(7, value);
const stance = (value) => put.uint(11, value);
const subject = (record) => join(p.u32(record.kind), record.id);

// Registers of the kinds that the cases use; a Voice's stance is none.
const registers = { 1: [2, 3, 4, 5, 6, 7, 8, 9, 10, 14], 2: [2, 3, 4, 5, 6, 7, 8, 9, 10] };

// One case's writers, whose handles ascend: a < b < c.
class Story {
  constructor(name) {
    this.name = name;
    this.changes = [];
    [this.a, this.b, this.c] = ["a", "b", "c"]
      .map((letter) => author(`${name} ${letter}`))
      .sort((x, y) => Buffer.compare(x.handle, y.handle));
  }

  write(by, about, fields) {
    this.changes.push(by.write(about, fields));
    return this.changes.at(-1);
  }

  // Of the record of an earlier change.
  edit(by, first, time, over, fields, more = {}) {
    const dots = over.map(([change, index]) => p.dot(by, change, index));
    const { kind, id } = first.record;
    const { parts, class: ofClass } = first.about;
    const which = parts ? { kind, parts } : { kind, id };
    return this.write(by, { ...which, class: ofClass, time, over: dots, ...more }, fields);
  }

  need(by, time, fields) {
    return this.write(by, { kind: 1, time }, fields);
  }

  voice(by, need, person, time, value) {
    return this.write(by, { kind: 2, parts: [subject(need.record), person], time }, stance(value));
  }

  done() {
    const records = merge.recordsOf(this.changes).map((record) => this.expect(record));
    const changes = this.changes.map((one) => ({ ...shown(one), apart: one.apart }));
    return { name: this.name, changes, records };
  }

  expect(record) {
    const edits = merge.liveEdits(this.changes, record);
    const bytes = edits.length ? merge.message(edits) : null;
    const counted = merge.tally(this.changes, record);
    const voiced = edits.length && counted.for + counted.against + counted.unsure > 0;
    return {
      ...record,
      record: bytes,
      tensions: merge.tensions(edits, registers[record.kind] ?? []),
      tally: voiced ? counted : undefined,
    };
  }
}

const cases = {
  "a register that was put once"(s) {
    s.need(s.a, 1000, words("one"));
  },
  "a register that somebody who saw it overwrote"(s) {
    const first = s.need(s.a, 1000, words("one"));
    s.edit(s.b, first, 900, [[first]], words("two"));
  },
  "two who did not see each other: both stay, by time"(s) {
    const first = s.need(s.a, 1000, words("one"));
    s.edit(s.b, first, 3000, [[first]], words("of b"));
    s.edit(s.c, first, 2000, [[first]], words("of c"));
  },
  "two at the same time: both stay, by handle"(s) {
    const first = s.need(s.b, 1000, put.uint(14, 1));
    s.edit(s.c, first, 2000, [[first]], words("of c"));
    s.edit(s.a, first, 2000, [[first]], words("of a"));
  },
  "equal values side by side are no tension"(s) {
    const first = s.need(s.a, 1000, put.uint(14, 1));
    s.edit(s.b, first, 2000, [[first]], put.uint(14, 3));
    s.edit(s.c, first, 3000, [[first]], put.uint(14, 3));
  },
  "who saw both goes over both"(s) {
    const first = s.need(s.a, 1000, words("one"));
    const second = s.edit(s.b, first, 2000, [[first]], words("two"));
    const third = s.edit(s.c, first, 2000, [[first]], words("three"));
    s.edit(s.a, first, 1500, [[second], [third]], words("both"));
  },
  "a set: two add, one is removed"(s) {
    const first = s.need(s.a, 1000, join(put.text(11, "water"), put.text(11, "roads")));
    const second = s.edit(s.b, first, 2000, [], put.text(11, "schools"));
    s.edit(s.c, first, 3000, [[first, 0]], p.zeros(0));
    s.edit(s.a, first, 4000, [[second, 0]], put.text(11, "school"));
  },
  "all gone over: nothing of the record is left"(s) {
    const first = s.need(s.a, 1000, join(words("one"), put.uint(14, 2)));
    s.edit(s.b, first, 2000, [[first, 0], [first, 1]], p.zeros(0));
  },
  "unknown fields are kept, in the order of their numbers"(s) {
    const fields = join(put.text(5000, "later"), put.fixed64(20, 1), words("now"), put.fixed32(536870911, 9));
    const first = s.need(s.a, 1000, fields);
    s.edit(s.b, first, 2000, [[first, 0]], join(put.uint(5000, 1), put.text(5000, "")));
  },
  "an unknown kind of an unknown class is kept"(s) {
    const fields = join(put.bytes(3, p.unhex("ff00")), put.uint(1, 0));
    const first = s.write(s.a, { kind: 60000, time: 5, class: 7 }, fields);
    s.edit(s.b, first, 6, [[first, 1]], put.uint(1, 2n ** 64n - 1n));
    s.write(s.c, { kind: 65535, parts: [p.text("x")], time: 1 }, put.uint(1, 1));
  },
  "a dot with another tag is void"(s) {
    const first = s.need(s.a, 1000, words("one"));
    const wrong = { ...p.dot(s.b, first), tag: (first.tag ^ 1) >>> 0 };
    s.edit(s.b, first, 2000, [], words("two"), { over: [wrong] });
  },
  "a dot with another index, seq or device is void"(s) {
    const first = s.need(s.a, 1000, words("one"));
    const right = p.dot(s.b, first);
    const over = [{ ...right, index: 1 }, { ...right, seq: 2 }, { ...right, device: p.zeros(0) }];
    s.edit(s.b, first, 2000, [], put.uint(14, 1), { over });
  },
  "the author's own handle written out counts like none"(s) {
    const first = s.need(s.a, 1000, words("one"));
    const over = [{ ...p.dot(s.b, first) }];
    s.edit(s.a, first, 2000, [], words("two"), { over });
  },
  "a cover in a change of another record is void"(s) {
    const first = s.need(s.a, 1000, words("one"));
    const other = s.need(s.a, 1000, words("another"));
    s.edit(s.b, other, 2000, [[first], [other]], words("two"));
  },
  "a cover in a change of another class is void"(s) {
    const first = s.write(s.a, { kind: 60000, time: 1000 }, put.uint(1, 1));
    s.edit(s.b, first, 2000, [[first]], put.uint(1, 2), { class: 1 });
  },
  "a cover that arrives before what it goes over"(s) {
    const first = s.need(s.a, 1000, words("one"));
    const second = s.edit(s.a, first, 2000, [[first]], words("two"));
    s.edit(s.b, first, 3000, [[first], [second]], words("three"));
    s.changes.reverse();
  },
  "what was covered by what was covered stays gone"(s) {
    const first = s.need(s.a, 1000, words("one"));
    const second = s.edit(s.b, first, 2000, [[first]], words("two"));
    s.edit(s.c, first, 3000, [[second]], p.zeros(0));
  },
  "negative times"(s) {
    const first = s.need(s.a, -1, words("just before 1970"));
    s.edit(s.b, first, 0, [], words("1970"));
    s.edit(s.c, first, -86400000, [], words("a day before"));
    s.edit(s.c, first, -(2n ** 63n), [], words("the least time"));
    s.edit(s.b, first, 2n ** 63n - 1n, [], words("the greatest time"));
  },
  "one author, one time: by seq, then by index"(s) {
    const first = s.need(s.a, 1000, join(put.text(11, "b"), words("x"), put.text(11, "a")));
    for (let i = 0; i < 3; i++) s.edit(s.a, first, 1000, [], put.text(11, `c${i}`));
  },
  "256 edits in one change"(s) {
    const fields = Array.from({ length: 256 }, (_, i) => put.uint(300 + (i % 7), i));
    const first = s.write(s.a, { kind: 60000, time: 1 }, join(...fields));
    s.edit(s.b, first, 2, [[first, 0], [first, 255]], p.zeros(0));
  },
  "a change that is set apart has neither edits nor covers"(s) {
    const first = s.need(s.a, 1000, words("one"));
    const second = s.edit(s.b, first, 2000, [[first]], words("two"));
    second.apart = true;
    s.edit(s.c, first, 3000, [[second]], put.uint(14, 2));
  },
  "what two went over stays gone when one of them is set apart"(s) {
    const first = s.need(s.a, 1000, words("one"));
    s.edit(s.b, first, 2000, [[first]], words("two")).apart = true;
    s.edit(s.c, first, 3000, [[first]], words("three"));
  },
  "a stance said later stays over an earlier cover"(s) {
    const need = s.need(s.a, 1000, words("need"));
    const later = s.voice(s.b, need, seeded("p", 16), 3000, 1);
    s.edit(s.c, later, 2000, [[later]], stance(2));
  },
  "a stance said at the same time or before is gone over"(s) {
    const need = s.need(s.a, 1000, words("need"));
    const first = s.voice(s.b, need, seeded("p", 16), 3000, 1);
    s.edit(s.c, first, 3000, [[first]], stance(2));
  },
  "only the stance is kept from an earlier cover, not the words"(s) {
    const need = s.need(s.a, 1000, words("need"));
    const parts = [subject(need.record), seeded("p", 16)];
    const later = s.write(s.b, { kind: 2, parts, time: 3000 }, join(stance(1), words("because")));
    s.edit(s.c, later, 2000, [[later, 0], [later, 1]], words("in spite of"));
  },
  "one person heard by two volunteers counts once"(s) {
    const need = s.need(s.a, 1000, words("need"));
    s.voice(s.b, need, seeded("p", 16), 2000, 2);
    s.voice(s.c, need, seeded("p", 16), 3000, 1);
    s.voice(s.c, need, seeded("q", 16), 3000, 3);
    s.voice(s.c, need, seeded("r", 16), 3000, 4);
    s.voice(s.c, need, seeded("t", 16), 3000, 0);
    s.voice(s.c, need, seeded("u", 16), 3000, 77);
  },
  "two persons who are one count once, by their latest stance"(s) {
    const need = s.need(s.a, 1000, words("need"));
    const people = [seeded("p", 16), seeded("q", 16)];
    s.voice(s.b, need, people[0], 2000, 1);
    s.voice(s.c, need, people[1], 3000, 2);
    const parts = people.map((id) => subject({ kind: 9, id })).sort(Buffer.compare);
    s.write(s.a, { kind: 11, parts, time: 4000 }, put.uint(11, 1));
  },
  "and two again when that is gone over"(s) {
    const need = s.need(s.a, 1000, words("need"));
    const people = [seeded("p", 16), seeded("q", 16)];
    s.voice(s.b, need, people[0], 2000, 1);
    s.voice(s.c, need, people[1], 3000, 2);
    const parts = people.map((id) => subject({ kind: 9, id })).sort(Buffer.compare);
    const same = s.write(s.a, { kind: 11, parts, time: 4000 }, put.uint(11, 1));
    s.edit(s.b, same, 5000, [[same]], words("not the same after all"));
  },
  "needs that are joined are counted together"(s) {
    const said = [[s.a, "water"], [s.b, "a tap"], [s.c, "a well"]];
    const needs = said.map(([by, need]) => s.need(by, 1000, words(need)));
    s.voice(s.a, needs[0], seeded("p", 16), 2000, 1);
    s.voice(s.b, needs[1], seeded("p", 16), 3000, 1);
    s.voice(s.c, needs[2], seeded("q", 16), 3000, 2);
    for (const [x, y] of [[0, 1], [1, 2], [0, 2]]) {
      const parts = [needs[x], needs[y]].map((need) => subject(need.record)).sort(Buffer.compare);
      s.write(s.a, { kind: 11, parts, time: 4000 }, put.uint(11, 1));
    }
  },
};

export function merges() {
  return Object.entries(cases).map(([name, tell]) => {
    const story = new Story(name);
    tell(story);
    return story.done();
  });
}
