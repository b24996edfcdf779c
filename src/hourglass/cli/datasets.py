"""`hourglass datasets`: the named public data sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hourglass.cli.output import print_result, print_table

if TYPE_CHECKING:
    from hourglass.datasets import Dataset


def datasets(*, json: bool = False) -> None:
    """List the public data sets that DATA can name, their licences, and where they are found.

    A set that is not available locally is downloaded from its public home when it is first used, and checked. Set
    HOURGLASS_DATA to a folder that holds copies to use those.

    Parameters
    ----------
    json
        Print the list as JSON.
    """
    from hourglass.datasets import names

    found: list[dict[str, Any]] = [
        {
            "name": d.name, "title": d.title, "kind": d.kind, "rows": d.rows, "licence": d.licence,
            "citation": d.citation, "where": _where(d),
        }
        for d in names().values()
    ]  # fmt: skip
    if json:
        print_result(found, "", True)
        return
    rows = [
        [d["name"], d["title"], d["kind"], " + ".join(f"{n:,}" for n in d["rows"].values()), d["licence"], d["where"]]
        for d in found
    ]
    print_table("", ["name", "what", "kind", "rows", "licence", "where"], rows, numbers=("rows",))


def _where(dataset: Dataset) -> str:
    """What it would take to use it now."""
    from hourglass.datasets import local_path

    if not dataset.files:
        return "here: nothing to download"
    paths = [local_path(file) for file in dataset.files]
    missing = [file for file, path in zip(dataset.files, paths, strict=True) if path is None]
    if missing:
        return f"to be downloaded, {sum(file.size for file in missing) / 1e6:.0f} MB"
    return f"here: {paths[0].parent}" if paths[0] else ""
