"""The outer bag of a sealed package: all of it but the sealed object follows from the signed note.

A writer writes these files, a reader makes them again and compares, so there is one spelling of a
package from outside. Format: docs/format/20-package.md section 1.
"""

from collections.abc import Mapping

from amana.wire import bag
from amana.wire import package_paths as paths
from amana.wire.bag import Algorithm, Digests
from amana.wire.package import SealedPackage


def outer_tags(sealed: SealedPackage, note: bytes) -> Mapping[str, bytes]:
    """Give every tag file of the outer bag by its path, in the order of writing.

    note: the signed note on `sealed`. The bag has one manifest; the seal has digests of its own.
    """
    listed = {
        bag.DECLARATION_NAME: bag.DECLARATION,
        bag.INFO_NAME: bag.info(
            identifier=sealed.package_id,
            bagged_on=sealed.made_on,
            octets=sealed.sealed_size,
            files=1,
        ),
        paths.SEAL_NOTE: note,
        Algorithm.SHA256.manifest: bag.manifest_line(sealed.sealed_sha256, paths.SEALED),
    }
    lines = (bag.manifest_line(Digests.of(raw).sha256, name) for name, raw in listed.items())
    return listed | {Algorithm.SHA256.tag_manifest: b"".join(lines)}
