"""Pages: one template, one language, one response that needs no second request.

Templates hold structure and no sentence; sentences come from the catalogues. The style sheet stands
in the page and is named by its hash in the policy, so no other can apply. A name that a template
uses and nobody gave is an error, never an empty place.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from amana.i18n import Language, Sentence, Speaker
from amana.resources import Kind, folder, read
from amana.settings import Deployment

PAGE_LIMIT_BYTES: Final = 14 * 1024
"""Heaviest page: it fits the first congestion window of TCP (RFC 6928) at every hop of a circuit,
and a seventeenth of Tor's stream window."""


class PageError(Exception):
    """A page is heavier than a slow circuit should carry, or longer than it is padded to."""


class Pages:
    """The pages of one zone, for one deployment.

    styles: files below static/, joined in this order. ResourceError: one is not installed.
    """

    def __init__(self, deployment: Deployment, styles: Sequence[str]) -> None:
        self._deployment = deployment
        self._style = "".join(read(Kind.STATIC, name).decode("utf-8") for name in styles)
        if "<" in self._style:
            raise PageError("a style sheet could end its own element")
        self._speakers = {language: Speaker(language) for language in (Language.AR, Language.EN)}
        self._environment = Environment(
            loader=FileSystemLoader(folder(Kind.TEMPLATES)),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    @property
    def languages(self) -> tuple[Language, ...]:
        """The languages in which there are pages."""
        return tuple(self._speakers)

    @property
    def style_hash(self) -> str:
        """The style sheet as a policy names it: `sha256-…` (CSP Level 3 section 2.3.1)."""
        digest = hashlib.sha256(self._style.encode("utf-8")).digest()
        return f"sha256-{base64.b64encode(digest).decode('ascii')}"

    def render(
        self,
        name: str,
        language: Language,
        values: Mapping[str, object],
        *,
        padded_bytes: int = 0,
    ) -> bytes:
        """Give a page as UTF-8.

        padded_bytes: when not 0, spaces are added up to this length, so that pages which must not
        be told apart from outside are equally long. PageError: over PAGE_LIMIT_BYTES, or longer
        than padded_bytes.
        """
        speaker = self._speakers[language]

        def say(key: str, **places: str | int) -> str:
            return speaker.say(Sentence(key=key, values=places))

        text = self._environment.get_template(name).render(
            values,
            say=say,
            language=speaker.language.value,
            direction=speaker.language.direction,
            is_reviewed=speaker.is_reviewed,
            is_training=self._deployment is Deployment.TRAINING,
            style=Markup(self._style),  # noqa: S704 - our own file, without a `<`
        )
        page = text.encode("utf-8")
        if len(page) > (padded_bytes or PAGE_LIMIT_BYTES):
            raise PageError("a page is longer than it may be")
        return page.ljust(padded_bytes)
