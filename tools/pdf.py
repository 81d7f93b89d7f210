"""Make a PDF smaller: compress the objects that a browser writes as plain text.

Most of a tagged PDF is its tags, a hundred thousand small objects that tell screen
readers which text is a heading or a formula. PDF 1.5 packs such objects into streams
and compresses them; browsers write PDF 1.4. Nothing else changes.
"""

import re
import zlib

HEADER = b"%PDF-1.5\n%\xd3\xeb\xe9\xe1\n"
TOGETHER = 200  # objects in a stream, all of which are unpacked to read one
START = re.compile(rb"startxref\s+(\d+)\s+%%EOF\s*$")
ENTRY = re.compile(rb"(\d{10}) \d{5} n")
OBJECT = re.compile(rb"(\d+) 0 obj\s+(.*?)\s*endobj\s*$", re.DOTALL)
TRAILER = re.compile(rb"trailer\s*<<\s*/Size (\d+)(.*?)>>", re.DOTALL)
FREE, PLACED, PACKED = 0, 1, 2


def table_start(pdf):
    """Return where the table of a PDF's objects begins."""
    return int(START.search(pdf)[1])


def objects(pdf):
    """Return the objects of a PDF by number, and the number of the next one."""
    table = table_start(pdf)
    places = sorted(int(place) for place in ENTRY.findall(pdf, table))
    ends = [*places[1:], table]
    found = (OBJECT.fullmatch(pdf[a:b]) for a, b in zip(places, ends, strict=True))
    return {int(o[1]): o[2] for o in found}, int(TRAILER.search(pdf, table)[1])


def stream(entries, data):
    """Return a compressed stream."""
    data = zlib.compress(data, 9)
    entries = b"%s /Filter /FlateDecode /Length %d" % (entries, len(data))
    return b"<< %s >>\nstream\n%s\nendstream" % (entries, data)


def pack(numbers, known):
    """Return objects as one stream: first their numbers and places, then they."""
    places, length = [], 0
    for n in numbers:
        places.append(b"%d %d" % (n, length))
        length += len(known[n]) + 1
    head = b" ".join(places) + b"\n"
    entries = b"/Type /ObjStm /N %d /First %d" % (len(numbers), len(head))
    return stream(entries, head + b"\n".join(known[n] for n in numbers))


def smaller(pdf):
    """Return a PDF with the same objects, all but its streams compressed."""
    known, following = objects(pdf)
    small = [n for n, text in known.items() if not text.endswith(b"endstream")]
    rows = {0: (FREE, 0, 65535)}
    for i in range(0, len(small), TOGETHER):
        numbers = small[i : i + TOGETHER]
        rows |= {n: (PACKED, following, k) for k, n in enumerate(numbers)}
        known[following] = pack(numbers, known)
        following += 1
    parts, length = [HEADER], len(HEADER)
    for n in sorted(known.keys() - set(small)):
        rows[n] = PLACED, length, 0
        parts.append(b"%d 0 obj\n%s\nendobj\n" % (n, known[n]))
        length += len(parts[-1])
    rows[following] = PLACED, length, 0
    table = b"".join(
        kind.to_bytes(1, "big") + place.to_bytes(4, "big") + k.to_bytes(2, "big")
        for kind, place, k in (
            rows.get(n, (FREE, 0, 65535)) for n in range(following + 1)
        )
    )
    roots = TRAILER.search(pdf, table_start(pdf))[2]
    entries = b"/Type /XRef /Size %d /W [1 4 2]%s" % (following + 1, roots)
    parts.append(b"%d 0 obj\n%s\nendobj\n" % (following, stream(entries, table)))
    parts.append(b"startxref\n%d\n%%%%EOF\n" % length)
    return b"".join(parts)
