"""Examples that carry signatures and proofs: made anew each time, for ML-DSA signs with chance."""

from amana.wire.ids import Digest
from amana.wire.minted import MintedCard
from amana.wire.receipt import ReceiptFile
from crypto import merkle
from crypto.checkpoint import Checkpoint
from crypto.tlogproof import LogPolicy, TlogProof
from tests.wire.cards import MINTED_BATCH, MINTED_LEAVES, ONE_TIME_CARDS, SIGNER_CARD
from tests.wire.examples import EVENT, R1
from tests.wire.givens import DIRECTORY, LOG, MINTER, PORTAL, signed

LOG_LEAVES = [merkle.leaf_hash(b"someone else"), EVENT.leaf, merkle.leaf_hash(b"a dummy")]
LOG_POLICY = LogPolicy(log=LOG.key)


def a_proof() -> TlogProof:
    """The proof that EVENT is leaf 1 of 3 in the portal's log."""
    checkpoint = Checkpoint(origin=LOG.key.name, size=3, root=merkle.root(LOG_LEAVES))
    return TlogProof(
        index=1, hashes=merkle.inclusion_proof(LOG_LEAVES, 1), checkpoint=LOG.sign(checkpoint)
    )


def a_receipt_file() -> ReceiptFile:
    return ReceiptFile(
        note=signed(R1, PORTAL).decode(), proof=a_proof().to_bytes().decode(), timestamps=()
    )


def a_minted_card(index: int) -> MintedCard:
    path = merkle.inclusion_proof(MINTED_LEAVES, index)
    return MintedCard(
        card=ONE_TIME_CARDS[index],
        index=index,
        path=tuple(Digest(each.hex()) for each in path),
        batch=signed(MINTED_BATCH, MINTER).decode(),
        minters=(signed(SIGNER_CARD, *DIRECTORY[:2]).decode(),),
    )
