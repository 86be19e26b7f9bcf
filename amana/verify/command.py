"""`amana verify`: judge a receipt off line, with the kit and the signer cards."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from amana.exitcodes import ExitCode
from amana.i18n import Sentence, Speaker, preferred_language
from amana.verify.errors import NotProvenError, ReceiptDiffersError, SignerUnknownError
from amana.verify.receipts import FILE_LIMIT_BYTES, Judged, judge, read_file
from amana.wire.card import CARD_LIMIT_BYTES
from amana.wire.errors import WireError
from amana.wire.kit import EnrolmentKit
from amana.wire.note import PackageNote
from amana.wire.receipt import ReceiptR1
from amana.wire.signers import SIGNATURES_LIMIT_BYTES
from amana.wire.upload import NOTE_LIMIT_BYTES
from crypto.errors import NoteError
from crypto.note import SignedNote

_CARD_NOTE_BYTES = CARD_LIMIT_BYTES + SIGNATURES_LIMIT_BYTES


def main(argv: Sequence[str]) -> int:
    """Judge a receipt, and say what was shown and what was not."""
    options = _parser().parse_args(argv)
    speaker = Speaker(preferred_language(os.environ))
    try:
        judged = _judge(options)
    except ReceiptDiffersError:
        return _refuse(speaker, "differs", ExitCode.REFUSED)
    except NotProvenError:
        return _refuse(speaker, "not-proven", ExitCode.PROOF_INVALID)
    except SignerUnknownError:
        return _refuse(speaker, "signer-unknown", ExitCode.KEY_UNKNOWN)
    except (WireError, NoteError):
        return _refuse(speaker, "file-malformed", ExitCode.REFUSED)
    except (FileNotFoundError, IsADirectoryError) as failure:
        return _refuse(speaker, "no-such-file", ExitCode.REFUSED, path=str(failure.filename))
    code = _code(judged)
    if options.json:
        sys.stdout.write(json.dumps(_fields(judged, code), sort_keys=True) + "\n")
    else:
        sys.stdout.write("\n".join(_account(speaker, judged, options.note)) + "\n")
    return code


def _judge(options: argparse.Namespace) -> Judged:
    file = read_file(_read(options.receipt, FILE_LIMIT_BYTES))
    kit = None
    if options.kit is not None:
        kit = EnrolmentKit.from_bytes(_read(options.kit, EnrolmentKit.LIMIT_BYTES))
    judged = judge(
        file,
        kit,
        [_read(path, _CARD_NOTE_BYTES) for path in options.card],
        [_read(path, _CARD_NOTE_BYTES) for path in options.log_card],
    )
    if options.note is not None:
        signed = SignedNote.parse(
            _read(options.note, NOTE_LIMIT_BYTES), limit_bytes=NOTE_LIMIT_BYTES
        )
        if PackageNote.from_bytes(signed.text.encode("utf-8")).digest != _note_digest(judged):
            raise ReceiptDiffersError("the receipt is about another note")
    return judged


def _note_digest(judged: Judged) -> str:
    receipt = judged.receipt
    return receipt.note_sha256 if isinstance(receipt, ReceiptR1) else receipt.decision.note_sha256


def _code(judged: Judged) -> ExitCode:
    if judged.signer is None:
        return ExitCode.KEY_UNKNOWN
    if judged.proof is not None:
        return ExitCode.NO_TIMESTAMP_YET
    return ExitCode.OK


def _account(speaker: Speaker, judged: Judged, note: Path | None) -> list[str]:
    receipt = judged.receipt
    is_first = isinstance(receipt, ReceiptR1)
    day = receipt.event.on.isoformat()

    def say(key: str, **values: str | int) -> str:
        return speaker.say(Sentence(key=f"verify.{key}", values=values))

    lines = [
        say("of-arrival" if is_first else "of-decision", day=day),
        say("submission", submission=receipt.event.thing.id),
        say("note-same" if note is not None else "note", sha256=_note_digest(judged)),
        say("signed-by", name=judged.signer.key.name) if judged.signer else say("not-judged"),
        say("in-log" if judged.proof else "promised", log=receipt.log, day=str(receipt.merged_by)),
    ]
    if judged.proof is not None:
        lines.append(say("no-timestamp"))
    return lines


def _fields(judged: Judged, code: ExitCode) -> dict[str, object]:
    receipt = judged.receipt
    return {
        "deployment": receipt.event.deployment.value,
        "exit_code": code.value,
        "in_log": judged.proof is not None,
        "log": receipt.log,
        "merged_by": receipt.merged_by.isoformat(),
        "note_sha256": _note_digest(judged),
        "on": receipt.event.on.isoformat(),
        "receipt": receipt.FORMAT,
        "signer": None if judged.signer is None else judged.signer.key.name,
        "submission": receipt.event.thing.id,
    }


def _refuse(speaker: Speaker, key: str, code: ExitCode, **values: str) -> int:
    told = speaker.say(Sentence(key=f"verify.{key}", values=values))
    sys.stderr.write(f"amana: {told} [verify.{key}]\n")
    return code


def _read(path: Path, limit_bytes: int) -> bytes:
    with path.open("rb") as source:
        return source.read(limit_bytes + 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="amana verify",
        description="Judge a receipt on this machine. Nobody is asked.",
        epilog="Example: amana verify bundle.receipt --kit kit.json --card portal-signer.note "
        "--note bundle/package.note",
    )
    parser.add_argument("receipt", type=Path, help="the receipt file")
    parser.add_argument("--kit", type=Path, help="your enrolment kit")
    parser.add_argument(
        "--card",
        type=Path,
        action="append",
        default=[],
        help="signer card of the key that signs receipts; again for each newer one, oldest first",
    )
    parser.add_argument(
        "--log-card", type=Path, action="append", default=[], help="the same of the log's key"
    )
    parser.add_argument("--note", type=Path, help="the package note that it should be about")
    parser.add_argument("--json", action="store_true", help="one line of JSON for a program")
    return parser
