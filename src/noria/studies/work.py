"""One run of a study, in a process of its own: ``python -m noria.studies.work FOLDER VARIANT SEED``.

The result is a file that appears when the run has ended. A process whose parent is gone ends too: it reads
its standard input, which the parent holds open.
"""

import os
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from noria.errors import DivergenceError, NoriaError
from noria.studies.folder import StudyFolder, write_json
from noria.training.options import Budget
from noria.training.report import Evaluated, Event, Replanned, Started, StepDone

DONE, DIVERGED, FAILED = "done", "diverged", "failed"
OWN_FAULT, OTHER_FAULT = 0, 1


class Evaluations:
    """A listener that keeps the evaluations of a run."""

    def __init__(self) -> None:
        self.points: list[dict[str, Any]] = []
        self.latest: StepDone | None = None
        self.steps = 0

    def __call__(self, event: Event) -> None:
        """Keep what belongs to a learning curve."""
        match event:
            case Started() | Replanned():
                self.steps = event.steps
            case StepDone():
                self.latest = event
            case Evaluated():
                latest = self.latest
                self.points.append(
                    {
                        "step": event.step,
                        "epoch": event.epoch,
                        "train": event.loss,
                        "seconds": latest.seconds if latest else 0.0,
                        "tokens": latest.tokens if latest else 0,
                        "validation": event.metrics,
                        "measured": event.train,
                    }
                )
            case _:
                return


def run_one(folder: StudyFolder, variant_name: str, seed: int) -> dict[str, Any]:
    """Train one variant with one seed, write its result, and give it.

    What diverges, or cannot be trained, is a result too, which says so.
    """
    from noria.models.loading import model_class
    from noria.studies.data import prepared_of
    from noria.studies.looking import looked_at

    study = folder.study
    variant = next(one for one in study.variants if one.name == variant_name)
    curve, begun = Evaluations(), time.perf_counter()
    result: dict[str, Any] = {"variant": variant.name, "seed": seed, "status": DONE}
    result |= {"sample": None, "gradient": None, "gates": None, "looking": {}}
    model = model_class(study.task)(**study.options_of(variant, seed))
    try:
        prepared = model.settled(prepared_of(study, model), Budget.from_toml_dict(study.budget))
        result["parameters"] = prepared.description.model.parameters
        result["data"] = prepared.description.data.source
        result["engines"] = list(prepared.description.model.engines)
        model.fit(prepared, **study.budget, listener=curve)
        report = model.report_
        result |= {name: report[name] for name in ("test", "validation", "steps", "best_step", "tokens")}
        result |= {"seconds": report["seconds"], "baseline": report.get("baseline", {})}
        result |= {"hidden_sizes": list(prepared.description.model.hidden_sizes)}
        if study.metric is not None and study.metric in report:  # it stands beside the figures of the parts
            result["test"] = {**report["test"], study.metric: report[study.metric]}
        place = folder.gates_of(variant, seed)
        result |= {"peak_bytes": peak_memory(), **looked_at(model, prepared, place)}
    except DivergenceError as error:
        result |= {"status": DIVERGED, "message": str(error)}
    except NoriaError as error:
        result |= {"status": FAILED, "message": str(error)}
    latest = curve.latest
    result |= {
        "curve": curve.points,
        "last_step": latest.step if latest else 0,
        "planned": curve.steps,
        "tokens_per_second": latest.tokens_per_second if latest else None,
        "wall_seconds": time.perf_counter() - begun,
    }
    result.setdefault("peak_bytes", peak_memory())
    write_json(folder.file_of(variant, seed), result)
    return result


def peak_memory() -> int | None:
    """Give the most memory that this process had at once, in bytes; None where the system does not say."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak) if sys.platform == "darwin" else int(peak) * 1024


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(OTHER_FAULT)


def main(arguments: list[str]) -> int:
    """Run one run of a study that is there."""
    path, variant, seed = arguments
    threading.Thread(target=_end_with_parent, daemon=True).start()
    folder = StudyFolder.open(Path(path))
    try:
        run_one(folder, variant, int(seed))
    except Exception:
        traceback.print_exc()
        return OTHER_FAULT
    return OWN_FAULT


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the thread that waits for the parent holds the lock of standard input
