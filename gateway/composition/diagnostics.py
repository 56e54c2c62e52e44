# ruff: noqa: E501  (the catalogue is a table: one code, one line)
"""What composition says about subgraphs: errors that stop it and hints that do not, with the catalogue of their codes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from gateway.supergraph.model import SubgraphName

__all__ = ["CODES", "HINTS", "Diagnostic", "Location", "Severity", "error", "hint"]


class Severity(Enum):
    """An error stops composition; a hint stands beside a composed supergraph."""

    ERROR = "error"
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class Location:
    """A place in one subgraph's SDL text; line and column count from 1."""

    subgraph: SubgraphName
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `code` is a key of CODES (errors) or HINTS; `subgraphs` are those concerned, in composition order."""

    code: str
    severity: Severity
    message: str
    subgraphs: tuple[SubgraphName, ...] = ()
    locations: tuple[Location, ...] = ()

    def __str__(self) -> str:
        where = f" [{', '.join(self.subgraphs)}]" if self.subgraphs else ""
        places = "".join(f"\n  at {place.subgraph}:{place.line}:{place.column}" for place in self.locations)
        return f"{self.severity.value} {self.code}{where}: {self.message}{places}"


CODES: dict[str, str] = {
    "AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE": "@authenticated, @requiresScopes or @policy stands on an interface, one of its fields or an interface object.",
    "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS": "An argument filled from a context in one subgraph is required from clients in another.",
    "CONTEXT_INVALID_SELECTION": "What is selected of a context is not one value of the argument's type for every type that sets it.",
    "CONTEXT_NAME_INVALID": "A context's name has other characters than letters and digits.",
    "CONTEXT_NOT_SET": "@fromContext names a context that is never set, or stands where none can be filled in.",
    "CONTEXT_NO_RESOLVABLE_KEY": "A type with a field filled from a context has no resolvable @key.",
    "COST_APPLIED_TO_INTERFACE_FIELD": "@cost stands on an interface's field; it belongs on the implementations.",
    "DEFAULT_VALUE_USES_INACCESSIBLE": "A visible element's default value names an @inaccessible one.",
    "DIRECTIVE_COMPOSITION_ERROR": "A directive cannot be composed as @composeDirective asks.",
    "DIRECTIVE_DEFINITION_INVALID": "A built-in or federation directive is redefined in an incompatible way.",
    "DISALLOWED_INACCESSIBLE": "@inaccessible stands on an element that must stay visible.",
    "EMPTY_MERGED_ENUM_TYPE": "An input enum has no value that all its subgraphs define.",
    "EMPTY_MERGED_INPUT_TYPE": "An input object has no field that all its subgraphs define.",
    "ENUM_VALUE_MISMATCH": "An enum used both as input and output differs between subgraphs.",
    "EXTENSION_WITH_NO_BASE": "A type is extended but defined nowhere.",
    "EXTERNAL_ARGUMENT_DEFAULT_MISMATCH": "An @external field's argument has another default than the field's owner gives it.",
    "EXTERNAL_ARGUMENT_MISSING": "An @external field lacks an argument that the field has elsewhere.",
    "EXTERNAL_ARGUMENT_TYPE_MISMATCH": "An @external field's argument has another type than the field's owner gives it.",
    "EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE": "@external stands beside a directive that says the opposite.",
    "EXTERNAL_MISSING_ON_BASE": "A field is @external everywhere: nobody resolves it.",
    "EXTERNAL_ON_INTERFACE": "@external stands on an interface's field, which is never resolved.",
    "EXTERNAL_TYPE_MISMATCH": "An @external field has another type than its owner gives it.",
    "EXTERNAL_UNUSED": "An @external field is named by no @key, @requires or @provides and is needed by no interface.",
    "FIELD_ARGUMENT_DEFAULT_MISMATCH": "An argument has different defaults in different subgraphs.",
    "FIELD_ARGUMENT_TYPE_MISMATCH": "An argument has types that cannot be merged.",
    "FIELD_TYPE_MISMATCH": "A field has types that cannot be merged.",
    "IMPLEMENTED_BY_INACCESSIBLE": "An @inaccessible element implements a visible one.",
    "INPUT_FIELD_DEFAULT_MISMATCH": "An input field has different defaults in different subgraphs.",
    "INTERFACE_FIELD_NO_IMPLEM": "After merging, a type lacks a field of an interface that it implements.",
    "INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE": "A subgraph has a @key on an interface but does not define all its implementations.",
    "INTERFACE_KEY_NOT_ON_IMPLEMENTATION": "An interface's @key is missing on one of its implementations.",
    "INTERFACE_OBJECT_USAGE_ERROR": "@interfaceObject is used against its rules.",
    "INVALID_FIELD_SHARING": "A field that is not @shareable everywhere is resolved by several subgraphs.",
    "INVALID_GRAPHQL": "The schema is not valid GraphQL.",
    "INVALID_LINK_DIRECTIVE_USAGE": "@link is used against its rules.",
    "INVALID_LINK_IDENTIFIER": "The URL or version of a @link cannot be understood.",
    "INVALID_SHAREABLE_USAGE": "@shareable stands where it means nothing.",
    "INVALID_SUBGRAPH_NAME": "The subgraph's name is reserved or empty.",
    "KEY_DIRECTIVE_IN_FIELDS_ARG": "The fields of a @key carry a directive.",
    "KEY_FIELDS_HAS_ARGS": "The fields of a @key include one with arguments.",
    "KEY_FIELDS_SELECT_INVALID_TYPE": "The fields of a @key include an interface, union or list.",
    "KEY_INVALID_FIELDS": "The fields of a @key are no valid selection of the type.",
    "KEY_INVALID_FIELDS_TYPE": "The fields of a @key are not given as a string.",
    "KEY_UNSUPPORTED_ON_INTERFACE": "@key on an interface needs a newer federation version.",
    "LINK_IMPORT_NAME_MISMATCH": "A composed directive is imported under different names.",
    "LIST_SIZE_APPLIED_TO_NON_LIST": "@listSize stands on a field that is no list and names no sized fields.",
    "LIST_SIZE_INVALID_ASSUMED_SIZE": "The assumed size of a @listSize is negative.",
    "LIST_SIZE_INVALID_SIZED_FIELD": "A sized field of a @listSize is no list field of the field's type.",
    "LIST_SIZE_INVALID_SLICING_ARGUMENT": "A slicing argument of a @listSize is no integer argument of the field.",
    "MAX_VALIDATION_SUBGRAPH_PATHS_EXCEEDED": "There are too many ways through the subgraphs to check them all.",
    "MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL": "An @external field carries a directive that is merged into the supergraph.",
    "MISSING_TRANSITIVE_AUTH_REQUIREMENTS": "A field @requires protected data without carrying the same protection.",
    "NO_CONTEXT_IN_SELECTION": "@fromContext names no context.",
    "NO_QUERIES": "No subgraph defines a query.",
    "ONLY_INACCESSIBLE_CHILDREN": "All children of a visible type are @inaccessible.",
    "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE": "@override meets @external, @provides or @requires on the same field.",
    "OVERRIDE_FROM_SELF_ERROR": "@override names its own subgraph.",
    "OVERRIDE_LABEL_INVALID": "The label of an @override is malformed.",
    "OVERRIDE_ON_INTERFACE": "@override stands on an interface's field.",
    "OVERRIDE_SOURCE_HAS_OVERRIDE": "The field that is taken over is itself taken over from elsewhere.",
    "PROVIDES_DIRECTIVE_IN_FIELDS_ARG": "The fields of a @provides carry a directive.",
    "PROVIDES_FIELDS_HAS_ARGS": "The fields of a @provides include one with arguments.",
    "PROVIDES_FIELDS_MISSING_EXTERNAL": "The fields of a @provides include one that is not @external.",
    "PROVIDES_INVALID_FIELDS": "The fields of a @provides are no valid selection of the field's type.",
    "PROVIDES_INVALID_FIELDS_TYPE": "The fields of a @provides are not given as a string.",
    "PROVIDES_ON_NON_OBJECT_FIELD": "@provides stands on a field without sub-fields.",
    "PROVIDES_UNSUPPORTED_ON_INTERFACE": "@provides stands on an interface's field.",
    "QUERY_ROOT_TYPE_INACCESSIBLE": "The query root type is @inaccessible.",
    "REFERENCED_INACCESSIBLE": "A visible element refers to an @inaccessible one.",
    "REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH": "An argument required in one subgraph is missing in another.",
    "REQUIRED_INACCESSIBLE": "An @inaccessible argument or input field is required.",
    "REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH": "An input field required in one subgraph is missing in another.",
    "REQUIRES_DIRECTIVE_IN_FIELDS_ARG": "The fields of a @requires carry a directive.",
    "REQUIRES_FIELDS_MISSING_EXTERNAL": "The fields of a @requires include one that is not @external.",
    "REQUIRES_INVALID_FIELDS": "The fields of a @requires are no valid selection of the type.",
    "REQUIRES_INVALID_FIELDS_TYPE": "The fields of a @requires are not given as a string.",
    "REQUIRES_UNSUPPORTED_ON_INTERFACE": "@requires stands on an interface's field.",
    "ROOT_MUTATION_USED": "A type named Mutation exists beside the actual mutation root type.",
    "ROOT_QUERY_USED": "A type named Query exists beside the actual query root type.",
    "ROOT_SUBSCRIPTION_USED": "A type named Subscription exists beside the actual subscription root type.",
    "SATISFIABILITY_ERROR": "A query that the supergraph allows cannot be answered by the subgraphs.",
    "SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES": "A shared field's possible types have nothing in common between subgraphs.",
    "TYPE_DEFINITION_INVALID": "A federation type is redefined in an incompatible way.",
    "TYPE_KIND_MISMATCH": "A type has different kinds in different subgraphs.",
    "TYPE_WITH_ONLY_UNUSED_EXTERNAL": "A Federation 1 type has nothing but unused @external fields.",
    "UNKNOWN_FEDERATION_LINK_VERSION": "The linked federation version is not known here.",
    "UNKNOWN_LINK_VERSION": "The linked version of the link specification is not known here.",
    "UNSUPPORTED_FEATURE": "A feature that is not supported here; refused rather than composed wrongly.",
}
"""Every code of an error, with the situation in one sentence."""

HINTS: dict[str, str] = {
    "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS": "An optional argument is filled from a context in some subgraphs only, and so hidden from clients.",
    "CONTRACT_TAG_UNUSED": "A contract names a tag that nothing carries.",
    "DIRECTIVE_COMPOSITION_INFO": "A directive is composed in a way worth knowing.",
    "FROM_SUBGRAPH_DOES_NOT_EXIST": "@override names a subgraph that is not there.",
    "IMPLICITLY_UPGRADED_FEDERATION_VERSION": "A linked specification takes a newer federation than the subgraph links.",
    "INCONSISTENT_ARGUMENT_PRESENCE": "An optional argument is missing in some subgraphs and so left out.",
    "INCONSISTENT_BUT_COMPATIBLE_ARGUMENT_TYPE": "An argument's types differ but could be merged.",
    "INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE": "A field's types differ but could be merged.",
    "INCONSISTENT_DEFAULT_VALUE_PRESENCE": "A default is given in some subgraphs only and so left out.",
    "INCONSISTENT_DESCRIPTION": "Descriptions differ; the most frequent one is taken.",
    "INCONSISTENT_ENTITY": "A type has a @key in some subgraphs only.",
    "INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM": "A value of an input enum is missing in some subgraphs and so left out.",
    "INCONSISTENT_ENUM_VALUE_FOR_OUTPUT_ENUM": "A value of an output enum is missing in some subgraphs.",
    "INCONSISTENT_EXECUTABLE_DIRECTIVE_LOCATIONS": "An executable directive's locations differ; the common ones are kept.",
    "INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE": "An executable directive is not defined in all subgraphs and so left out.",
    "INCONSISTENT_EXECUTABLE_DIRECTIVE_REPEATABLE": "An executable directive is repeatable in some subgraphs only.",
    "INCONSISTENT_INPUT_OBJECT_FIELD": "An input field is missing in some subgraphs and so left out.",
    "INCONSISTENT_INTERFACE_VALUE_TYPE_FIELD": "An interface without key lacks a field in some subgraphs.",
    "INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS": "A directive is applied with different arguments; the most frequent ones are taken.",
    "INCONSISTENT_OBJECT_VALUE_TYPE_FIELD": "An object type without key lacks a field in some subgraphs.",
    "INCONSISTENT_RUNTIME_TYPES_FOR_SHAREABLE_RETURN": "A shared field's possible types differ between subgraphs.",
    "INCONSISTENT_UNION_MEMBER": "A union lacks a member in some subgraphs.",
    "MERGED_NON_REPEATABLE_DIRECTIVE_ARGUMENTS": "A directive is applied with different arguments; they are merged.",
    "NO_EXECUTABLE_DIRECTIVE_INTERSECTION": "An executable directive's locations have nothing in common; it is left out.",
    "OVERRIDDEN_FIELD_CAN_BE_REMOVED": "A field is taken over elsewhere and can be removed here.",
    "OVERRIDE_DIRECTIVE_CAN_BE_REMOVED": "The field that is taken over is gone: @override can be removed.",
    "OVERRIDE_MIGRATION_IN_PROGRESS": "A gradual takeover is under way.",
    "UNUSED_ENUM_TYPE": "An enum is used nowhere; it is merged like an output enum.",
}
"""Every code of a hint, with the situation in one sentence."""


def error(
    code: str, message: str, subgraphs: Iterable[SubgraphName] = (), locations: Sequence[Location] = ()
) -> Diagnostic:
    """An error diagnostic; `code` must be in CODES."""
    if code not in CODES:
        raise ValueError(f"{code} is not in the catalogue of error codes")
    return Diagnostic(code, Severity.ERROR, message, tuple(dict.fromkeys(subgraphs)), tuple(locations))


def hint(
    code: str, message: str, subgraphs: Iterable[SubgraphName] = (), locations: Sequence[Location] = ()
) -> Diagnostic:
    """A hint; `code` must be in HINTS."""
    if code not in HINTS:
        raise ValueError(f"{code} is not in the catalogue of hints")
    return Diagnostic(code, Severity.HINT, message, tuple(dict.fromkeys(subgraphs)), tuple(locations))
