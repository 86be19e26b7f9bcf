"""Write tests/vectors/phrase/vectors.json: phrases, what they open, what is read and refused.

Everything is fixed: a second run writes the same bytes. Format: docs/format/05-return-phrase.md.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from crypto.phrase import PhraseRefusedError, ReturnPhrase, derive
from crypto.wordlist import Language

VECTORS = Path(__file__).parent / "phrase" / "vectors.json"

Vector = dict[str, object]

SECRETS = {
    "all bits zero": bytes(12),
    "all bits one": b"\x0f" + b"\xff" * 11,
    "counting": bytes(range(12)),
    **{f"drawn {n}": b"\x07" + sha256(b"phrase %d" % n).digest()[:11] for n in range(5)},
}
ROOTS = [sha256(b"directory root").digest(), sha256(b"another directory root").digest()]
BARE = str.maketrans("أإآؤئىة", "اااوييه")
EASTERN = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
DEVANAGARI = str.maketrans("0123456789", "०१२३४५६७८९")
PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


def shown(name: str, secret: bytes) -> Vector:
    """One phrase as it is shown."""
    phrase = ReturnPhrase(secret=secret)
    return {
        "class": "shown",
        "verdict": "accepted",
        "name": name,
        "secret": secret.hex(),
        "indices": list(phrase.indices),
        "ar": list(phrase.words(Language.ARABIC)),
        "en": list(phrase.words(Language.ENGLISH)),
        "groups": list(phrase.groups),
    }


def opened(name: str, secret: bytes, directory_root: bytes) -> Vector:
    """What one phrase opens in one deployment."""
    secrets = derive(ReturnPhrase(secret=secret), directory_root=directory_root)
    return {
        "class": "derived",
        "verdict": "accepted",
        "name": name,
        "secret": secret.hex(),
        "directory_root": directory_root.hex(),
        "opens": {
            "lookup_id": secrets.lookup_id.hex(),
            "reply_seed": secrets.reply_seed.hex(),
            "answer_ed25519_seed": secrets.answer_ed25519_seed.hex(),
            "answer_mldsa_seed": secrets.answer_mldsa_seed.hex(),
        },
    }


def readable(phrase: ReturnPhrase) -> Mapping[str, str]:
    """Many ways to type one phrase."""
    ar, en = (phrase.words(language) for language in Language)
    groups = phrase.groups
    numbered = list(enumerate(en, start=1))
    return {
        "Arabic words": " ".join(ar),
        "English words": " ".join(en),
        "groups": " ".join(groups),
        "one run of digits": "".join(groups),
        "Arabic-Indic digits": " ".join(groups).translate(EASTERN),
        "Persian digits": "-".join(groups).translate(PERSIAN),
        "full-width digits": " ".join(groups).translate({0x30 + n: 0xFF10 + n for n in range(10)}),
        "upper case, commas, newlines": ",\r\n".join(en).upper(),
        "Arabic commas": "، ".join(ar),
        "hyphens": "-".join(en),
        "numbered": "\n".join(f"{n}. {word}" for n, word in numbered),
        "numbered without a space": " ".join(f"{n}{word}" for n, word in numbered),
        "numbered in Arabic": "\n".join(
            f"{str(n).translate(EASTERN)}- {word}" for n, word in enumerate(ar, start=1)
        ),
        "numbered groups": "\n".join(f"{n}) {group}" for n, group in enumerate(groups, start=1)),
        "only the first is numbered": "1 " + " ".join(en),
        "tatweel and a vowel after each first letter": " ".join(
            f"{word[0]}\u0640\u064e{word[1:]}" for word in ar
        ),
        "bidi controls": "\u202b" + " ".join(f"\u2068\u200f{word}\u2069" for word in ar) + "\u202c",
        "languages and digits mixed": " ".join([*ar[:4], *en[4:7], *groups[7:]]),
        "spaces, tabs, no-break spaces": "\u00a0\t " + " \u00a0\t ".join(en) + "\n\n",
        "bare alef, waw, yeh, heh": " ".join(ar).translate(BARE),
    }


def refused(phrase: ReturnPhrase) -> Mapping[str, str]:
    """Almost-phrases."""
    en, groups = list(phrase.words(Language.ENGLISH)), list(phrase.groups)
    return {
        "nothing": "",
        "spaces": " \n ",
        "punctuation": "... --- ,,,",
        "nine words": " ".join(en[:9]),
        "eleven words": " ".join([*en, en[0]]),
        "a number alone": "1.",
        "a word of neither language": " ".join([*en[:5], "xylem", *en[6:]]),
        "a definite article": "ال" + " ".join(phrase.words(Language.ARABIC)),
        "two words run together": " ".join([en[0] + en[1], *en[2:], en[0]]),
        "group 1024": " ".join([*groups[:9], "1024"]),
        "three digits": " ".join([groups[0][1:], *groups[1:]]),
        "39 digits": "".join(groups)[:-1],
        "digits of another script": " ".join(groups).translate(
            {48 + n: 0x966 + n for n in range(10)}
        ),
        "numbers in the wrong order": " ".join(
            f"{n} {word}" for n, word in zip([2, 1, *range(3, 11)], en, strict=True)
        ),
        "number after the word": " ".join(f"{word} {n}" for n, word in enumerate(en, start=1)),
        "first and last word changed places": " ".join([en[9], *en[1:9], en[0]]),
        "another word of the list": " ".join([*en[:9], "acacia"]),
        "1,001 characters": " ".join(en).ljust(1_001),
    }


def read(name: str, text: str) -> Vector:
    """What a reader says to a text: the secret, or the reason and the position."""
    said: Vector = {"class": "text", "name": name, "text": text}
    try:
        return said | {"verdict": "accepted", "secret": ReturnPhrase.parse(text).secret.hex()}
    except PhraseRefusedError as no:
        return said | {"verdict": "refused", "reason": no.reason.value, "position": no.position}


def vectors() -> list[Vector]:
    """Every vector, in the order of the file."""
    phrase = ReturnPhrase(secret=SECRETS["counting"])
    return [
        *(shown(name, secret) for name, secret in SECRETS.items()),
        *(opened(name, secret, ROOTS[0]) for name, secret in SECRETS.items()),
        opened("counting, elsewhere", SECRETS["counting"], ROOTS[1]),
        *(read(name, text) for name, text in readable(phrase).items()),
        *(read(name, text) for name, text in refused(phrase).items()),
    ]


if __name__ == "__main__":
    VECTORS.write_text(json.dumps(vectors(), ensure_ascii=False, indent=1) + "\n", "utf-8")
