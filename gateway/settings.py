"""The gateway's settings: the only place of the gateway that reads the environment (MARQUEE_GATEWAY_…)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from common.settings import ProcessSettings

__all__ = ["GatewaySettings"]

PositiveInt = Annotated[int, Field(gt=0)]
PositiveSeconds = Annotated[float, Field(gt=0, le=600)]


class GatewaySettings(ProcessSettings):
    """One gateway process. Every wait, list and size below has a bound; the defaults suit a public endpoint."""

    model_config = SettingsConfigDict(env_prefix="MARQUEE_GATEWAY_")

    port: Annotated[int, Field(ge=0, le=65535)] = 4000
    """TCP port; 0 lets the system choose."""

    # --- the graph -------------------------------------------------------------------------------------------
    supergraph: Path = Path("schema/supergraph.graphql")
    """Supergraph SDL of any composer."""
    subgraph_urls: dict[str, str] = Field(default_factory=dict)
    """Addresses by subgraph name; they win over the supergraph's own."""
    active_override_labels: frozenset[str] = frozenset()
    """Labels of gradual overrides that hold for every request; percent(…) labels need no mention."""
    reload_interval_s: Annotated[float, Field(ge=0, le=3600)] = 1.0
    """How often the supergraph file is looked at for a change; 0 never."""

    # --- what clients may do ---------------------------------------------------------------------------------
    introspection: bool = True
    """Answer __schema and __type."""
    graphiql: bool = True
    """Serve GraphiQL to browsers at GET /graphql."""
    graphiql_dir: Path = Path("clients/node_modules")
    """The npm folder that holds graphiql, react and react-dom."""
    graphiql_query: str = ""
    """What GraphiQL shows to somebody who comes for the first time; empty: its own welcome text."""
    cors_origins: tuple[str, ...] = ()
    """Origins of browsers that may call; `*` allows all, without credentials."""
    require_preflight_header: bool = False
    """GET queries need a header that a plain cross-site form can't send (x-graphql-require-preflight or alike)."""
    suggestions: bool = True
    """Leave "Did you mean" in validation errors; they tell names of the schema."""
    persisted_queries: bool = True
    """Automatic persisted queries: a client may send the SHA-256 of a text that it sent before."""
    trusted_operations_dir: Path | None = None
    """Folder of *.graphql files whose operations may be called by the SHA-256 of their text."""
    trusted_operations_only: bool = False
    """Refuse every operation that is not in the folder."""

    # --- limits ----------------------------------------------------------------------------------------------
    max_body_bytes: PositiveInt = 2_000_000
    """Of one request; larger ones are refused with 413."""
    max_tokens: PositiveInt = 15_000
    """Lexical tokens of a document."""
    max_depth: PositiveInt = 40
    """Fields below fields, fragments expanded."""
    max_fields: PositiveInt = 10_000
    """Fields of an operation, fragments expanded."""
    max_aliases: PositiveInt = 1_000
    """Aliased fields of an operation, fragments expanded."""
    max_root_fields: PositiveInt = 100
    """Fields at the operation's root, fragments expanded."""
    max_directives: PositiveInt = 500
    """Directives of an operation, fragments expanded."""
    max_validation_errors: PositiveInt = 10
    """Errors told at once about one document."""
    max_response_errors: PositiveInt = 100
    """Errors told at once in one answer."""
    max_concurrent_requests: PositiveInt = 1_000
    """Requests in work at once; further ones get 503 with Retry-After."""
    body_timeout_s: PositiveSeconds = 10.0
    """Until the whole request body is here."""
    request_timeout_s: PositiveSeconds = 10.0
    """From the body to the answer; what is not there by then is null with an error."""
    planning_timeout_s: PositiveSeconds = 2.0
    """For one new operation; what takes longer is refused."""

    # --- subgraphs -------------------------------------------------------------------------------------------
    subgraph_timeout_s: PositiveSeconds = 5.0
    """One request to one subgraph, never past the request's own deadline."""
    max_subgraph_response_bytes: PositiveInt = 10_000_000
    """Counted after inflation."""
    subgraph_connections: PositiveInt = 200
    """Open connections per subgraph host."""
    forwarded_headers: tuple[str, ...] = ("accept-language", "x-request-id", "traceparent", "x-forwarded-for")
    """Client headers that subgraphs get to see, lower case. `x-forwarded-for` is never copied: it tells the address
    that the request came from, so that subgraphs can limit log-ins by it."""
    mask_subgraph_errors: bool = True
    """Replace the texts of subgraphs' errors, except of those whose code is in `shown_error_codes`."""
    shown_error_codes: frozenset[str] = frozenset(
        {
            "ABORTED",
            "ALREADY_EXISTS",
            "BAD_USER_INPUT",
            "DEADLINE_EXCEEDED",
            "FAILED_PRECONDITION",
            "FORBIDDEN",
            "INVALID_ARGUMENT",
            "NOT_FOUND",
            "PAGE_EXPIRED",
            "PERMISSION_DENIED",
            "RESOURCE_EXHAUSTED",
            "UNAUTHENTICATED",
            "UNAVAILABLE",
            "UNIMPLEMENTED",
        }
    )
    """Codes by which a subgraph says that its text is meant for the client."""
    name_subgraphs_in_errors: bool = True
    """`extensions.service` tells which subgraph failed."""

    deduplicate_queries: bool = False
    """Execute identical queries of the same sender that arrive while one is under way only once; never mutations."""

    # --- identity --------------------------------------------------------------------------------------------
    access_jwks: str | None = None
    """URL or file of the key set that client tokens are verified with; without it Authorization is not looked at."""
    access_jwks_refresh_s: PositiveSeconds = 300.0
    """How old the fetched key set may become; an unknown key id fetches it sooner, at most every 30 s."""
    revoked_sessions: str | None = None
    """URL or file of `{"sessions": […]}`: tokens of these sessions (claim `sid`) are refused though they live."""
    revoked_sessions_refresh_s: PositiveSeconds = 10.0
    """How often `revoked_sessions` is asked for; a session that ended is refused everywhere after that."""
    sign_viewer_context: bool = False
    """Forward who is asking as a signed header; needs `access_jwks`."""

    # --- operation -------------------------------------------------------------------------------------------
    gzip_minimum_bytes: PositiveInt = 1_024
    """Smaller answers are sent as they are."""
    gzip_level: Annotated[int, Field(ge=0, le=9)] = 0
    """0 is quickest, and small where an answer then fits into a connection's first ten segments; zlib's levels are
    several times slower and an eighth smaller: 1 is fast, 9 is small."""
    operation_cache_size: PositiveInt = 1_000
    """Operations kept parsed, planned and compiled."""
    server_timing: bool = False
    """Tell parse, plan and execution times in a Server-Timing header."""
    access_log: bool = True
    """One line per request in the log."""
    drain_s: Annotated[float, Field(ge=0, le=60)] = 1.0
    """How long to go on serving after SIGTERM while /health says 503; longer than balancers wait between looks."""
