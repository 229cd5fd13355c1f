"""How sequences of different lengths travel together: as packed rows, without padding and without masks.

A batch is one array of real tokens, time step by time step and longest sequence first (:class:`Ragged`),
beside the description of who stands where (:class:`Layout`). Only what knows about time (recurrence,
reversal, pooling) looks at the description; everything else sees rows. Two ways make batches: parallel
readings of one long text (:class:`Streams`), and separate sequences sorted into buckets of like length
(:class:`Batches`).
"""

from noria.sequences.batches import Batches
from noria.sequences.layout import Layout
from noria.sequences.looked_up import LookedUp
from noria.sequences.ragged import Ragged
from noria.sequences.streams import Streams, Window

__all__ = ["Batches", "Layout", "LookedUp", "Ragged", "Streams", "Window"]
