"""What every process needs and nothing more: settings, telemetry, tokens, events, error kinds, clock.

It imports nothing of ours, and everything of ours may import it. A thing that only some processes need lives with them.
"""
