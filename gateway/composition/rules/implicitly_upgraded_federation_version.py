"""IMPLICITLY_UPGRADED_FEDERATION_VERSION: a linked specification belongs to a newer federation than the linked one."""

from __future__ import annotations

from gateway.composition.federation_spec import FEDERATION_IDENTITY, specification_directives
from gateway.composition.report import Report
from gateway.composition.stages import ValidSubgraph

__all__ = ["check_implicitly_upgraded_federation_version"]


def check_implicitly_upgraded_federation_version(subgraph: ValidSubgraph, report: Report) -> None:
    """Remarks on specifications linked by themselves whose directives came with a later version of federation."""
    schema = subgraph.schema
    linked = next((link for link in schema.links if link.identity == FEDERATION_IDENTITY), None)
    if linked is None:
        return
    needed = [
        (max(directive.since for directive in directives), link)
        for link in schema.links
        if (directives := specification_directives(link.identity, link.version))
    ]
    version, cause = max(needed, key=lambda each: each[0], default=((0, 0), linked))
    if version > linked.version:
        newer, own = (".".join(map(str, each)) for each in (version, linked.version))
        message = f"{cause.url} belongs to federation v{newer}, but v{own} is linked; link the newer version"
        report.hint("IMPLICITLY_UPGRADED_FEDERATION_VERSION", message, [(schema.name, cause.node)])
