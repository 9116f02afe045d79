"""reports/conformance/findings.toml: what is known to be refuted, and why.

    [[finding]]
    library = "libtorch-1.13"           # or a list of them
    subject = "torch:nn.AlphaDropout"   # glob on the subject, or what is
                                        # behind its #; optional
    check = "*.in_place[*]"             # glob on the finding's id, or a list;
                                        # * and ? are wild, brackets themselves
    kind = "defect"                     # or "choice": documented, and no
                                        # option says so; or "limit": the run
                                        # could not decide; or "unseen": a
                                        # defect that no check refutes
    title = "..."                       # one line
    call = "nn::AlphaDropout(AlphaDropoutOptions().inplace(true))"
    promise = "..."                     # what the documentation says
    source = "https://..."              # where it says so
    blame = "..."                       # file and line of the source
    known = "..."                       # where it was reported, or "no"
    confirm = "alpha_in_place.cpp"      # in reports/conformance/confirm
    output = "..."                      # what that printed
    device = "cuda"                     # optional, default cpu
    drawn = "yes"                       # optional: only cases that the seed
                                        # draws show it, not every run
"""

import dataclasses
import re
import tomllib

KINDS = ("defect", "choice", "limit", "unseen")
_RIGHT = ("certified", "not-supported", "deviation")


class BadFindings(Exception):
    """findings.toml says what cannot be."""


@dataclasses.dataclass
class Entry:
    library: str
    check: str | list[str]
    kind: str
    title: str
    subject: str = "*"
    call: str = ""
    promise: str = ""
    source: str = ""
    blame: str = ""
    known: str = ""
    confirm: str = ""
    output: str = ""
    device: str = "cpu"
    drawn: str = ""

    def matches(self, subject, finding):
        names = (subject["name"], subject["subject"])
        checks = [self.check] if isinstance(self.check, str) else self.check
        return (any(matches(self.subject, name) for name in names) and
                any(matches(check, finding["id"]) for check in checks))


def matches(glob, text):
    """Whether * (anything) and ? (one character) make `text` of `glob`."""
    pattern = re.escape(glob).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(pattern, text, re.S) is not None


def _entries(table, path):
    """One entry for each library that the table names."""
    names = {field.name for field in dataclasses.fields(Entry)}
    label = f"{path}: {table.get('title', table)}"
    for name, value in table.items():
        several = name in ("library", "check") and isinstance(value, list)
        texts = value if several else [value]
        if name not in names or not all(isinstance(one, str) for one in texts):
            raise BadFindings(f"{label}: '{name}' must be a text, and one of "
                              f"{', '.join(sorted(names))}")
    needed = ["library", "check", "kind", "title"]
    if table.get("kind") in ("defect", "unseen"):
        needed += ["call", "promise", "blame", "known", "confirm", "output"]
    if table.get("kind") == "choice":
        needed += ["promise", "source"]
    for name in needed:
        if not table.get(name):
            raise BadFindings(f"{label}: it has no {name}")
    if table["kind"] not in KINDS:
        raise BadFindings(f"{label}: kind is '{table['kind']}', but must be "
                          f"one of {', '.join(KINDS)}")
    confirm = table.get("confirm")
    if confirm and not (path.parent / "confirm" / confirm).is_file():
        raise BadFindings(f"{label}: there is no confirm/{confirm}")
    libraries = table["library"]
    return [Entry(**{**table, "library": library}) for library in
            ([libraries] if isinstance(libraries, str) else libraries)]


def read_findings(path):
    """All entries. Raises BadFindings."""
    if not path.exists():
        return []
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadFindings(f"{path}: {error}") from error
    if set(data) - {"finding"}:
        raise BadFindings(f"{path}: only [[finding]] is known")
    return [entry for table in data.get("finding", [])
            for entry in _entries(table, path)]


def shown_by(entry, records):
    """(record, subject, finding) of all that the entry explains."""
    return [(record, subject, finding)
            for record in records
            if record["library"] == entry.library and
            record["device"] == entry.device
            for subject in record["subjects"]
            for finding in subject["findings"]
            if finding["verdict"] not in _RIGHT and
            entry.matches(subject, finding)]


def differences(records, entries):
    """Sentences: what is refuted and not explained, and what is explained and
    not refuted. A library that could not be had is not judged; one that was
    stopped, only for what it decided."""
    found = []
    for record in records:
        mine = [entry for entry in entries
                if entry.library == record["library"] and
                entry.device == record["device"]]
        if record["status"] != "ran":
            continue
        stopped = record.get("stopped", False)
        for subject in record["subjects"]:
            for finding in subject["findings"]:
                excused = (finding["verdict"] in _RIGHT or
                           stopped and finding["verdict"] == "not-run")
                if excused or any(entry.matches(subject, finding)
                                  for entry in mine):
                    continue
                found.append(f"{record['library']}: {subject['name']} "
                             f"{finding['id']} is {finding['verdict']}, and "
                             "findings.toml does not say why" + (
                                 ": " + finding["sentence"]
                                 if "sentence" in finding else ""))
        found += [f"{record['library']}: nothing shows any more what "
                  f"findings.toml says: {entry.title}"
                  for entry in mine
                  if not (stopped or entry.drawn or entry.kind == "unseen" or
                          shown_by(entry, [record]))]
    return found
