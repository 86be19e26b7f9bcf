"""`amana agreement`: keep agreements, amendments and their signatures, and read them back."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final, TypeAlias

from amana.exitcodes import ExitCode
from amana.i18n import Sentence, Speaker, preferred_language
from amana.settings import Settings, load
from amana.wire.consent_toml import CONSENT_FORMAT, read_consent
from amana.wire.errors import FieldError, TermsTextError, WireError
from amana.wire.ids import ACCOUNT_ID, AccountId
from amana.wire.signers import SIGNATURES_LIMIT_BYTES
from amana.wire.terms_signature import TermsSignature, read_terms_signature
from amana.wire.terms_toml import AMENDMENT_FORMAT, read_agreement, read_amendment
from amana.wire.toml_table import LIMIT_BYTES, parse
from terms import names
from terms.agreement import ATTESTING_OFFICERS, Agreement, Amendment, Signature, SignatureKind
from terms.errors import TermsError, VocabularyError
from terms.names import Uid
from worker.agreements import AgreementHolder, AgreementStore
from worker.enrolled import Register
from worker.errors import AgreementError, AgreementFault
from worker.places import Places

Field: TypeAlias = str | int | bool | list[str] | list[dict[str, str | int | bool]]

_NOTE_LIMIT_BYTES: Final = TermsSignature.LIMIT_BYTES + SIGNATURES_LIMIT_BYTES


class _Desk:
    """One call of the command: its options, the store and its voice."""

    def __init__(self, options: argparse.Namespace) -> None:
        path = options.settings or os.environ.get("AMANA_SETTINGS")
        self.options = options
        self.settings: Settings = load(Path(path) if path else None, os.environ)
        self.places = Places(data_directory=self.settings.data_directory)
        self.store = AgreementStore(self.places.agreements)
        self._speaker = Speaker(preferred_language(os.environ))

    def say(self, key: str, **values: str | int) -> str:
        """Give a sentence of this command in the person's language."""
        return self._speaker.say(Sentence(key=f"agreement.{key}", values=values))

    def result(self, lines: Sequence[str], fields: Mapping[str, Field]) -> int:
        """Give the result: lines for a person, or the fields as one line of JSON."""
        text = "\n".join(lines)
        if self.options.json:
            text = json.dumps(fields, ensure_ascii=True, sort_keys=True)
        sys.stdout.write(f"{text}\n")
        return ExitCode.OK

    def refuse(self, sentence: Sentence) -> int:
        """Say why nothing was kept."""
        sys.stderr.write(f"amana: {self._speaker.say(sentence)} [{sentence.key}]\n")
        return ExitCode.REFUSED


def main(argv: Sequence[str]) -> int:
    """Do what the second word names, and return its exit code."""
    options = _parser().parse_args(argv)
    verb: Callable[[_Desk], int] = options.verb
    desk = _Desk(options)
    try:
        return verb(desk)
    except TermsTextError as failure:
        return desk.refuse(failure.in_file(str(options.file)))
    except AgreementError as failure:
        return desk.refuse(Sentence(key=f"agreement.refused-{failure.fault}"))


def _check(desk: _Desk) -> int:
    """Read a text back, rule by rule, as every machine will; nothing is kept."""
    source = _read(desk.options.file, LIMIT_BYTES)
    match _format(source):
        case str(found) if found == CONSENT_FORMAT:
            record = read_consent(source)
            lines = [desk.say("consent", consent=record.uid, person=record.person)]
            lines += [f"  {each.purpose}: {each.answer}" for each in record.answers]
            return desk.result(lines, {"consent": record.uid})
        case str(found) if found == AMENDMENT_FORMAT:
            return _tell_amendment(desk, read_amendment(source))
        case _:
            return _tell_agreement(desk, read_agreement(source).agreement)


def _add(desk: _Desk) -> int:
    """Keep a version of an agreement, or an amendment."""
    source = _read(desk.options.file, LIMIT_BYTES)
    if _format(source) == AMENDMENT_FORMAT:
        amendment = desk.store.amend(source)
        return _tell_amendment(desk, amendment)
    account: AccountId | None = desk.options.account
    if account is None or Register.load(desk.places.enrolled).account(account) is None:
        raise AgreementError(AgreementFault.NO_SUCH_ACCOUNT)
    return _tell_agreement(desk, desk.store.add(source, account).agreement)


def _sign(desk: _Desk) -> int:
    """Keep a signature over a text that is kept: a member's note, or ink that officers attest."""
    text = _text(_read(desk.options.file, LIMIT_BYTES))
    uid = text.uid if isinstance(text, Agreement) else text.agreement
    holder = desk.store.holder(uid)
    if holder is None:
        raise AgreementError(AgreementFault.SIGNS_NO_TEXT)
    given = _by_key(desk, text, holder) if desk.options.note else _in_ink(desk, text, holder)
    desk.store.sign(uid, given)
    line = desk.say("signed", agreement=uid, kind=given.kind, day=given.signed_on.isoformat())
    return desk.result([line], {"agreement": uid, "kind": given.kind, "text": text.source_sha256})


