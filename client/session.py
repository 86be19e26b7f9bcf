"""Open a member's session with the portal: one signed request, then the link has its token.

Format: docs/format/22-pull.md section 1, 23-upload.md.
"""

from typing import Final

from amana.wire.request import request_of, to_header
from amana.wire.upload import SESSION_PATH, UploadFault
from amana.wire.vocabulary import Deployment
from client.errors import KeysError
from client.submit_link import PortalLink, PortalRefusedError
from client.submit_state import RequestCounter
from crypto.sign import NoteSigner

_TRIES: Final = 16
"""How often a higher counter is tried, where the keys are used on several machines."""


def open_session(
    link: PortalLink, signer: NoteSigner, deployment: Deployment, counter: RequestCounter
) -> None:
    """Open a session on the link. KeysError: the portal is of another deployment.

    PortalRefusedError, PortalAwayError: as the link says.
    """
    portal = link.portal()
    if portal.deployment is not deployment:
        raise KeysError("portal-of-another-deployment")
    for attempt in range(_TRIES):
        request = request_of(
            method="POST",
            path=SESSION_PATH,
            body=b"",
            counter=counter.take(),
            audience=portal.log,
            deployment=deployment,
        )
        try:
            link.open_session(to_header(signer.sign(request.to_bytes().decode("utf-8"))))
        except PortalRefusedError as refused:
            if refused.fault is not UploadFault.COUNTER_OLD:
                raise
            counter.jump(attempt)
        else:
            return
    raise PortalRefusedError(UploadFault.COUNTER_OLD)
