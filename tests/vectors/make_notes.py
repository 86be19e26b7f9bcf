"""Write tests/vectors/notes/vectors.json: notes, keys and log proofs, each with what a reader says.

The keys come from fixed seeds. ML-DSA signing draws randomness, so a second run makes other
signatures with the same verdicts: the vectors pin reading and verifying, not signing. The files
named c2sp-* beside it were made by others. Format: docs/format/03-signed-note.md.
"""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from crypto.checkpoint import Checkpoint
from crypto.merkle import TreeHash, inclusion_proof, leaf_hash, root
from crypto.note import SignatureLine, SignedNote
from crypto.sign import Cosigner, LogSigner, NoteSigner, SigningSeeds
from crypto.tlogproof import TlogProof

VECTORS = Path(__file__).parent / "notes" / "vectors.json"

TEXT = 'amana/example/v1\n{"a":1}\n'
LEAVES = [leaf_hash(b"event %d" % n) for n in range(11)]
INDEX = 6
SIGNED_AT = 1_790_899_200
COSIGNED_AT = 1_790_902_800

Vector = dict[str, object]


def seeds_of(name: str) -> SigningSeeds:
    """Seeds that everyone can make again, and so good for nothing but vectors."""
    ed25519, mldsa = (sha256(f"{half} {name}".encode()).digest() for half in ("ed25519", "mldsa"))
    return SigningSeeds(ed25519=ed25519, mldsa=mldsa)


def signer_of(name: str) -> NoteSigner:
    """A signer of notes from the seeds of its name."""
    seeds = seeds_of(name)
    return NoteSigner.from_seeds(name, ed25519_seed=seeds.ed25519, mldsa_seed=seeds.mldsa)


ONE, TWO, THREE = (signer_of(f"directory.example/{n}") for n in (1, 2, 3))
LOG = LogSigner.from_seeds("log.example/custody", seeds_of("log.example/custody"))
COSIGNER = Cosigner.from_seeds("cosigner.example/1", seeds_of("cosigner.example/1"))


def vector(kind: str, verdict: str, name: str, **fields: object) -> Vector:
    """One vector: its class, what a reader says to it, its name, and its fields."""
    return {"class": kind, "verdict": verdict, "name": name, **fields}


def flipped(line: SignatureLine) -> SignatureLine:
    """The line with the last bit of its signature changed."""
    return replace(line, signature=line.signature[:-1] + bytes([line.signature[-1] ^ 1]))


def forms() -> list[Vector]:
    """Notes as bytes, signed by strangers: what can be read at all."""
    line = "\u2014 stranger.example AAAAAAA=\n"
    right = {
        "one line": f"text\n\n{line}",
        "hundred lines": f"text\n\n{line * 100}",
        "text of a newline": f"\n\n{line}",
        "empty lines in the text": f"\na\n\n\nb\n\n{line}",
        "text that looks signed": f"text\n\n{line}\n{line}",
        "arabic": "\u0646\u0635\n\n\u2014 \u0627\u0633\u0645 AAAAAAA=\n",
        "line separator, delete and next line in the text": f"a\u2028\x7f\x85\n\n{line}",
        "name of 255 bytes": f"text\n\n\u2014 {'n' * 255} AAAAAAA=\n",
    }
    wrong = {
        "nothing": "",
        "no signature": "text\n\n",
        "no empty line": f"text\n{line}",
        "no text": f"\n{line}",
        "no last newline": f"text\n\n{line[:-1]}",
        "line after the signatures": f"text\n\n{line}more\n",
        "101 lines": f"text\n\n{line * 101}",
        "tab in the text": f"a\tb\n\n{line}",
        "carriage returns": f"text\r\n\r\n{line}",
        "nul": f"te\0xt\n\n{line}",
        "hyphen for a dash": "text\n\n- stranger.example AAAAAAA=\n",
        "no name": "text\n\n\u2014  AAAAAAA=\n",
        "name with a plus": "text\n\n\u2014 a+b AAAAAAA=\n",
        "name with a no-break space": "text\n\n\u2014 a\u00a0b AAAAAAA=\n",
        "name with a tab": "text\n\n\u2014 a\tb AAAAAAA=\n",
        "name of 256 bytes": f"text\n\n\u2014 {'n' * 256} AAAAAAA=\n",
        "two spaces": "text\n\n\u2014 stranger.example  AAAAAAA=\n",
        "three parts": "text\n\n\u2014 stranger.example AAAAAAA= more\n",
        "signature of a key id alone": "text\n\n\u2014 stranger.example AAAAAA==\n",
        "no base64": "text\n\n\u2014 stranger.example ====\n",
        "no padding": "text\n\n\u2014 stranger.example AAAAAAA\n",
        "bits left over": "text\n\n\u2014 stranger.example AAAAAAB=\n",
        "url alphabet": "text\n\n\u2014 stranger.example AAAAA_A=\n",
    }
    made = [
        vector("form", verdict, name, text=text)
        for verdict, notes in (("accepted", right), ("refused", wrong))
        for name, text in notes.items()
    ]
    not_utf8 = b"te\xffxt\n\n" + line.encode()
    return [*made, vector("form", "refused", "not UTF-8", hex=not_utf8.hex())]


