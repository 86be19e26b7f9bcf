"""The item manifest: everything that is said of one item, salted and sealed.

It is the only place where a name, a plaintext digest or a provenance stands. A portal that makes
one (no-script path) seals it in the same breath as the object and keeps nothing of it.
Format: docs/format/07-manifests.md.
"""

from enum import StrEnum, unique
from typing import ClassVar, Final

from amana.wire.documents import Document, Nested, carries, record
from amana.wire.errors import FieldError
from amana.wire.fields import Choice, Flag, Many, Nullable, Text, Whole
from amana.wire.ids import (
    BATCH_ID,
    CONTENT_SHA256,
    CONTENT_SHA512,
    GROUP_ID,
    ITEM_ID,
    OBJECT_ID,
    SALT,
    SUBMISSION_ID,
    BatchId,
    ContentSha256,
    ContentSha512,
    GroupId,
    ItemId,
    ObjectId,
    Salt,
    SubmissionId,
)
from amana.wire.names import FileTimes, RawName
from amana.wire.provenance import FEW, PARAGRAPH, PriorAccount, Provenance
from amana.wire.references import ConsentReference, TermsReference
from amana.wire.vocabulary import SealedBy, SourceType
from amana.wire.words import LANGUAGE, MEDIA_TYPE, VERSION_TEXT, LanguageTag, MediaType, VersionText
from crypto import merkle
from crypto.merkle import TreeHash
from terms.agreement import Material
from terms.vocabulary import HandlingClass

ITEM_LIMIT_BYTES: Final = 1 << 20
"""Longest item manifest: every field at its limit would be longer, no real item comes near it."""

CONTENT_SIZE: Final = Whole(0, 1 << 47)
"""Bytes of one item, to 128 TiB: as long as a sealed object may be."""

FIRST_OFFSET: Final = 512
"""Where the first item of a pack begins: after its tar header (docs/format/16-pack.md)."""

PACK_BYTES: Final = 32 << 20
"""Longest pack (docs/format/16-pack.md)."""


@unique
class ItemKind(StrEnum):
    """What an item was on the provider's disk. A folder is an item only when it is empty."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"


@record
class ObjectPlace:
    """Where an item's bytes lie. The item's size says where they end."""

    object_id: ObjectId = carries(OBJECT_ID, "The sealed object that holds the bytes.")
    offset: int | None = carries(
        Nullable(Whole(FIRST_OFFSET, PACK_BYTES)),
        "Where they begin in the content of a pack; null when the item is the whole content.",
    )


@record
class Content:
    """The bytes of a file: where they lie and what they are."""

    place: ObjectPlace = carries(Nested(ObjectPlace), "Where the bytes lie.")
    size: int = carries(CONTENT_SIZE, "Bytes, as received.")
    sha256: ContentSha256 = carries(CONTENT_SHA256, "SHA-256 of the bytes as received.")
    sha512: ContentSha512 = carries(CONTENT_SHA512, "SHA-512 of the bytes as received.")


@record
class Description:
    """What the provider says that the item is. Null is not said."""

    text: str | None = carries(Nullable(PARAGRAPH), "In the provider's words.")
    languages: tuple[LanguageTag, ...] | None = carries(
        Nullable(Many(LANGUAGE, 16)), "Languages in the material."
    )
    material_type: Material | None = carries(
        Nullable(Choice(Material)), "What kind of material it is."
    )
    source_type: SourceType | None = carries(
        Nullable(Choice(SourceType)), "Whom it is from in the first place."
    )
    assertions: str | None = carries(
        Nullable(PARAGRAPH),
        "The provider's own analysis; never merged with the Mechanism's (A/74/699 para. 11b-c).",
    )
    prior_accounts: tuple[PriorAccount, ...] | None = carries(
        Nullable(Many(Nested(PriorAccount), FEW)), "To whom the person has told this before."
    )


UNDESCRIBED: Final = Description(
    text=None,
    languages=None,
    material_type=None,
    source_type=None,
    assertions=None,
    prior_accounts=None,
)
"""What is said of an item of which its provider says nothing."""


@record
class ItemManifest(Document):
    """Everything that is said of one item.

    FieldError: a file without content, a folder or link with some, a target of what is no link.
    """

    FORMAT: ClassVar = "amana/item-manifest/v1"
    LIMIT_BYTES: ClassVar = ITEM_LIMIT_BYTES

    salt: Salt = carries(SALT, "Random, new for each item: keeps the leaf from being guessed.")
    item_id: ItemId = carries(ITEM_ID, "This item.")
    submission_id: SubmissionId = carries(SUBMISSION_ID, "The submission that it came in.")
    kind: ItemKind = carries(Choice(ItemKind), "File, empty folder, or link.")
    content: Content | None = carries(
        Nullable(Nested(Content)), "The bytes; null for a folder or a link."
    )
    link_target: RawName | None = carries(
        Nullable(Nested(RawName)), "What a link names; null for anything else. Never followed."
    )
    name: RawName = carries(Nested(RawName), "The name, without folders.")
    folder: RawName | None = carries(
        Nullable(Nested(RawName)),
        "The folder below the top of what was given, steps divided by `/`, empty for the top; "
        "null when the sender did not say.",
    )
    claimed_type: MediaType | None = carries(
        Nullable(MEDIA_TYPE), "The media type that the sender claimed. Not believed."
    )
    file_times: FileTimes = carries(Nested(FileTimes), "What the provider's file system said.")
    provider_reference: str | None = carries(
        Nullable(Text(256)), "The provider's own reference, repeated in receipt R2."
    )
    group_id: GroupId | None = carries(Nullable(GROUP_ID), "What this item belongs together with.")
    sidecars: tuple[ItemId, ...] = carries(
        Many(ITEM_ID, FEW), "Items that describe this one, such as a capture app's record."
    )
    batch_id: BatchId | None = carries(Nullable(BATCH_ID), "Items under the same conditions.")
    terms: TermsReference = carries(Nested(TermsReference), "The conditions that it came under.")
    consents: tuple[ConsentReference, ...] = carries(
        Many(Nested(ConsentReference), 256, least=1),
        "One entry for each person concerned, or one that says that it is not known.",
    )
    handling_class: HandlingClass | None = carries(
        Nullable(Choice(HandlingClass)), "As declared; null takes the submission's."
    )
    at_risk: bool | None = carries(
        Nullable(Flag()), "Whether the original may soon be lost; goes first if so."
    )
    description: Description = carries(Nested(Description), "What the provider says that it is.")
    provenance: Provenance = carries(Nested(Provenance), "Where it comes from.")
    sealed_by: SealedBy = carries(Choice(SealedBy), "Where plaintext last was.")
    client_version: VersionText | None = carries(
        Nullable(VERSION_TEXT), "The program that made this; null when it is not to be named."
    )

    def __post_init__(self) -> None:
        if (self.content is not None) != (self.kind is ItemKind.FILE):
            raise FieldError("does not fit the kind", "content")
        if (self.link_target is not None) != (self.kind is ItemKind.LINK):
            raise FieldError("does not fit the kind", "link_target")

    @property
    def leaf(self) -> TreeHash:
        """The leaf of this item below `items_root`: RFC 6962 leaf hash of its bytes."""
        return merkle.leaf_hash(self.to_bytes())
