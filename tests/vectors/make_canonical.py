"""Write tests/vectors/canonical/vectors.json: bytes that are canonical JSON, and others.

Deterministic. The examples of RFC 8785 stand there with the text that they start from, without
their fractions. Format: docs/format/02-canonical-json.md.
"""

import json
from pathlib import Path

VECTORS = Path(__file__).parent / "canonical" / "vectors.json"

# Name, source text, canonical text: RFC 8785 section 3.2.2 without its numbers, and section 3.2.3.
RFC_8785 = [
    (
        "section 3.2.2, strings and literals",
        r"""{"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null, true]}""",
        """{"literals":[null,true],"string":"\u20ac$""" + r"""\u000f\nA'B\"\\\\\"/"}""",
    ),
    (
        "section 3.2.3, order of keys",
        r"""{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh",
        "1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control",
        "\u00f6":"Latin Small Letter O With Diaeresis"}""",
        (
            '{"\\r":"Carriage Return","1":"One","\u0080":"Control",'
            '"\u00f6":"Latin Small Letter O With Diaeresis","\u20ac":"Euro Sign",'
            '"\U0001f600":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}'
        ),
    ),
]

ACCEPTED: dict[str, dict[str, bytes]] = {
    "text": {
        "empty": b'""',
        "every short escape": b'"\\b\\t\\n\\f\\r\\"\\\\"',
        "control characters without a short escape": b'"\\u0000\\u0001\\u000b\\u001f"',
        "delete is written as it is": b'"\x7f"',
        "slash is written as it is": b'"/"',
        "arabic, not normalised": '"\u0623\u0645\u0627\u0646\u0629 \u0627\u0654"'.encode(),
        "line separators are written as they are": '"\u2028\u2029"'.encode(),
        "beyond the basic plane": '"\U0001f54a"'.encode(),
    },
    "number": {
        "zero": b"0",
        "largest": b"9007199254740991",
        "smallest": b"-9007199254740991",
    },
    "order": {
        "shorter first": b'{"":0,"a":1,"aa":2,"b":3}',
        "capitals first": b'{"A":0,"Z":1,"a":2}',
        "surrogate pairs before the end of the basic plane": '{"\U00010000":0,"\ue000":1}'.encode(),
        "order in lists is kept": b"[3,1,2]",
    },
    "structure": {
        "literals": b"[false,null,true]",
        "empty object": b"{}",
        "empty list": b"[]",
        "32 levels": b"[" * 32 + b"]" * 32,
        "31 levels of objects around a value": b'{"a":' * 31 + b"1" + b"}" * 31,
    },
}

REFUSED: dict[str, dict[str, bytes]] = {
    "text": {
        "escape that is not needed": b'"\\u0061"',
        "escape in capitals": b'"\\u001F"',
        "long escape where a short one exists": b'"\\u000a"',
        "escaped slash": b'"\\/"',
        "escaped beyond ascii": b'"\\u20ac"',
        "half a surrogate pair": b'"\\ud800"',
        "half a surrogate pair as a key": b'{"\\udfff":1}',
        "raw control character": b'"\x01"',
        "raw newline": b'"\n"',
        "not utf-8": b'"\xff"',
        "overlong utf-8": b'"\xc0\x80"',
        "surrogate in utf-8": b'"\xed\xa0\x80"',
        "single quotes": b"'a'",
    },
    "number": {
        "fraction": b"1.5",
        "fraction of zero": b"1.0",
        "exponent": b"1e3",
        "minus zero": b"-0",
        "leading zero": b"01",
        "plus": b"+1",
        "one too large": b"9007199254740992",
        "one too small": b"-9007199254740992",
        "thousands of digits": b"9" * 5000,
        "not a number": b"NaN",
        "infinity": b"Infinity",
        "hexadecimal": b"0x10",
    },
    "order": {
        "keys out of order": b'{"b":1,"a":2}',
        "order of code points": '{"\ue000":0,"\U00010000":1}'.encode(),
        "key twice": b'{"a":1,"a":1}',
        "key twice with other values": b'{"a":1,"a":2}',
        "key twice, once escaped": b'{"a":1,"\\u0061":2}',
        "key twice, deep": b'[{"a":{"b":1,"b":1}}]',
    },
    "structure": {
        "nothing": b"",
        "white space before": b" 1",
        "white space after": b"1\n",
        "white space inside": b'{"a": 1}',
        "byte order mark": b"\xef\xbb\xbf1",
        "utf-16": '{"a":1}'.encode("utf-16-le"),
        "two values": b"1 2",
        "comma at the end": b"[1,]",
        "cut short": b'{"a":[1,2',
        "key that is no text": b"{1:1}",
        "comment": b"/**/1",
        "33 levels": b"[" * 33 + b"]" * 33,
        "33 levels of objects": b'{"a":' * 33 + b"1" + b"}" * 33,
        "1,000 levels, never closed": b"[" * 1000,
    },
}


def build() -> list[dict[str, str]]:
    """Return every vector: class, name, verdict, bytes in hex, and the RFC's source text."""
    examples = [
        {
            "class": "RFC 8785",
            "name": name,
            "verdict": "accepted",
            "source": source,
            "hex": text.encode().hex(),
        }
        for name, source, text in RFC_8785
    ]
    return examples + [
        {"class": kind, "name": name, "verdict": verdict, "hex": spelling.hex()}
        for verdict, classes in (("accepted", ACCEPTED), ("refused", REFUSED))
        for kind, spellings in classes.items()
        for name, spelling in spellings.items()
    ]


if __name__ == "__main__":
    VECTORS.write_text(json.dumps(build(), indent=1) + "\n", "utf-8")