def keys() -> list[Vector]:
    """Verifier keys as text: those of the vectors, and almost-keys."""
    ed25519, mldsa = ONE.key.to_texts()
    name, key_id, encoded = ed25519.split("+", 2)
    right = {
        "Ed25519": ed25519,
        "ML-DSA-44 for notes": mldsa,
        "ML-DSA-44 for checkpoints": LOG.key.mldsa.to_text(),
        "Ed25519 for cosignatures": COSIGNER.key.ed25519.to_text(),
    }
    wrong = {
        "nothing": "",
        "name alone": name,
        "no name": f"+{key_id}+{encoded}",
        "other name": f"other.example+{key_id}+{encoded}",
        "other key id": f"{name}+00000000+{encoded}",
        "key id in capitals": f"{name}+{key_id.upper()}+{encoded}",
        "short key id": f"{name}+{key_id[1:]}+{encoded}",
        "no key": f"{name}+{key_id}+",
        "type alone": "a.example+37b9ad27+AQ==",
        "unknown type": f"{name}+{key_id}+Ag{encoded[2:]}",
        "key cut short": f"{name}+{key_id}+{encoded[:-4]}",
        "space before": f" {ed25519}",
        "newline after": f"{ed25519}\n",
        "over 4,096 characters": f"{'n' * 4096}+{key_id}+{encoded}",
    }
    return [
        vector("key", verdict, title, vkey=text)
        for verdict, texts in (("accepted", right), ("refused", wrong))
        for title, text in texts.items()
    ]


class Signed:
    """A maker of vectors that share their class, keys and threshold."""

    def __init__(self, kind: str, threshold: int, signers: list[NoteSigner]) -> None:
        self._kind = kind
        self._fields = {"threshold": threshold, "keys": [signer.key.name for signer in signers]}

    def __call__(self, verdict: str, name: str, note: SignedNote) -> Vector:
        return vector(self._kind, verdict, name, **self._fields, text=note.to_bytes().decode())


def dual() -> list[Vector]:
    """One signer: both lines must be there and right."""
    make = Signed("both lines", 1, [ONE])
    note = ONE.sign(TEXT)
    ed25519, mldsa = note.signatures
    stranger = TWO.sign(TEXT).signatures
    lines = {
        "both": ("accepted", (ed25519, mldsa)),
        "both, in the other order": ("accepted", (mldsa, ed25519)),
        "both, among a stranger's": ("accepted", (stranger[0], ed25519, stranger[1], mldsa)),
        "both, a stranger's wrong": ("accepted", (ed25519, mldsa, flipped(stranger[0]))),
        "one twice": ("accepted", (ed25519, ed25519, mldsa)),
        "Ed25519 alone": ("refused", (ed25519,)),
        "ML-DSA-44 alone": ("refused", (mldsa,)),
        "strangers alone": ("refused", stranger),
        "Ed25519 wrong": ("refused", (flipped(ed25519), mldsa)),
        "ML-DSA-44 wrong": ("refused", (ed25519, flipped(mldsa))),
        "right and wrong": ("refused", (ed25519, mldsa, flipped(ed25519))),
        "under a stranger's name": (
            "refused",
            (replace(ed25519, name=TWO.key.name), replace(mldsa, name=TWO.key.name)),
        ),
        "longer": ("refused", (replace(ed25519, signature=ed25519.signature + b"\0"), mldsa)),
    }
    made = [make(v, name, replace(note, signatures=s)) for name, (v, s) in lines.items()]
    return [*made, make("refused", "another text", replace(note, text=TEXT + "\n"))]


def threshold() -> list[Vector]:
    """Two of three signers."""
    make = Signed("two of three", 2, [ONE, TWO, THREE])
    one = ONE.sign(TEXT)
    two, three = TWO.cosign(one), THREE.cosign(TWO.cosign(one))
    half = replace(two, signatures=two.signatures[:3])
    wrong_third = (*two.signatures, flipped(three.signatures[-2]), three.signatures[-1])
    twice = replace(one, signatures=one.signatures * 2)
    return [
        make("accepted", "two", two),
        make("accepted", "three", three),
        make(
            "accepted",
            "two, and half of the third",
            replace(three, signatures=three.signatures[:5]),
        ),
        make("refused", "one", one),
        make("refused", "one twice", twice),
        make("refused", "one and a half", half),
        make("refused", "two, and a wrong third", replace(two, signatures=wrong_third)),
    ]


