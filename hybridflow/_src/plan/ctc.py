"""Connectionist temporal classification as steps of native code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hybridflow._src.kernels import ctc
from hybridflow._src.kernels.memory import SHORT_NAMES
from hybridflow._src.plan.sparse import Sparse

if TYPE_CHECKING:
    from hybridflow._src.plan.values import Value


class Classification(Sparse):
    """Steps with losses of sequences."""

    def ctc_loss(
        self,
        logits: Value,
        indices: Value,
        labels: Value,
        lengths: Value,
        *,
        collapsed: bool,
        merged: bool,
        ignoring: bool,
    ) -> tuple[Value, Value]:
        """The loss of each sequence, and the gradients of the logits `[times, batch, classes]`."""
        logits, indices, labels, lengths = map(self.packed, (logits, indices, labels, lengths))
        times, batch, classes = logits.shape
        count = labels.size
        starts = self.memory((batch + 1,), np.int64)
        checked = self.memory((count,), np.int64)
        effective = self.memory((batch,), np.int64)
        flags = int(collapsed), int(ignoring)
        short = SHORT_NAMES[indices.dtype]
        self.call(
            self._from_source(ctc.labels, "f32", short),
            [
                *(indices, labels, count, batch, classes, times, lengths, *flags),
                *(starts, checked, effective),
            ],
            reads=[indices, labels, lengths],
            writes=[starts, checked, effective],
            fallible=True,
        )
        # No sequence that counts has more labels than times.
        width = 2 * min(count, times) + 1
        numbers = self.memory((self.threads, times * (classes + 2 + width) + width), np.float64)
        tiers = self.memory((self.threads, times * width + 2 * width), np.int64)
        losses = self.memory((batch,), logits.dtype)
        gradients = self.memory(logits.shape, logits.dtype)
        self.call(
            self._from_source(ctc.loss, "f32"),
            [
                *(0, batch, logits, times, batch, classes, effective, starts, checked),
                *(int(merged), losses, gradients, numbers, tiers, width),
            ],
            reads=[logits, effective, starts, checked],
            writes=[losses, gradients],
            divisible=True,
            # A state costs as much as to move so many bytes.
            work=batch * times * (16 * classes + 64 * min(width, 2 * count // batch + 1)),
            private=[numbers, tiers],
        )
        return losses, gradients
