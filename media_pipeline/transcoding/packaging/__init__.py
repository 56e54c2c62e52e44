"""From encoded tracks to CMAF segments with HLS and DASH manifests over them.

`package_plan` says what the packager is told; `hls` and `dash` turn its manifests into ours, with measured rates;
`check` proves that what is published is whole. Manifests hold relative addresses only: delivery adds what depends on
a session.
"""
