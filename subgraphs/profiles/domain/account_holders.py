"""Who may act for the whole account: its holder, and profiles without any limit."""

from __future__ import annotations

from common.tokens import Viewer
from subgraphs.kernel.policy import MAX_MATURITY

__all__ = ["check_holder"]


def check_holder(viewer: Viewer) -> str | None:
    """Why this viewer may not see or change what the account pays and which devices it has; None: they may.

    Without a selected profile it is whoever knows the password.
    """
    if viewer.is_kids:
        return "a kids profile can't manage the account; select another profile or log in anew"
    if viewer.profile_id is not None and (viewer.maturity or 0) < MAX_MATURITY:
        return (
            f"the selected profile is limited to age {viewer.maturity or 0} and can't manage the account; log in anew"
        )
    return None
