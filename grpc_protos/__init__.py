"""The contract between whoever plays films and the media services: protos, the code made from them, the error table.

`proto/` is written by hand and checked by buf; `generated/` is built by scripts/protos and never edited. Both sides
import this package, so it imports nothing of ours but `common`.
"""
