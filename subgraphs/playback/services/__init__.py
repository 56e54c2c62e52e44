"""What playback does, one verb per file, on ports and domain rules alone.

`start_playback` and `record_progress` serve the mutations, `read_progress` the fields on titles and profiles,
`follow_events` keeps the local facts up to date. Expected refusals are returned, failures are raised as ServiceError.
"""
