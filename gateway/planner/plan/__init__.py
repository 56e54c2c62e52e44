"""The query plan as the executor gets it, and its printed forms.

`nodes` is the contract with the executor: a DAG of fetch steps. `text` and `json` print it in the form that other
gateways use, so that plans can be compared.
"""
