"""Studio uploads: tus 1.0 over HTTP into the object store, and a transcoding job when the last byte is there.

An upload is a row of parts named by their offset, so it needs no lock file and no local disk and continues on any
process. It is mounted by the delivery service at /uploads.
"""
