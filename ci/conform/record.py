"""What of a run's JSON is kept: reports/conformance/results/NAME.json."""

import datetime
import json
import os
import platform

RIGHT = ("certified", "not-supported")
_FIELDS = ("id", "verdict", "sentence", "expected", "observed", "interval", "n",
           "log10_e", "replay")
# Of one subject and check, so many findings are kept whole.
_WHOLE = 3


def machine():
    """The kind of machine, in words."""
    return (f"{platform.system()} {platform.machine()}, "
            f"{os.cpu_count()} cores")


def _kept(finding, whole):
    names = _FIELDS if whole else ("id", "verdict")
    kept = {name: finding[name] for name in names
            if finding.get(name) not in (None, "")}
    shrinking = finding.get("shrinking") or {}
    if whole and shrinking.get("smallest"):
        kept["smallest"] = shrinking["smallest"]
        kept["smallest_replay"] = shrinking["replay"]
    return kept


def _add_findings(findings, subjects):
    for finding in findings:
        subject = subjects[finding["subject"]]
        verdict = finding["verdict"]
        counts = subject["counts"]
        counts[verdict] = counts.get(verdict, 0) + 1
        if verdict in RIGHT:
            continue
        alike = sum(one["id"].split("[")[0] == finding["id"].split("[")[0]
                    for one in subject["findings"])
        subject["findings"].append(_kept(finding, alike < _WHOLE))


def short_name(name):
    """What people call a subject: behind the #, else the last word."""
    if "#" in name:
        return name[name.rindex("#") + 1:]
    return name if name.startswith("torch:") else name.split()[-1]


def of_results(library, device, results):
    """The record of a library that ran: `results` are what dropcheck wrote."""
    subjects = {}
    for result in results:
        for one in result["subjects"]:
            subjects.setdefault(one["name"], {
                "name": short_name(one["name"]), "subject": one["name"],
                "layer": one["layer"], "version": one["version"],
                "generator": one["generator"],
                "repeatable": one["repeatable"], "counts": {}, "findings": []})
        _add_findings(result["findings"], subjects)
    first = results[0]
    stopped = any(result["interrupted"] for result in results)
    return {"library": library.name, "title": library.title,
            "language": library.language, "version": library.version,
            "documentation": library.documentation, "status": "ran",
            "device": device, "machine": machine(),
            "dropcheck": first["version"], "date": first["started"][:10],
            "profile": first["profile"], "stopped": stopped,
            "seeds": [result["seed"] for result in results],
            "run_seconds": round(sum(result["seconds"] for result in results)),
            "subjects": list(subjects.values())}


def of_not_had(library, device, reason):
    """The record of a library that could not be had."""
    today = datetime.datetime.now(datetime.timezone.utc).date()
    return {"library": library.name, "title": library.title,
            "language": library.language, "version": library.version,
            "documentation": library.documentation,
            "status": "could not be had", "reason": reason, "device": device,
            "machine": machine(), "date": today.isoformat(), "subjects": []}


def path_of(record, folder):
    end = "" if record["device"] == "cpu" else "." + record["device"]
    return folder / f"{record['library']}{end}.json"


def write(record, folder):
    """Writes a record. What was found is not replaced by a failure to find."""
    path = path_of(record, folder)
    if record["status"] != "ran" and path.exists():
        if json.loads(path.read_text("utf-8"))["status"] == "ran":
            return
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", "utf-8")


def read_all(folder):
    """All records: those that ran first, by title."""
    records = [json.loads(path.read_text("utf-8"))
               for path in sorted(folder.glob("*.json"))]
    return sorted(records, key=lambda one: (
        one["status"] != "ran", one["device"], one["title"].lower()))
