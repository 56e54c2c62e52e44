# mypy: disable-error-code="untyped-decorator"
# strawberry types its field decorators as Any when they are given arguments; the resolvers themselves are checked.
"""Preferences, consent, and messages."""

from typing import assert_never

import strawberry

from subgraphs.kernel.ids import ProfileId
from subgraphs.kernel.results import NotPermitted, invalid_input, no_profile_selected, not_signed_in
from subgraphs.profiles.api import people_results as results
from subgraphs.profiles.api.context import Info
from subgraphs.profiles.api.mutations.shaping import fresh, profile_not_found
from subgraphs.profiles.api.people_inputs import SetConsentInput, SetPreferencesInput
from subgraphs.profiles.api.people_types import Consent
from subgraphs.profiles.api.types import Account, Profile
from subgraphs.profiles.domain import accounts as domain
from subgraphs.profiles.domain import consents as consent_domain
from subgraphs.profiles.domain import outcomes
from subgraphs.profiles.domain.notifications import MailCategory
from subgraphs.profiles.domain.preferences import PreferencesChange

__all__ = ["PreferenceMutations"]

MAX_MARKED = 100
"""Messages marked as read at once."""


@strawberry.type
class PreferenceMutations:
    """What a profile likes and an account wants."""

    @strawberry.mutation(description="Change a profile's preferences; from a kids profile its own only.")
    async def set_preferences(
        self,
        info: Info,
        input: SetPreferencesInput,  # noqa: A002
    ) -> results.SetPreferencesResult:
        """The selected profile's unless another is named."""
        context = fresh(info)
        profile_id = input.profile_id
        if profile_id is None:
            selected = await context.selected_profile()
            if selected is None:
                return no_profile_selected()
            profile_id = strawberry.ID(selected.id)
        change = PreferencesChange(
            audio_languages=None if input.audio_languages is None else tuple(input.audio_languages),
            subtitle_languages=None if input.subtitle_languages is None else tuple(input.subtitle_languages),
            subtitle_mode=input.subtitle_mode,
            autoplay_next=input.autoplay_next,
            autoplay_previews=input.autoplay_previews,
            data_saver=input.data_saver,
            interface_language=input.interface_language,
        )
        asker = await context.asker()
        outcome = await context.services.preferring.change(asker, ProfileId(profile_id), change)
        match outcome:
            case (profile, _):
                # What the checks loaded is older than the write.
                context.forget()
                return results.SetPreferencesSuccess(profile=Profile(record=profile))
            case outcomes.ProfileMissing(missing_id):
                return profile_not_found(missing_id)
            case outcomes.Invalid(problems):
                return invalid_input(problems)
            case outcomes.NotAllowed(message):
                return NotPermitted(message=message)
            case outcomes.NotSignedIn():
                return not_signed_in()
            case _:
                assert_never(outcome)

    @strawberry.mutation(description="Agree to a use of the account's data, or not any more; every decision is kept.")
    async def set_consent(self, info: Info, input: SetConsentInput) -> results.SetConsentResult:  # noqa: A002
        """Not from a kids profile."""
        context = fresh(info)
        asker = await context.asker()
        outcome = await context.services.preferring.decide(
            asker, input.purpose, input.text_version, input.source, is_granted=input.granted
        )
        match outcome:
            case consent_domain.Consent():
                assert asker.account is not None
                context.forget()
                account = Account(record=asker.account)
                return results.SetConsentSuccess(consent=Consent.from_domain(outcome), account=account)
            case outcomes.Invalid(problems):
                return invalid_input(problems)
            case outcomes.NotAllowed(message):
                return NotPermitted(message=message)
            case outcomes.NotSignedIn():
                return not_signed_in()
            case _:
                assert_never(outcome)

    @strawberry.mutation(description="Say which mails the account does not want; messages still come to its inbox.")
    async def set_muted_mails(self, info: Info, muted: list[MailCategory]) -> results.SetMutedMailsResult:
        """All at once: what is not named is wanted."""
        context = fresh(info)
        outcome = await context.services.preferring.mute_mails(await context.asker(), frozenset(muted))
        match outcome:
            case domain.Account():
                context.forget()
                return results.SetMutedMailsSuccess(account=Account(record=outcome))
            case outcomes.Invalid(problems):
                return invalid_input(problems)
            case outcomes.NotAllowed(message):
                return NotPermitted(message=message)
            case outcomes.NotSignedIn():
                return not_signed_in()
            case _:
                assert_never(outcome)

    @strawberry.mutation(description="Mark messages of the inbox as read; null: all. At most 100 ids.")
    async def mark_notifications_read(
        self, info: Info, ids: list[strawberry.ID] | None = None
    ) -> results.MarkNotificationsReadResult:
        """Ids of nobody's or others' messages change nothing."""
        context = fresh(info)
        asker = await context.asker()
        if asker.account is None:
            return not_signed_in()
        if asker.viewer.is_kids:
            return NotPermitted(message="a kids profile has no inbox; select another profile")
        if ids is not None and len(ids) > MAX_MARKED:
            return invalid_input({"ids": f"has {len(ids)} ids; give at most {MAX_MARKED}, or null for all"})
        wanted = None if ids is None else [str(id_) for id_ in ids]
        store = context.services.notices.notifications
        marked_count = await store.mark_read(asker.account.id, wanted, context.now)
        return results.MarkNotificationsReadSuccess(marked_count=marked_count, account=Account(record=asker.account))
