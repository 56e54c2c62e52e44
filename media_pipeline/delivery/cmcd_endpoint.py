"""The CMCD collector: reports by query, headers or body.

GET /cmcd?CMCD=…          POST /cmcd  (application/cmcd, one record per line)
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from media_pipeline.delivery.cmcd import read_cmcd_body, read_cmcd_headers, read_cmcd_query
from media_pipeline.delivery.ports import CmcdSink
from media_pipeline.delivery.request_body import BodyTooLarge, read_body
from media_pipeline.kernel.problems import problem

__all__ = ["CmcdEndpoint"]

MAX_BODY_BYTES = 256 << 10


class CmcdEndpoint:
    """HTTP in, records out."""

    def __init__(self, sink: CmcdSink) -> None:
        self._sink = sink

    async def serve(self, request: Request) -> Response:
        """204 whatever the records hold; 429 when there are more than can be written."""
        # Headers win over the query, as the standard says; a body stands alone.
        records = [read_cmcd_headers(request.headers) or read_cmcd_query(request.url.query)]
        if request.method == "POST":
            try:
                records += read_cmcd_body(await read_body(request, MAX_BODY_BYTES))
            except BodyTooLarge as error:
                return problem(413, str(error))
        taken = [self._sink.offer(record) for record in records if record]
        if not all(taken):
            return problem(429, "too many reports at once", headers={"Retry-After": "5"})
        return Response(status_code=204, headers={"Cache-Control": "no-store"})
