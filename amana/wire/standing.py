"""The standing terms as a document that items can name, for material without an agreement.

They are constants (`terms.mandate`), so their digest is that of their one JSON form. Format:
docs/format/12-terms-snapshot.md, 13-terms.md section 6.
"""

import hashlib
from typing import Final

from amana.wire.conditions import LAYER
from amana.wire.ids import Digest
from amana.wire.references import AgreementRef, TermsReference
from amana.wire.vocabulary import TermsState
from crypto import canonical
from terms.mandate import STANDING_TERMS

STANDING_SHA256: Final = Digest(
    hashlib.sha256(canonical.encode(LAYER.write(STANDING_TERMS))).hexdigest()
)
"""SHA-256 of the canonical JSON of the layer."""

UNDER_STANDING_TERMS: Final = TermsReference(
    state=TermsState.STANDING,
    named=AgreementRef(
        uid=STANDING_TERMS.uid, version=STANDING_TERMS.version, digest=STANDING_SHA256
    ),
)
"""What an item says that came under them."""
