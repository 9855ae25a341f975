"""Valid input spoilt in a thousand ways, the same ones every time."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

JUNK = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b"'", b",", b";", b"\n", b"\r\n", b"\r", b"\\",
    b"{", b"}", b"[", b"]", b"NaN", b"-Infinity", b"1e999", b"9" * 400, b"\xf0\x9f\x98\x80",
    b"\xed\xa0\x80", "\u202e".encode(), b"<script>", b"=1+1", b" " * 50, b"[" * 300, b"null",
)  # fmt: skip
ODD: tuple[Any, ...] = (
    None, True, 0, -1, 2**63, 2**200, 1e308, -0.0, "", " ", "\x00", "é" * 300, [], {}, [[]],
    [None], {"": None}, {"data": []}, "NaN", "2024-13-45T99:99:99Z", [1, "a", None],
    {"a": {"b": []}},
)  # fmt: skip


def of_bytes(valid: bytes, count: int, *, seed: int) -> Iterator[bytes]:
    """`count` bodies, each a few cuts, copies and insertions away from `valid`."""
    chance = random.Random(seed)
    for _ in range(count):
        body = bytearray(valid)
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(body) + 1)
            other = min(len(body), place + chance.choice((1, 3, 20, 200)))
            match chance.randrange(5):
                case 0:
                    del body[place:other]
                case 1:
                    body[place:place] = chance.choice(JUNK)
                case 2:
                    body[place:place] = body[place:other]
                case 3:
                    body[place:other] = chance.randbytes(other - place)
                case _:
                    del body[place:]
        yield bytes(body)


def of_json(valid: Any, count: int, *, seed: int) -> Iterator[Any]:
    """`count` documents with some of their values, keys or items exchanged for odd ones."""
    chance = random.Random(seed)
    for _ in range(count):
        document = copy.deepcopy(valid)
        for _ in range(chance.randint(1, 3)):
            document = _spoilt(document, chance)
        yield document


def _spoilt(value: Any, chance: random.Random) -> Any:
    inside = isinstance(value, dict | list) and value and chance.random() < 0.85
    if not inside:
        return copy.deepcopy(chance.choice(ODD))
    if isinstance(value, dict):
        key = chance.choice(list(value))
        match chance.randrange(8):
            case 0:
                del value[key]
            case 1:
                value[str(chance.choice(ODD))] = value.pop(key)
            case _:
                value[key] = _spoilt(value[key], chance)
        return value
    place = chance.randrange(len(value))
    match chance.randrange(8):
        case 0:
            del value[place]
        case 1:
            value[place:place] = value * 2
        case _:
            value[place] = _spoilt(value[place], chance)
    return value


def text(document: Any) -> bytes:
    """The document as a body; lone surrogates and infinities as they are."""
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


def overwritten(content: bytes, start: int, length: int) -> bytes:
    """The same with random bytes in the middle."""
    return content[:start] + random.Random(5).randbytes(length) + content[start + length :]
