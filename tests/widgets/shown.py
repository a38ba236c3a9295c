"""What a viewer leaves in a cell, without a notebook."""

from beamkit_widgets import _shown


class _Place:
    """The handle that display(..., display_id=True) gives: an output that can be replaced."""

    def __init__(self, outputs, number):
        self._outputs, self._number = outputs, number

    def update(self, data, **_options):
        self._outputs[self._number] = data


def displayed(monkeypatch):
    """Return the list of outputs, in which every viewer leaves its own from now on."""
    outputs = []

    def display(data, **_options):
        outputs.append(data)
        return _Place(outputs, len(outputs) - 1)

    monkeypatch.setattr(_shown, "display", display)
    return outputs
