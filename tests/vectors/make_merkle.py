"""Write tests/vectors/merkle/vectors.json: roots, proofs and checkpoint texts, right and wrong.

Deterministic. The tree here is written from the words of RFC 9162 section 2.1, recursively and
slowly, and shares nothing with crypto.merkle: it is the second opinion of the tests.
"""

import base64
import hashlib
import json
from pathlib import Path

VECTORS = Path(__file__).parent / "merkle" / "vectors.json"

# The eight leaves that Certificate Transparency's own implementations have tested with since 2013.
CT_LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]

# Their published roots, by size (RFC 6962 implementations in C++, Go and Java agree on them).
CT_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

Vector = dict[str, object]


def leaf_of(data: bytes) -> bytes:
    """MTH({d[0]}) = HASH(0x00 || d[0])."""
    return hashlib.sha256(b"\x00" + data).digest()


def split(n: int) -> int:
    """Return k, the largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(leaves: list[bytes]) -> bytes:
    """MTH(D[n]) over leaf hashes."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH(m, D[n])."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], *, known: bool = True) -> list[bytes]:
    """SUBPROOF(m, D[n], b); PROOF(m, D[n]) is SUBPROOF(m, D[n], true)."""
    if m == len(leaves):
        return [] if known else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], known=known), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], known=False), mth(leaves[:k])]


def vector(kind: str, verdict: str, name: str, **fields: object) -> Vector:
    """One vector: its class, what a reader says to it, its name, and its fields."""
    return {"class": kind, "verdict": verdict, "name": name, **fields}


def hexes(hashes: list[bytes]) -> list[str]:
    """Hashes as they stand in the file."""
    return [one.hex() for one in hashes]


def roots() -> list[Vector]:
    """Published roots, and one of 300 leaves from a C2SP log's test data (see notes/)."""
    small = [
        vector("root", "accepted", f"{n} leaves", leaves=hexes(CT_LEAVES[:n]), root=CT_ROOTS[n])
        for n in range(9)
    ]
    records = hexes([b"record %d" % n for n in range(300)])
    root = base64.b64decode("gw31yQrqZZCcEOPrzX+bpy3nJ6QgngTKn8G1m0i62uU=").hex()
    return [*small, vector("root", "accepted", "300 leaves", leaves=records, root=root)]


def inclusions(leaves: list[bytes]) -> list[Vector]:
    """Every leaf of every tree of at most eight, each also with its last hash or place wrong."""
    made = []
    for n in range(1, 9):
        for m in range(n):
            right = {
                "leaf": leaves[m].hex(),
                "index": m,
                "size": n,
                "root": CT_ROOTS[n],
                "proof": hexes(path(m, leaves[:n])),
            }
            made.append(vector("inclusion", "accepted", f"leaf {m} of {n}", **right))
            wrong = {**right, "index": (m + 1) % n} if n > 1 else {**right, "size": 2}
            made.append(vector("inclusion", "refused", f"leaf {m} of {n}, misplaced", **wrong))
            longer = {**right, "proof": [*hexes(path(m, leaves[:n])), CT_ROOTS[0]]}
            made.append(vector("inclusion", "refused", f"leaf {m} of {n}, longer", **longer))
    return made


def consistencies(leaves: list[bytes]) -> list[Vector]:
    """Every two trees of at most eight, each also with another old root and a hash too many."""
    made = []
    for n in range(9):
        for m in range(n + 1):
            proof = hexes(subproof(m, leaves[:n])) if m > 0 else []
            right = {
                "old_size": m,
                "old_root": CT_ROOTS[m],
                "size": n,
                "root": CT_ROOTS[n],
                "proof": proof,
            }
            made.append(vector("consistency", "accepted", f"{m} to {n}", **right))
            other = {**right, "old_root": CT_ROOTS[m - 1]}
            made.append(vector("consistency", "refused", f"{m} to {n}, other root", **other))
            longer = {**right, "proof": [*proof, CT_ROOTS[0]]}
            made.append(vector("consistency", "refused", f"{m} to {n}, longer", **longer))
    return made


def checkpoints() -> list[Vector]:
    """Texts of three lines, and texts that are almost that."""
    root, empty = (base64.b64encode(bytes.fromhex(CT_ROOTS[n])).decode() for n in (8, 0))
    right = {
        "small": f"log.example/custody\n8\n{root}\n",
        "empty tree": f"log.example/custody\n0\n{empty}\n",
        "largest size": f"log.example/custody\n{2**63 - 1}\n{root}\n",
        "longest origin": f"{'o' * 255}\n8\n{root}\n",
        "origin with a space": f"a log\n8\n{root}\n",
    }
    wrong = {
        "nothing": "",
        "no last newline": f"log.example/custody\n8\n{root}",
        "extension line": f"log.example/custody\n8\n{root}\nextension\n",
        "empty line after": f"log.example/custody\n8\n{root}\n\n",
        "two lines": f"log.example/custody\n{root}\n",
        "no origin": f"\n8\n{root}\n",
        "origin too long": f"{'o' * 256}\n8\n{root}\n",
        "origin with a tab": f"log\texample\n8\n{root}\n",
        "carriage returns": f"log.example/custody\r\n8\r\n{root}\r\n",
        "size with a zero before": f"log.example/custody\n08\n{root}\n",
        "size with a sign": f"log.example/custody\n+8\n{root}\n",
        "size below zero": f"log.example/custody\n-8\n{root}\n",
        "size in other digits": f"log.example/custody\n\u0668\n{root}\n",
        "size too large": f"log.example/custody\n{2**63}\n{root}\n",
        "size of thousands of digits": f"log.example/custody\n{'9' * 5000}\n{root}\n",
        "no size": f"log.example/custody\n\n{root}\n",
        "root too short": f"log.example/custody\n8\n{base64.b64encode(bytes(31)).decode()}\n",
        "root without padding": f"log.example/custody\n8\n{root[:-1]}\n",
        "root with bits left over": f"log.example/custody\n8\n{root[:-2]}h=\n",
        "root in the url alphabet": f"log.example/custody\n8\n{'_' * 43}=\n",
        "empty tree with another root": f"log.example/custody\n0\n{root}\n",
    }
    return [
        vector("checkpoint", verdict, name, text=text)
        for verdict, texts in (("accepted", right), ("refused", wrong))
        for name, text in texts.items()
    ]


def build() -> list[Vector]:
    """Return every vector."""
    leaves = [leaf_of(data) for data in CT_LEAVES]
    return [*roots(), *inclusions(leaves), *consistencies(leaves), *checkpoints()]


if __name__ == "__main__":
    VECTORS.write_text(json.dumps(build(), indent=1) + "\n", "utf-8")
