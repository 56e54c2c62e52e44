"""The law of composition: every rule in the order in which it is applied."""

from __future__ import annotations

from collections.abc import Callable

from gateway.composition.report import Report
from gateway.composition.rules.auth_requirements_applied_on_interface import (
    check_auth_requirements_applied_on_interface,
)
from gateway.composition.rules.context_invalid_selection import check_context_invalid_selection
from gateway.composition.rules.context_name_invalid import check_context_name_invalid
from gateway.composition.rules.context_no_resolvable_key import check_context_no_resolvable_key
from gateway.composition.rules.context_not_set import check_context_not_set
from gateway.composition.rules.cost_applied_to_interface_field import check_cost_applied_to_interface_field
from gateway.composition.rules.default_value_uses_inaccessible import check_default_value_uses_inaccessible
from gateway.composition.rules.directive_composition_error import check_directive_composition_error
from gateway.composition.rules.directive_in_fields_arg import check_directive_in_fields_arg
from gateway.composition.rules.disallowed_inaccessible import check_disallowed_inaccessible
from gateway.composition.rules.external_on_interface import check_external_on_interface
from gateway.composition.rules.external_unused import check_external_unused
from gateway.composition.rules.fields_has_args import check_fields_has_args
from gateway.composition.rules.fields_missing_external import check_fields_missing_external
from gateway.composition.rules.implemented_by_inaccessible import check_implemented_by_inaccessible
from gateway.composition.rules.implicitly_upgraded_federation_version import (
    check_implicitly_upgraded_federation_version,
)
from gateway.composition.rules.interface_field_no_implem import check_interface_field_no_implem
from gateway.composition.rules.interface_key_not_on_implementation import check_interface_key_not_on_implementation
from gateway.composition.rules.interface_object_usage_error import check_interface_object_usage
from gateway.composition.rules.invalid_fields import check_invalid_fields
from gateway.composition.rules.invalid_fields_type import check_invalid_fields_type
from gateway.composition.rules.invalid_shareable_usage import check_invalid_shareable_usage
from gateway.composition.rules.list_size import check_list_size
from gateway.composition.rules.merged_graphql_validity import check_merged_graphql_validity
from gateway.composition.rules.missing_transitive_auth_requirements import check_missing_transitive_auth_requirements
from gateway.composition.rules.no_context_in_selection import check_no_context_in_selection
from gateway.composition.rules.only_inaccessible_children import check_only_inaccessible_children
from gateway.composition.rules.provides_on_non_object_field import check_provides_on_non_object_field
from gateway.composition.rules.query_root_type_inaccessible import check_query_root_type_inaccessible
from gateway.composition.rules.referenced_inaccessible import check_referenced_inaccessible
from gateway.composition.rules.required_inaccessible import check_required_inaccessible
from gateway.composition.rules.requires_invalid_fields import check_requires_invalid_fields
from gateway.composition.rules.shareable_has_mismatched_runtime_types import (
    check_shareable_has_mismatched_runtime_types,
)
from gateway.composition.rules.unsupported_on_interface import check_unsupported_on_interface
from gateway.composition.stages import MergedSupergraph, ValidSubgraph

__all__ = ["SUBGRAPH_RULES", "SUPERGRAPH_RULES", "VISIBILITY_RULES", "SubgraphRule", "SupergraphRule"]

SupergraphRule = Callable[[MergedSupergraph, Report], None]
SubgraphRule = Callable[[ValidSubgraph, Report], None]

SUBGRAPH_RULES: tuple[SubgraphRule, ...] = (
    check_implicitly_upgraded_federation_version,
    check_unsupported_on_interface,
    check_context_name_invalid,
    check_no_context_in_selection,
    check_context_not_set,
    check_context_no_resolvable_key,
    check_context_invalid_selection,
    check_invalid_fields_type,
    check_provides_on_non_object_field,
    check_invalid_fields,
    check_directive_in_fields_arg,
    check_fields_has_args,
    check_fields_missing_external,
    check_external_on_interface,
    check_external_unused,
    check_interface_key_not_on_implementation,
    check_interface_object_usage,
    check_invalid_shareable_usage,
    check_cost_applied_to_interface_field,
    check_list_size,
    check_auth_requirements_applied_on_interface,
)
"""Each looks at one Federation 2 subgraph; all of them report before anything is merged."""

VISIBILITY_RULES: tuple[SupergraphRule, ...] = (
    check_query_root_type_inaccessible,
    check_disallowed_inaccessible,
    check_referenced_inaccessible,
    check_required_inaccessible,
    check_implemented_by_inaccessible,
    check_only_inaccessible_children,
    check_default_value_uses_inaccessible,
)
"""What @inaccessible may hide, and with it a contract."""

SUPERGRAPH_RULES: tuple[tuple[SupergraphRule, ...], ...] = (
    (
        check_interface_field_no_implem,
        check_requires_invalid_fields,
        check_missing_transitive_auth_requirements,
        check_shareable_has_mismatched_runtime_types,
    ),
    (check_merged_graphql_validity, check_directive_composition_error),
    VISIBILITY_RULES,
)
"""Groups: what one reports makes no sense before those ahead of it are content."""