def _by_key(desk: _Desk, text: Agreement | Amendment, holder: AgreementHolder) -> Signature:
    register = Register.load(desk.places.enrolled)
    account = register.account(holder.account)
    members = [] if account is None else [each.signer for each in account.enrolment.active()]
    try:
        word = read_terms_signature(_read(desk.options.note, _NOTE_LIMIT_BYTES), members)
    except WireError as failure:
        raise AgreementError(AgreementFault.NOT_SIGNED) from failure
    if (word.account, word.deployment) != (holder.account, register.deployment):
        raise AgreementError(AgreementFault.NOT_SIGNED)
    if str(word.text_sha256) != text.source_sha256:
        raise AgreementError(AgreementFault.SIGNS_NO_TEXT)
    return Signature(
        kind=SignatureKind.KEY,
        party=holder.provider,
        signed_on=word.signed_on,
        signed_sha256=text.source_sha256,
    )


def _in_ink(desk: _Desk, text: Agreement | Amendment, holder: AgreementHolder) -> Signature:
    officers = frozenset(desk.options.attested_by)
    if desk.options.ink is None or len(officers) < ATTESTING_OFFICERS:
        raise AgreementError(AgreementFault.TOO_FEW_OFFICERS)
    return Signature(
        kind=SignatureKind.WET_INK_ATTESTED,
        party=holder.provider,
        signed_on=desk.options.ink,
        signed_sha256=text.source_sha256,
        attested_by=officers,
    )


def _list(desk: _Desk) -> int:
    lines: list[str] = []
    fields: list[dict[str, str | int | bool]] = []
    for holder in desk.store.holders():
        for each in desk.store.versions(holder.uid):
            key = "kept-signed" if each.is_signed() else "kept-draft"
            said: dict[str, str | int] = {
                "agreement": each.uid,
                "version": each.version,
                "account": holder.account,
            }
            lines.append(desk.say(key, **said))
            fields.append({**said, "signed": each.is_signed(), "digest": each.source_sha256})
    return desk.result(lines or [desk.say("none")], {"agreements": fields})


def _tell_agreement(desk: _Desk, agreement: Agreement) -> int:
    head = desk.say(
        "reads",
        agreement=agreement.uid,
        version=agreement.version,
        provider=agreement.provider,
        digest=agreement.source_sha256,
    )
    fields: dict[str, Field] = {
        "agreement": agreement.uid,
        "digest": agreement.source_sha256,
        "version": agreement.version,
    }
    return desk.result([head, *_rules(desk, agreement)], fields)


def _rules(desk: _Desk, agreement: Agreement) -> Iterator[str]:
    for rule in (*agreement.use_rules, *agreement.sharing_rules):
        acts = ", ".join(sorted(rule.actions))
        conditions = len(rule.constraints)
        yield desk.say("rule", name=rule.uid, effect=rule.effect, acts=acts, conditions=conditions)


def _tell_amendment(desk: _Desk, amendment: Amendment) -> int:
    version, digest = amendment.to_version, amendment.source_sha256
    line = desk.say(
        "amendment", agreement=amendment.agreement, version=version, digest=digest,
        submissions=len(amendment.batches),
    )  # fmt: skip
    return desk.result([line], {"agreement": amendment.agreement, "digest": digest})


def _text(source: bytes) -> Agreement | Amendment:
    if _format(source) == AMENDMENT_FORMAT:
        return read_amendment(source)
    return read_agreement(source).agreement


def _format(source: bytes) -> object:
    head = parse(source)
    return head.raw("format") if head.has("format") else None


def _read(path: Path, limit_bytes: int) -> bytes:
    try:
        with path.open("rb") as source:
            return source.read(limit_bytes + 1)
    except (FileNotFoundError, IsADirectoryError) as failure:
        raise AgreementError(AgreementFault.NO_SUCH_FILE) from failure


def _account(text: str) -> AccountId:
    try:
        return ACCOUNT_ID.read(text)
    except FieldError as failure:
        raise argparse.ArgumentTypeError("32 lower-case hexadecimal digits") from failure


def _officer(text: str) -> Uid:
    try:
        return names.uid(text)
    except VocabularyError as failure:
        raise argparse.ArgumentTypeError("an officer's code, not a name") from failure


def _day(text: str) -> date:
    try:
        return names.day(text)
    except TermsError as failure:
        raise argparse.ArgumentTypeError("a day such as 2026-10-02") from failure


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="amana agreement",
        description="Agreements with providers: every version as it was signed.",
        epilog="Example: amana agreement add agreement.toml --account ACCOUNT",
    )
    verbs = parser.add_subparsers(required=True, metavar="WORD")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--settings", type=Path, help="instead of AMANA_SETTINGS")
    common.add_argument("--json", action="store_true", help="one line of JSON for a program")

    def verb(word: str, act: Callable[[_Desk], int], told: str) -> argparse.ArgumentParser:
        made = verbs.add_parser(word, parents=[common], help=told, description=told)
        made.set_defaults(verb=act)
        return made

    made = verb("check", _check, "read a text back rule by rule; nothing is kept")
    made.add_argument("file", type=Path, help="an agreement, amendment or consent")
    made = verb("add", _add, "keep a version of an agreement, or an amendment")
    made.add_argument("file", type=Path, help="the text, as it was or will be signed")
    made.add_argument("--account", type=_account, help="whose agreement it is")
    made = verb("sign", _sign, "keep the provider's signature over a text that is kept")
    made.add_argument("file", type=Path, help="the text")
    made.add_argument("--note", type=Path, help="what `amana sign` wrote")
    made.add_argument("--ink", type=_day, help="the day of a signature on paper")
    made.add_argument(
        "--attested-by",
        type=_officer,
        action="append",
        default=[],
        metavar="OFFICER",
        help=f"who has seen the paper; at least {ATTESTING_OFFICERS} officers",
    )
    verb("list", _list, "say which agreements are known")
    return parser
