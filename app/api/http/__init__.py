"""The code that all routes share: problems, headers, limits, strict JSON and OpenAPI.

The modules of the resources belong to `app.api`. No module here defines a resource.
"""
