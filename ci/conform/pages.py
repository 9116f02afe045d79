"""reports/conformance/README.md and FINDINGS.md, made of the data."""

import textwrap

from . import findings as known

_START = """\
# Conformance

What the dropout layers of the libraries that people use promise, and what
`ci/conformance` found of it. Made by `ci/conformance --pages` from
[results](results) and [findings.toml](findings.toml); a test compares.

A right layer is refuted in at most one run in 10^9. *Explained* findings are
those of [FINDINGS.md](FINDINGS.md): each has a cause, and each defect a program
of its own that shows it without dropcheck. Certified holds for the
configurations that were run, not for others.
"""
_FINDINGS = """\
# Findings

What was refuted in the libraries of [README.md](README.md). A defect is where a
library does not keep what its own documentation says, confirmed by an
independent program in the library's own language, in [confirm](confirm). What
is documented and looks odd is no defect: it stands below, as a choice.
"""
_KINDS = {"defect": "Defects", "choice": "Documented choices that no option "
          "of dropcheck covers", "limit": "What the run could not decide",
          "unseen": "Defects found by reading, which no check refutes"}


def _cell(text):
    return str(text).replace("|", "\\|").replace("\n", " ")


def _row(cells):
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _table(heads, rows):
    if not rows:
        return ""
    lines = [_row(heads), _row(["---"] * len(heads))]
    return "\n".join(lines + [_row(row) for row in rows]) + "\n"


def _time(seconds):
    return f"{seconds // 60}:{seconds % 60:02d}"


def totals(record):
    """Findings by verdict, of all subjects."""
    counts = {}
    for subject in record["subjects"]:
        for verdict, count in subject["counts"].items():
            counts[verdict] = counts.get(verdict, 0) + count
    return counts


def _wrong(counts):
    right = ("certified", "not-supported", "inconclusive", "not-run")
    return sum(count for verdict, count in counts.items()
               if verdict not in right)


def _open(counts):
    return counts.get("inconclusive", 0) + counts.get("not-run", 0)


def _library_row(record, entries):
    counts = totals(record)
    causes = sum(bool(known.shown_by(entry, [record])) for entry in entries)
    return [f"[{record['title']}]({record['documentation']})",
            record["version"], record["language"], record["device"],
            len(record["subjects"]), f"{counts.get('certified', 0):,}",
            f"{_wrong(counts):,}" + (f" ({causes} causes)" if causes > 1 else
                                     " (1 cause)" if causes else ""),
            f"{_open(counts):,}", record["profile"],
            _time(record["run_seconds"]) +
            (", stopped" if record.get("stopped") else "")]


def _subject_row(record, subject):
    counts = subject["counts"]
    return [record["title"], f"`{subject['name']}`", subject["layer"],
            f"{counts.get('certified', 0):,}", f"{_wrong(counts):,}",
            f"{_open(counts):,}"]


def scoreboard(records, entries):
    """The text of README.md."""
    ran = [one for one in records if one["status"] == "ran"]
    parts = [_START]
    languages = sorted({one["language"] for one in ran})
    parts.append(textwrap.fill(
        f"{len({one['library'] for one in ran})} libraries in "
        f"{len(languages)} languages ({', '.join(languages)}), "
        f"{sum(len(one['subjects']) for one in ran)} layers.", 80) + "\n")
    parts.append(_table(
        ["library", "version", "language", "on", "layers", "certified",
         "refuted", "open", "profile", "time"],
        [_library_row(one, entries) for one in ran]))
    missing = [one for one in records if one["status"] != "ran"]
    if missing:
        parts.append("## Could not be had here\n")
        parts.append(_table(
            ["library", "version", "language", "on", "why"],
            [[one["title"], one["version"], one["language"], one["device"],
              one["reason"]] for one in missing]))
    parts.append("## Layer by layer\n")
    parts.append(_table(
        ["library", "layer", "held to", "certified", "refuted", "open"],
        [_subject_row(record, subject) for record in ran
         for subject in record["subjects"]]))
    parts.append(_runs(ran))
    return "\n".join(part for part in parts if part)


def _runs(ran):
    rows = [[one["title"], one["subjects"][0]["version"], one["date"],
             one["dropcheck"], one["machine"],
             " ".join(one["seeds"]), _installing(one),
             f"{one.get('disk_mb', 0):,} MB"] for one in ran]
    return "## The runs\n\n" + _table(
        ["library", "names itself", "date", "dropcheck", "machine", "seeds",
         "installing", "disk"], rows)


def _installing(record):
    seconds = record.get("install_seconds")
    return "kept from before" if seconds is None else f"{seconds} s"


def _sentence(found):
    record, subject, finding = found
    lines = [f"`{subject['name']}`, `{finding['id']}`:", ""]
    lines.append("> " + finding.get("sentence", finding["verdict"]))
    numbers = [f"{name} {finding[name]}" for name in
               ("expected", "observed", "interval", "n", "log10_e")
               if name in finding]
    if numbers:
        lines += [">", "> " + ", ".join(numbers).replace("_", " ")]
    lines.append("")
    if "smallest" in finding:
        lines += [f"Smallest case still refuted: `{finding['smallest']}`", ""]
    replay = finding.get("smallest_replay") or finding.get("replay")
    if replay:
        lines += ["```", f"dropcheck replay '{replay}'", "```", ""]
    return "\n".join(lines)


def _title_of(records, library):
    return next((f"{one['title']} {one['version']}" for one in records
                 if one["library"] == library), library)


def _entry_text(entry, records):
    shown = known.shown_by(entry, records)
    parts = [f"### {_title_of(records, entry.library)}: {entry.title}\n"]
    facts = [("Call", f"`{entry.call}`" if entry.call else ""),
             ("Promised", entry.promise +
              (f" ([source]({entry.source}))" if entry.source else "")),
             ("To blame", entry.blame), ("Known", entry.known),
             ("On", entry.device if entry.device != "cpu" else "")]
    parts.append("\n".join(f"- {name}: {text}" for name, text in facts
                           if text) + "\n")
    if shown:
        parts.append(_sentence(next(
            (one for one in shown if "sentence" in one[2]), shown[0])))
        count = len(shown)
        layers = sorted({one[1]["name"] for one in shown})
        parts.append(f"{count} finding{'s' * (count > 1)}, of "
                     f"{', '.join(f'`{one}`' for one in layers)}.\n")
    if entry.confirm:
        parts.append(f"Confirmed by [{entry.confirm}]"
                     f"(confirm/{entry.confirm}), which prints:\n")
        parts.append(f"```\n{entry.output.strip()}\n```\n")
    return "\n".join(parts)


def findings_page(records, entries):
    """The text of FINDINGS.md."""
    parts = [_FINDINGS]
    for kind, headline in _KINDS.items():
        some = [entry for entry in entries if entry.kind == kind]
        if not some:
            continue
        parts.append(f"## {headline}\n")
        parts += [_entry_text(entry, records) for entry in some]
    return "\n".join(parts)


def write(folder, records, entries):
    """Writes both pages."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in _pages(records, entries).items():
        (folder / name).write_text(text, "utf-8")


def _pages(records, entries):
    return {"README.md": scoreboard(records, entries),
            "FINDINGS.md": findings_page(records, entries)}


def stale(folder, records, entries):
    """Names of the pages that the data would make otherwise."""
    return [name for name, text in _pages(records, entries).items()
            if not (folder / name).exists() or
            (folder / name).read_text("utf-8") != text]
