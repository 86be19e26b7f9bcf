"""The portal's log as others see it: signed checkpoints, proofs, and who saw that it only grew.

Format: docs/format/04-merkle-log.md, 22-pull.md section 5.
"""

from datetime import date
from typing import Final

from sqlalchemy import insert, select, update

from amana.store import log as store
from amana.store.engine import Database
from amana.wire.ids import LogOrigin
from amana.wire.pull import CHECKPOINT_LIMIT_BYTES, CheckpointAnswer, HashText
from crypto.checkpoint import Checkpoint
from crypto.errors import NoteError, ProofError, SignatureError
from crypto.merkle import TreeHash
from crypto.note import DualKey, SignedNote
from crypto.tlogproof import LogPolicy, TlogProof, believe
from portal.custody import PortalKeys
from portal.records.tables import COSIGNED_CHECKPOINT

_LINES: Final = 4
"""The log's two lines and the cosigner's two: a line of anybody else has no place there."""


async def answer_from(
    database: Database, keys: PortalKeys, origin: LogOrigin, old_size: int, today: date
) -> CheckpointAnswer:
    """Give the log's checkpoint now, and the proof that it continues an older size.

    Where the older is larger than the log there is no proof, and whoever asked sees why.
    """
    async with database.read() as connection:
        now = await store.checkpoint(connection, origin)
        hashes = (
            await store.consistency_proof(connection, old_size, now.size)
            if old_size <= now.size
            else ()
        )
    return CheckpointAnswer(
        old_size=old_size,
        checkpoint=keys.publish(now, today).to_bytes().decode("utf-8"),
        proof=tuple(HashText(each.hex()) for each in hashes),
    )


async def keep_cosigned(
    database: Database, untrusted: bytes, log: DualKey, cosigner: DualKey
) -> bool:
    """Keep a checkpoint of ours that the quarantine cosigned; False: it is not one.

    A later cosignature of the same size takes the place of the earlier one.
    """
    policy = LogPolicy(log=log, cosigners=(cosigner,), threshold=1)
    try:
        note = SignedNote.parse(untrusted, limit_bytes=CHECKPOINT_LIMIT_BYTES)
        believed = believe(note, policy)
    except (NoteError, ProofError, SignatureError):
        return False
    if len(note.signatures) != _LINES:
        return False
    size = believed.checkpoint.size
    async with database.write() as connection:
        again = (
            update(COSIGNED_CHECKPOINT)
            .where(COSIGNED_CHECKPOINT.c.size == size)
            .values(note=untrusted)
        )
        if not (await connection.execute(again)).rowcount:
            await connection.execute(insert(COSIGNED_CHECKPOINT).values(size=size, note=untrusted))
    return True


async def prove(database: Database, leaf: TreeHash) -> TlogProof | None:
    """Prove that a leaf stands in the newest checkpoint that the quarantine cosigned.

    None: it does not yet, or nothing was cosigned. Whoever holds the event verifies it off line.
    """
    raw = await newest_cosigned(database)
    if raw is None:
        return None
    note = SignedNote.parse(raw, limit_bytes=CHECKPOINT_LIMIT_BYTES)
    size = Checkpoint.from_text(note.text).size
    if not size:
        return None
    async with database.read() as connection:
        found = await store.inclusion_proof(connection, leaf, size)
    if found is None:
        return None
    return TlogProof(index=found.index, hashes=found.hashes, checkpoint=note, extra=None)


async def newest_cosigned(database: Database) -> bytes | None:
    """Give the largest checkpoint that the quarantine cosigned, as a note; None: there is none."""
    query = select(COSIGNED_CHECKPOINT.c.note).order_by(COSIGNED_CHECKPOINT.c.size.desc()).limit(1)
    async with database.read() as connection:
        return await connection.scalar(query)
