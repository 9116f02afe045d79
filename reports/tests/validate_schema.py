"""Checks the JSON of the sample result against the published schema.

usage: validate_schema.py SAMPLE_PROGRAM SCHEMA
Exit status 77 (skipped) without the Debian package python3-jsonschema.
"""

import copy
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    print("skipped: python3-jsonschema is not installed")
    sys.exit(77)


def main(program, schema_path):
    schema = json.loads(pathlib.Path(schema_path).read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    kind = schema["properties"]["schema"]["const"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, folder], check=True)
        paths = sorted(pathlib.Path(folder).glob("*.json"))
        results = [json.loads(path.read_text(), parse_constant=reject)
                   for path in paths]
    results = [result for result in results if result["schema"] == kind]
    assert results, "the sample program wrote no " + kind
    for result in results:
        validator.validate(result)
    # The schema must also say no.
    for spoil in (misspell_verdict, number_seed, drop_sentence):
        wrong = copy.deepcopy(result)
        spoil(wrong, "findings" if "findings" in wrong else "kills")
        assert not validator.is_valid(wrong), spoil.__name__
    print(f"{len(results)} results follow the schema")


def reject(constant):
    raise ValueError(f"JSON has no {constant}")


def misspell_verdict(result, rows):
    result[rows][0]["verdict"] = "passed"


def number_seed(result, _):
    result["seed"] = 1


def drop_sentence(result, rows):
    del result[rows][0]["sentence"]


if __name__ == "__main__":
    main(*sys.argv[1:])
