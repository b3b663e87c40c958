"""The hooks. This module is imported on every start of autoft, so it imports nothing but autoft itself."""

from autoft.api import Entry, hookimpl


@hookimpl
def autoft_backends():
    yield Entry(name="tiny", target="autoft_tiny_backend._backend:TinyBackend", summary="Two layers in numpy")


@hookimpl
def autoft_models():
    # Models come by their own hook: other plugins may bring more networks for this backend.
    yield Entry(name="tiny", target="autoft_tiny_backend._backend:TinyModels", summary="The network tiny/pixels")
