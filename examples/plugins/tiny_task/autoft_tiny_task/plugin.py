"""The hooks. This module is imported on every start of autoft, so it imports nothing but autoft itself."""

from autoft.api import Entry, hookimpl


@hookimpl
def autoft_tasks():
    # `target` is imported only when somebody uses the task; heavy imports wait there.
    yield Entry(name="image-grade", target="autoft_tiny_task._task:ImageGrade", summary="Grade images on a scale")
