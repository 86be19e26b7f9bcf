"""Bodies as a browser writes them, and some as none would."""

import base64

BOUNDARY = "----geckoformboundary5c3b2a1f"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def field(name: str, value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + raw


def file(name: str | bytes, content: bytes, media_type: str = "application/octet-stream") -> bytes:
    raw = name.encode() if isinstance(name, str) else name
    head = b'Content-Disposition: form-data; name="files"; filename="' + raw + b'"\r\n'
    return head + f"Content-Type: {media_type}\r\n\r\n".encode() + content


def body(*parts: bytes) -> bytes:
    opening = f"--{BOUNDARY}\r\n".encode()
    return b"".join(opening + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()


def spellings(secret: bytes) -> list[bytes]:
    """How a secret could stand on a disk: as it is, in hexadecimal, in base64 at any offset."""
    inner = [base64.b64encode(b"x" * n + secret)[4:-4] for n in range(3)]
    return [secret, secret.hex().encode(), *inner, *(each.translate(_URL) for each in inner)]


_URL = bytes.maketrans(b"+/", b"-_")
