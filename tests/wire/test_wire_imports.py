"""Shared code never signs and never opens: it makes text to sign and reads what was verified."""

import subprocess
import sys
from pathlib import Path

import pytest

import amana.wire

PRIVATE = ["crypto.sign", "crypto.opening", "crypto.private", "crypto.identities", "crypto.rewrap"]
WIRE = Path(amana.wire.__file__).parent


@pytest.mark.threat("T-15")
def test_no_wire_module_reaches_a_private_key() -> None:
    """In a fresh interpreter, for another test may have imported anything."""
    modules = [f"amana.wire.{path.stem}" for path in WIRE.glob("*.py") if path.stem != "__init__"]
    assert len(modules) > 20
    program = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    printed = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    loaded = printed.stdout.split()
    assert "crypto.note" in loaded
    assert not [name for name in loaded if name.startswith(tuple(PRIVATE))]
