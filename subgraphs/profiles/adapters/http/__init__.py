"""Calls to the other services' internal routes.

They carry a service token and end at a deadline. A service that is away, slow or refuses is a ServiceError.
"""
