"""What lives for hours at most, on Valkey or Redis: stream leases and playback sessions.

Leases are decided inside the server by scripts, so that the limit holds exactly whatever runs at the same time;
sessions are one value each, which ends with its playback token.
"""
