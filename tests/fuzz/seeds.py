#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets to tests/fuzz/corpus/NAME/seed-*.

Each is the encoding of a real message, or, for targets that read a script, bytes that mean many
things at once. The same every time. Files of other names (what a fuzzer found) are left alone.
"""

import hashlib
import pathlib
import struct

CORPUS = pathlib.Path(__file__).parent / "corpus"


# --- protobuf, as far as it is needed ---


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def message(*fields):
    """Each field is (number, value); a float stands for fixed32, text for its UTF-8."""
    out = b""
    for number, value in fields:
        if isinstance(value, str):
            value = value.encode()
        if isinstance(value, float):
            out += varint(number << 3 | 5) + struct.pack("<I", int(value))
        elif isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            out += varint(number << 3 | 2) + varint(len(value)) + value
    return out


# --- real messages ---

HANDLE = b"twelve bytes"
RECORD = b"sixteen bytes id"
PERSON = b"a person's id, 1"
ROOT = bytes(range(32))
SIGNATURE = bytes(range(64))
SUBJECT = struct.pack(">I", 1) + RECORD
OTHER = struct.pack(">I", 1) + b"tixteen bytes id"

DOT = message((1, HANDLE), (2, 7), (3, 2), (4, 1234567.0))
OWN_DOT = message((2, 7), (4, 99.0))
ENVELOPES = {
    "creates": message((1, 1), (4, 1700000000000)),
    "edits": message((1, 1), (2, RECORD), (4, 1700000000000), (6, DOT), (6, OWN_DOT)),
    "voice": message((1, 2), (3, SUBJECT), (3, PERSON), (4, 1700000000000)),
    "same": message((1, 11), (3, SUBJECT), (3, OTHER), (4, 1)),
    "person": message((1, 9), (2, PERSON), (5, 1)),
    "later": message((1, 900), (2, RECORD), (4, -5), (5, 7), (6, DOT), (9, b"new"), (12, 1)),
}

PLACE = message((1, "the old mill"), (2, "E05000650"), (3, 1069000000), (4, 41000))
CONSENT = message((1, "spoken"), (2, 3), (3, 1700000000000), (4, PERSON), (5, PERSON))
REF = message((1, 1), (2, RECORD))
FIELDS = {
    "need": message((1, REF), (2, PERSON), (3, 2), (4, CONSENT), (5, 1), (6, 1800000000000),
                    (7, "a bus on Sundays, for 50 p – ஞாயிறு"), (8, "bus"), (9, "ta"), (10, PLACE),
                    (11, "transport"), (14, 3)),
    "voice": message((7, "because"), (11, 1)),
    "unknown": message((7, "words"), (400, "what a later version says"), (401, 5), (402, 7.0)),
    "decision": message((12, message((1, ROOT), (2, 2), (3, "Amina's phone"), (4, ROOT),
                                     (5, RECORD), (6, 1700000000000), (7, SIGNATURE))),
                        (13, message((1, HANDLE), (2, 3), (3, 1)))),
}


def zstd_frame(content):
    """One frame with one raw block (RFC 8878), content of less than 256 bytes."""
    block = struct.pack("<I", len(content) << 3 | 1)[:3]
    return b"\x28\xb5\x2f\xfd\x20" + bytes([len(content)]) + block + content


CHANGE = message((1, ENVELOPES["creates"]), (2, FIELDS["voice"]))
CHANGES = message((1, CHANGE), (1, message((4, ROOT))),
                  (1, message((1, ENVELOPES["edits"]), (2, FIELDS["unknown"]))))
ENTRIES = message((1, HANDLE),
                  (2, message((2, 1), (3, 5.0), (4, ENVELOPES["creates"]), (5, FIELDS["voice"]))),
                  (2, message((2, 2), (3, 6.0), (4, ENVELOPES["edits"]))),
                  (2, message((2, 3), (3, 7.0), (4, ENVELOPES["person"]), (5, b""))))
PLAIN = message((1, 1), (2, len(CHANGES)), (3, CHANGES))
PACKED = message((1, 2), (2, len(ENTRIES)), (3, zstd_frame(ENTRIES)))
LOG_HEAD = message((1, HANDLE), (2, 40), (3, ROOT))
CURSOR = message((1, HANDLE), (2, 12), (3, ROOT[:16]), (4, 1))
POINT = message((1, HANDLE), (2, 2), (3, ROOT[:16]))
RUN = message((2, 3), (3, PLAIN), (4, ROOT), (5, SIGNATURE), (6, LOG_HEAD))
RECEIPT = message((1, HANDLE), (2, 2), (3, ROOT[:16]), (4, 1), (5, message((1, 2), (2, 1))),
                  (6, "the run begins after a gap"))
PIECE = message((1, 3), (2, ROOT[:16]), (3, PACKED))
MESSAGES = {
    "request": message((1, 1), (3, CURSOR), (4, POINT), (5, RUN), (6, 65536), (7, 6), (8, POINT),
                       (9, 1)),
    "request-small": message((1, 1), (7, 6)),
    "response": message((2, 6), (3, LOG_HEAD), (4, 1700000000000), (5, 1), (7, 1), (15, PIECE),
                        (15, message((1, 9), (2, ROOT[:16])))),
    "response-receipt": message((1, RECEIPT), (1, message((2, 2), (3, ROOT[:16]))), (4, 1), (5, 1)),
    "response-lost": message((5, 1), (6, 1), (7, 1)),
    "info": message((1, 1), (2, 1), (3, "folkmootd"), (4, ROOT), (5, ROOT), (6, SIGNATURE),
                    (7, RECORD), (8, 5), (9, 6), (10, 1 << 20), (11, 6)),
    "changes": CHANGES,
    "entries": ENTRIES,
    "place": PLACE,
    "consent": CONSENT,
    "decision": FIELDS["decision"],
}

# --- a connection ---


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(
        ">I", stream) + payload


def head(*fields):
    """HPACK (RFC 7541 section 6.2.2): literals without indexing, not compressed."""
    out = b""
    for name, value in fields:
        out += b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
    return out


def call(content_type, body, *more):
    fields = head((":method", "POST"), (":scheme", "https"), (":path", "/folkmoot.v1.A/B"),
                  (":authority", "hub"), ("content-type", content_type), *more)
    return frame(1, 4, 1, fields) + frame(0, 1, 1, body)


GET = frame(1, 5, 3, head((":method", "GET"), (":scheme", "https"), (":authority", "hub"),
                          (":path", "/folkmoot.v1.A/B?encoding=proto&connect=v1&message=CAE")))
TOKEN = ("authorization", "Bearer " + "A" * 43)
CONNECTIONS = {
    "connect": call("application/proto", CURSOR, TOKEN, ("connect-timeout-ms", "5000"),
                    ("connect-protocol-version", "1")),
    "grpc": call("application/grpc+proto", b"\0" + struct.pack(">I", len(CURSOR)) + CURSOR,
                 ("te", "trailers"), ("grpc-timeout", "5S")),
    "get": GET,
    "json": call("application/json", b"{}"),
    "packed": call("application/proto", b"x", ("content-encoding", "gzip")),
    "resets": frame(1, 4, 1, head((":method", "POST"))) + frame(3, 0, 1, b"\0\0\0\x08") +
              frame(6, 0, 0, b"8 bytes.") + frame(8, 0, 0, b"\0\0\1\0") + frame(7, 0, 0, bytes(8)),
}

# --- what goes where ---


def scripts(name, sizes):
    """Bytes of a SHA-256 stream."""
    for number, size in enumerate(sizes):
        stream = b""
        while len(stream) < size:
            stream += hashlib.sha256(f"{name} {number} {len(stream)}".encode()).digest()
        yield f"script-{number}", stream[:size]


def sized(content):
    return bytes([len(content)]) + content


def seeds():
    for name, content in (FIELDS | MESSAGES).items():
        yield "wire", name, content
        yield "message", name, content
    for name, content in ENVELOPES.items():
        yield "envelope", name, content
        yield "message", "envelope-" + name, content
        for fields, of in FIELDS.items():
            yield "schema", f"{name}-{fields}", b"\1" + sized(content) + of
    yield "schema", "fields", b"\0" + FIELDS["need"]
    for name, content in (("plain", PLAIN), ("zstd", PACKED)):
        yield "pack", name, content
    yield "pack", "frame", b"\2" + struct.pack(">I", len(ENTRIES)) + zstd_frame(ENTRIES)
    for name, content in (("text", "Größe ஞாயிறு 🚌".encode()), ("hex", b"00ffA9"),
                          ("base64url", b"_-8AAQ"), ("wrong", b"\xed\xa0\x80\xc0\xaf\xf4\x90")):
        yield "text", name, content
    for name, content in (("scripts", "Ein Straßenbrunnen — ماءٌ पानी น้ำ 水井水 nước 물이 ИЙё".encode()),
                          ("marks", ("e" + "\u0301" * 40 + " か" + "\u3099" * 40 + "き").encode()),
                          ("long", b"word" * 40 + b" w" * 40), ("wrong", b"a\xffb\xc3 \xed\xa0\x80")):
        yield "words", name, content
    for name, content in MESSAGES.items():
        if name.startswith("request"):
            yield "push", name, content
        if name.startswith("response"):
            yield "answer", name, content
            yield "stream", name, b"\5\x40" + content
            yield "stream", name + "-whole", b"\xff\xff" + content
    for name, content in CONNECTIONS.items():
        yield "http2", name, b"\0" + content
        yield "http2", name + "-parts", b"\2" + sized(content[:40]) + sized(content[40:])
    for name, content in (("get", b"GET /metrics?a=b HTTP/1.1\r\nHost: hub\r\nAccept: */*\r\n\r\n"),
                          ("head", b"HEAD /readyz HTTP/1.0\r\n\r\nmore"),
                          ("post", b"POST /metrics HTTP/1.1\r\nContent-Length: 1\r\n\r\na"),
                          ("long", b"GET / HTTP/1.1\r\nHost: hub\r\nX: " + b"a" * 4100 + b"\r\n\r\n")):
        yield "http1", name, content
    for target, sizes in (("signed_push", (40, 100, 200, 400, 800)), ("answer", (100, 300, 600)),
                          ("history", (40, 100, 200, 400, 600, 800))):
        for name, content in scripts(target, sizes):
            yield target, name, content


def main():
    for old in CORPUS.glob("*/seed-*"):
        old.unlink()
    for target, name, content in seeds():
        path = CORPUS / target / f"seed-{name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    main()
