"""Who may have which content keys: entitlements per playback session, keys at rest, Clear Key licences.

Keys are wrapped by a master key that the database never sees. A licence holds what its entitlement allows and nothing
else; the packager alone reads keys by asset, with a service token.
"""
