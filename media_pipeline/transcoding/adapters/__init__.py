"""Transcoding's ports on real things: ffmpeg and the packager, the queue and its jobs, licensing, the object store.

One module per thing. Programs run as child processes with limits on silence; nothing else here starts any.
"""
