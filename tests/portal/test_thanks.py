"""The last page, in both languages."""

import pytest

from tests.portal.body import file
from tests.portal.conftest import Site
from tests.portal.test_giving import NAME, PHOTO, give


@pytest.mark.parametrize("language", ["ar", "en"])
def test_the_size_is_said_and_no_character_is_lost(language: str, site: Site) -> None:
    status, page = give(site, file(NAME, PHOTO), language=language)
    assert status == 200
    assert "256" in page or "250" in page
    assert "\ufffd" not in page
