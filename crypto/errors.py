"""What can go wrong in this package, one name per fact.

Messages are for an operator's log: they never hold plaintext, key bytes or names from the material.
"""


class CryptoError(Exception):
    """The root of every error that this package raises on purpose."""


class KeyFormatError(CryptoError):
    """A recipient, identity or verifier key is not written as its format says."""


class HeaderError(CryptoError):
    """The bytes do not begin with a well-formed age header, or it is over its limits."""


class HeaderMacError(CryptoError):
    """The header was changed after it was made."""


class ArmorError(CryptoError):
    """The ASCII armor around an age file is malformed."""


class NoMatchError(CryptoError):
    """None of the identities at hand opens this file."""


class PayloadError(CryptoError):
    """The payload was cut, extended, reordered or changed."""


class TrailerError(CryptoError):
    """The payload is authentic age, but its padding or trailer is not Amana's."""


class CanonicalError(CryptoError):
    """The bytes are not RFC 8785 JSON within our limits."""


class NoteError(CryptoError):
    """The bytes are not a C2SP signed note within our limits."""


class SignatureError(CryptoError):
    """A signature that must be there is missing or wrong."""


class ProofError(CryptoError):
    """A Merkle proof, checkpoint or its text is malformed, or does not prove what it should."""


class PhraseError(CryptoError):
    """What was typed is not a return phrase."""


class WordListError(CryptoError):
    """A word list that came with this program is damaged: the installation is broken."""


class UnverifiedError(CryptoError):
    """Content was asked for before the whole object had been authenticated."""


class FinishedError(CryptoError):
    """More was added to an object that has already been finished."""


class KeyStoreError(CryptoError):
    """A key store is missing or damaged, or others can read it."""


class KeyAbsentError(CryptoError):
    """The key store has nothing under this name."""


class KeyTakenError(CryptoError):
    """The key store has something else under this name, and never overwrites."""


class DestroyedError(CryptoError):
    """What had this name in the key store was destroyed; its tombstone stands."""


class NotHeldError(CryptoError):
    """The officer's ring does not hold the identity of this group."""


class SecretBoxError(CryptoError):
    """A secret box was not made with this key, or was changed."""
