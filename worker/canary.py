"""Is the scanner itself? It must find the EICAR file, plain and in a zip, and pass a clean sample.

Asked before and after every round: a scanner without signatures, with the wrong ones, or one that
says OK to everything, gives itself away here and not in a verdict. The zip is for its temporary
folder: without room to unpack, clamd 1.4.6 says OK to some files that it could not look at.
"""

import io
import zipfile
from typing import Final

from worker.clamd_wire import ClamdClient
from worker.memory import MemoryBudget
from worker.verdict import Verdict, judge_reply

# Written in halves: a scanner on a developer's machine would take this very file away.
EICAR: Final = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-" + rb"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The EICAR test file: 68 bytes that every scanner reports and no machine is harmed by."""

CLEAN_SAMPLE: Final = b"amana clean sample: there is nothing to find in here\n"
"""What no scanner may report."""

_SAMPLE_BYTES: Final = 1_024


def is_right(client: ClamdClient) -> bool:
    """Say whether this clamd judges every sample rightly. RetryError: it does not answer."""
    with MemoryBudget(_SAMPLE_BYTES).allot(_SAMPLE_BYTES) as allotment:
        for sample, due in (
            (EICAR, Verdict.INFECTED),
            (_zipped(EICAR), Verdict.INFECTED),
            (CLEAN_SAMPLE, Verdict.CLEAN),
        ):
            windows = allotment.cut([sample], window_bytes=_SAMPLE_BYTES, overlap_bytes=0)
            for memory, _ in windows:
                with memory:
                    if judge_reply(client.scan(memory), len(sample)).verdict is not due:
                        return False
    return True


def _zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("canary"), content)
    return file.getvalue()
