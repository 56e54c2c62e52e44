"""From an uploaded file to a published asset: jobs, the encode plan, ffmpeg and packager as adapters, the worker.

`transcode.py` is the whole path on one screen. Plans and argument lists are pure functions, so what would be run can
be read and tested without running it; an asset becomes visible by one event, after its last object is in place.
"""