def log_checkpoint() -> Checkpoint:
    """The checkpoint of the log that the proofs are from."""
    return Checkpoint(origin=LOG.key.name, size=len(LEAVES), root=root(LEAVES))


def cosigned() -> SignedNote:
    """That checkpoint, signed by its log and one cosigner."""
    return COSIGNER.cosign(LOG.sign(log_checkpoint(), at=SIGNED_AT), at=COSIGNED_AT)


def proof() -> TlogProof:
    """One leaf of that log, proven and cosigned."""
    hashes = inclusion_proof(LEAVES, INDEX)
    return TlogProof(index=INDEX, hashes=hashes, checkpoint=cosigned())


def unproven(right: TlogProof) -> dict[str, TlogProof]:
    """Proofs that can be read, and prove nothing to a reader who wants one cosigner."""
    first, second, *rest = right.hashes
    signatures = right.checkpoint.signatures
    other_root = replace(log_checkpoint(), root=TreeHash(bytes(32)))
    elsewhere = LogSigner.from_seeds("other.example", seeds_of("other.example"))
    other_log = replace(log_checkpoint(), origin="other.example")

    def signed_by(*lines: SignatureLine) -> TlogProof:
        return replace(right, checkpoint=replace(right.checkpoint, signatures=lines))

    def over(note: SignedNote) -> TlogProof:
        return replace(right, checkpoint=COSIGNER.cosign(note, at=COSIGNED_AT))

    return {
        "other place": replace(right, index=INDEX + 1),
        "one hash less": replace(right, hashes=right.hashes[:-1]),
        "two hashes swapped": replace(right, hashes=(second, first, *rest)),
        "not cosigned": signed_by(*signatures[:2]),
        "half cosigned": signed_by(*signatures[:3]),
        "not signed by its log": signed_by(*signatures[2:]),
        "half signed by its log": signed_by(signatures[0], *signatures[2:]),
        "a signature wrong": signed_by(*signatures[:3], flipped(signatures[3])),
        "root of another tree": over(LOG.sign(other_root)),
        "another log": over(elsewhere.sign(other_log)),
    }


def unread(text: str) -> dict[str, str]:
    """Texts that are almost a proof."""
    head, _, checkpoint = text.partition("\n\n")
    return {
        "other version": text.replace("@v1", "@v2"),
        "no index": text.replace("index 6\n", ""),
        "first line alone": f"c2sp.org/tlog-proof@v1\n\n{checkpoint}",
        "index with a zero before": text.replace("index 6", "index 06"),
        "extra data after the index": text.replace("index 6\n", "index 6\nextra AA==\n"),
        "empty extra data": text.replace("index 6", "extra \nindex 6"),
        "extra data not base64": text.replace("index 6", "extra ?\nindex 6"),
        "extra data twice": text.replace("index 6", "extra AA==\nextra AA==\nindex 6"),
        "extra data over 4,096 bytes": text.replace("index 6", f"extra {'AAAA' * 1366}\nindex 6"),
        "65 hashes": text.replace("index 6\n", "index 6\n" + f"{'A' * 43}=\n" * 61),
        "carriage returns": text.replace("\n", "\r\n"),
        "no checkpoint": f"{head}\n\n",
        "empty line between hashes": text.replace("=\n", "=\n\n", 1),
        "nothing": "",
    }


def proofs() -> list[Vector]:
    """Proofs of one leaf, for a reader who wants the log's signatures and one cosigner's."""
    right = proof()
    as_made = right.to_bytes().decode()
    accepted = {"as made": as_made, "extra data": as_made.replace("index", "extra aGludA==\nindex")}
    refused = {name: wrong.to_bytes().decode() for name, wrong in unproven(right).items()}
    return [
        vector("log proof", verdict, name, leaf=LEAVES[INDEX].hex(), text=text)
        for verdict, texts in (("accepted", accepted), ("refused", refused | unread(as_made)))
        for name, text in texts.items()
    ]


def build() -> dict[str, object]:
    """Return the keys by name, the log, its cosigner, and every vector."""
    signers = (ONE.key, TWO.key, THREE.key, LOG.key, COSIGNER.key)
    return {
        "keys": {key.name: key.to_texts() for key in signers},
        "log": LOG.key.name,
        "cosigner": COSIGNER.key.name,
        "vectors": [*forms(), *keys(), *dual(), *threshold(), *proofs()],
    }


if __name__ == "__main__":
    VECTORS.write_text(json.dumps(build(), indent=1) + "\n", "utf-8")
