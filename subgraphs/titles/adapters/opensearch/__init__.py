"""The search index's port on OpenSearch.

`fields` says how a title lies in an index, `query` translates what `domain.relevance` asks, `index` keeps the alias
that searches go through and the indexes behind it. `errors` turns what the client raises into ours.
"""

from subgraphs.titles.adapters.opensearch.index import OpenSearchIndex

__all__ = ["OpenSearchIndex"]
