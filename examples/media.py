"""Make a photograph, a film, a page and a letter by hand: small, harmless, real of their kind."""

import io
import struct
import zipfile
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import av

SIDE: Final = 96
_FRAMES: Final = 12

_TAKEN: Final = b"2013:08:21 05:12:44\0"
_MAKER: Final = b"EXAMPLE\0"


def photograph() -> bytes:
    """Give a JPEG with an EXIF block (CIPA DC-008): a maker, and when it says it was taken."""
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width = encoder.height = SIDE
    encoder.pix_fmt, encoder.time_base = "yuvj420p", Fraction(1, 1)
    packets = [*encoder.encode(_frame(0).reformat(format="yuvj420p")), *encoder.encode(None)]
    plain = b"".join(bytes(packet) for packet in packets)
    block = b"Exif\0\0" + _exif()
    # Behind the first two bytes, the mark that a JPEG begins (ITU-T T.81 B.1.1.3).
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + plain[2:]


def film() -> bytes:
    """Give half a second of H.264 in an MP4."""
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=2 * _FRAMES)
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        for number in range(_FRAMES):
            container.mux(stream.encode(_frame(number)))
        container.mux(stream.encode(None))
    return target.getvalue()


def page(lines: Sequence[str]) -> bytes:
    """Give a PDF 1.4 of one page (ISO 32000-1 section 7.5), with a few lines of Latin text."""
    shown = "".join(f"({line}) Tj 0 -20 Td " for line in lines)
    text = f"BT /F1 14 Tf 40 760 Td {shown}ET"
    objects = (
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        (
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
            "/Resources<</Font<</F1 5 0 R>>>>>>"
        ),
        f"<</Length {len(text)}>>stream\n{text}\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )
    body, places = "%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += f"{number} 0 obj{content}endobj\n"
    rows = "".join(f"{place:010} 00000 n \n" for place in places)
    count = len(objects) + 1
    table = f"xref\n0 {count}\n0000000000 65535 f \n{rows}"
    end = f"trailer<</Size {count}/Root 1 0 R>>\nstartxref\n{len(body)}\n%%EOF\n"
    return f"{body}{table}{end}".encode()


def letter(text: str) -> bytes:
    """Give a DOCX (ECMA-376 part 2) with one paragraph."""
    office = "http://schemas.openxmlformats.org"
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    types = (
        f'{head}<Types xmlns="{office}/package/2006/content-types">'
        '<Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/word/document.xml" ContentType="application/'
        'vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
    )
    links = (
        f'{head}<Relationships xmlns="{office}/package/2006/relationships"><Relationship Id="a" '
        f'Type="{office}/officeDocument/2006/relationships/officeDocument" '
        'Target="word/document.xml"/></Relationships>'
    )
    document = (
        f'{head}<w:document xmlns:w="{office}/wordprocessingml/2006/main"><w:body><w:p><w:pPr>'
        f"<w:bidi/></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>"
    )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in (
            ("[Content_Types].xml", types),
            ("_rels/.rels", links),
            ("word/document.xml", document),
        ):
            archive.writestr(zipfile.ZipInfo(name), part)
    return target.getvalue()


def _frame(number: int) -> av.VideoFrame:
    """Give a picture of slow colours, moved on by a number."""
    pixels = bytearray()
    for down in range(SIDE):
        for across in range(SIDE):
            shades = (across + 4 * number, down + 2 * number, (across + down) // 2 + 8 * number)
            pixels += bytes((*(shade % 256 for shade in shades), 255))
    return av.VideoFrame.from_bytes(bytes(pixels), SIDE, SIDE, format="rgba")


def _exif() -> bytes:
    """Give a TIFF block, little-endian: tag, type 2 (text), count, place of the value."""
    entries = ((0x010F, _MAKER), (0x0132, _TAKEN))
    place = 8 + 2 + 12 * len(entries) + 4
    rows, values = b"", b""
    for tag, value in entries:
        rows += struct.pack("<HHII", tag, 2, len(value), place + len(values))
        values += value
    return struct.pack("<2sHIH", b"II", 42, 8, len(entries)) + rows + b"\0\0\0\0" + values
