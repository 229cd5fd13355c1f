"""``noria cite``: what to cite for a run, as BibTeX."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from noria.cli.common import Debug, Json
from noria.cli.console import give, give_json, say, table


def cite(
    run: Annotated[Path, Parameter(help="A run folder.")],
    /,
    *,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Write the BibTeX of Noria and of the papers of what a run used; what each is for goes beside it.

    These are the papers of its cells, its optimiser, its regularisers, and of what else stands in its
    options. The entries go to standard output, the list to standard error.

    noria cite runs/first > references.bib
    """
    from noria.models.citing import bibliography, used
    from noria.models.stored import damage_named
    from noria.training import RunFolder

    folder = RunFolder.open(run)
    report = folder.read_json("report.json") if (run / "report.json").exists() else {}
    with damage_named(folder):
        reasons = used(folder.config, report)
    if json:
        entries = {key: {"for": why, "bibtex": bibliography([key])} for key, why in reasons.items()}
        give_json({"run": str(run), "references": entries})
        return
    say("Cite", table([(key, ", ".join(why)) for key, why in reasons.items()], indent=0))
    give(bibliography(reasons))
