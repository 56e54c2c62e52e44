"""Playing films as the graph knows it: starting, heartbeats, stopping, bookmarks, history, continue watching.

`services/start_playback.py` asks every question in one fixed order and then licensing and steering over gRPC;
`services/record_progress.py` acknowledges a position only when it is durable. It owns no title: it keeps the few
facts that it needs from events.
"""
