"""The mutations of profiles, a module per subject: each asks one service and shapes its outcome.

`Mutation` is all of them together, in the order in which the schema lists them. What several subjects share is in
`shaping`; a new subject is a module here and one more base below.
"""

import strawberry

from subgraphs.profiles.api.mutations.billing import BillingMutations
from subgraphs.profiles.api.mutations.devices import DeviceMutations
from subgraphs.profiles.api.mutations.households import HouseholdMutations
from subgraphs.profiles.api.mutations.passwords import PasswordMutations
from subgraphs.profiles.api.mutations.pins import PinMutations
from subgraphs.profiles.api.mutations.preferring import PreferenceMutations
from subgraphs.profiles.api.mutations.privacy import PrivacyMutations
from subgraphs.profiles.api.mutations.signing_in import SigningInMutations
from subgraphs.profiles.api.mutations.viewer_lists import ViewerListMutations

__all__ = ["Mutation"]


@strawberry.type
class Mutation(
    SigningInMutations,
    HouseholdMutations,
    ViewerListMutations,
    PinMutations,
    PasswordMutations,
    PreferenceMutations,
    BillingMutations,
    DeviceMutations,
    PrivacyMutations,
):
    """Signing in, profiles, My List, ratings, money, devices and the account's own data."""
