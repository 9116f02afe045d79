import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import dropcheck
from layers import Dropout, dropout, unscaled, wrong_rate

FEW = ["support", "drop_rate", "eval_identity"]
HERE = os.path.dirname(__file__)


def sentences(result):
    return "\n".join(each.sentence for each in result.failures)


def test_a_right_function_is_certified():
    result = dropcheck.verify(dropout, layer="dropout", p=0.1)
    assert result.ok, sentences(result)
    assert result.exit_status == 0
    rate = result["drop_rate"]
    assert rate.verdict == "certified" and rate.passed
    assert rate.expected == 0.1
    assert rate.interval[0] < 0.1 < rate.interval[1]
    assert rate.n > 1000


def test_numpys_masks_are_recomputed():
    rule = {"like": "numpy.random", "kept": "u>=drop"}
    result = dropcheck.verify(dropout, p=0.1, only="replay", recipe=rule)
    assert result["replay"].verdict == "certified", sentences(result)
    assert "PCG64" in result["replay"].bound
    result = dropcheck.verify(dropout, p=0.1, only="replay", shrink=0,
                              recipe="numpy.random")
    assert "with kept u>=drop, where u<keep is declared" in sentences(result)


def test_single_precision_of_numpy_is_recomputed():
    def layer(x, p, training, rng):
        if not training:
            return x.copy()
        keep = rng.random(x.shape, dtype=np.float32) < 1 - p
        return np.where(keep, x / x.dtype.type(1 - p), x.dtype.type(0))

    result = dropcheck.verify(layer, p=0.1, only="replay",
                              recipe="numpy.random.f32")
    assert result["replay"].verdict == "certified", sentences(result)


def test_a_right_class_is_certified_with_its_gradient():
    result = dropcheck.verify(Dropout, p=[0.3], own_state=True, threads=2)
    assert result.ok, sentences(result)
    assert result["backward_mask"].verdict == "certified"
    assert result["edge_probabilities"].verdict == "certified"


def test_a_layer_has_the_drop_probability_that_it_has():
    result = dropcheck.verify(Dropout(0.3), p=0.3,
                              only=["drop_rate", "edge*"])
    assert result["drop_rate"].verdict == "certified"
    assert result["edge_probabilities"].verdict == "not-supported"


def test_a_wrong_rate_is_refuted_and_named():
    result = dropcheck.verify(wrong_rate, p=0.1, only=FEW, shrink=0)
    assert not result.ok and result.exit_status == 1
    assert result["drop_rate"].verdict == "refuted"
    assert "not 0.1" in result["drop_rate"].sentence


def test_a_missing_scale_is_refuted_and_named():
    result = dropcheck.verify(unscaled, p=0.5, only=FEW, shrink=0)
    assert "not scaled" in result["support"].sentence


def test_half_precision_and_double():
    result = dropcheck.verify(dropout, p=0.5, dtypes=[np.float16, "f64"],
                              options={"scale_rounding": "dtype"},
                              only=["drop_rate"])
    assert result.ok, sentences(result)
    assert {"f16", "f64"} == {
        each.configuration.split(",")[1] for each in result.findings}


@pytest.mark.parametrize("wrong, words", [
    (lambda x, p, training: [1.0, 2.0], "returned a list"),
    (lambda x, p, training: None, "returned a NoneType"),
    (lambda x, p, training: x.astype(np.int32), "DLPack type 0"),
    (lambda x, p, training: x[:-1].copy(), "shape"),
    (lambda x, p, training: x.astype(np.float64), "f64"),
    (lambda x, p, training: np.full_like(x, np.nan), "NaN"),
    (lambda x, p, training: 1 / 0, "ZeroDivisionError"),
    (lambda x, p, training: sys.exit(3), "SystemExit"),
], ids=["list", "none", "integers", "shape", "dtype", "nan", "raises", "exits"])
def test_what_is_no_result_is_a_finding(wrong, words):
    result = dropcheck.verify(wrong, p=0.5, shrink=0)
    assert result.exit_status == 1
    assert words.lower() in sentences(result).lower()


def test_a_layer_that_hangs_is_a_finding_and_the_run_goes_on():
    code = ("import dropcheck, time\n"
            "def hangs(x, p, training):\n"
            "    while p == 0.5: time.sleep(0.01)\n"
            "    return x.copy()\n"
            "result = dropcheck.verify(hangs, p=[0.5, 0.1], call_timeout=1,"
            " only=['drop_rate'])\n"
            "print([f.verdict for f in result.findings])\n")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True,
                          text=True, timeout=120)
    assert "timeout" in done.stdout, done.stdout + done.stderr
    assert "refuted" in done.stdout  # at 0.1 it drops nothing


def test_a_layer_may_keep_its_inputs():
    kept = []

    def keeps(x, p, training, rng):
        kept.append(x)
        return dropout(x, p, training, rng)

    result = dropcheck.verify(keeps, p=0.1, only=FEW)
    assert result.ok, sentences(result)
    assert all(np.isfinite(each).any() for each in kept[:5])


def test_a_layer_that_changes_its_input_is_refuted():
    def spoils(x, p, training, rng):
        result = dropout(x, p, training, rng)
        x[...] = 0
        return result

    result = dropcheck.verify(spoils, p=0.1, only=["in_place"], shrink=0)
    assert result["in_place"].verdict == "refuted"


def test_what_is_not_supported_is_no_defect():
    def lacks_all(x, p):
        raise dropcheck.NotSupported("not today")

    result = dropcheck.verify(lacks_all, p=0.5)
    assert {each.verdict for each in result.findings} == {"not-supported"}
    assert not result.ok  # nothing is certified


def test_a_finding_is_repeated_exactly():
    first = dropcheck.verify(wrong_rate, p=0.1, only=["drop_rate"], name="x:y",
                             shrink=0)
    found = first["drop_rate"]
    again = dropcheck.verify(wrong_rate, p=0.1, replay=found.replay,
                             name="x:y")["drop_rate"]
    assert (again.n, again.log10_e, again.sentence) == (
        found.n, found.log10_e, found.sentence)


def test_the_same_seed_gives_the_same_result():
    runs = [dropcheck.verify(dropout, p=0.1, seed=7, only=FEW)
            for _ in range(2)]
    assert [each.observed for each in runs[0].findings] == [
        each.observed for each in runs[1].findings]
    assert runs[0].seed == 7


def test_documented_choices_are_declared():
    def refuses_one(x, p, training, rng):
        if p == 1:
            raise ValueError("p must be below 1")
        return dropout(x, p, training, rng)

    strict = dropcheck.verify(refuses_one, p=0.1, only=["edge*"], shrink=0)
    assert "at_one = error" in sentences(strict)
    declared = dropcheck.verify(refuses_one, p=0.1, only=["edge*"],
                                options={"at_one": "error"})
    assert declared.ok, sentences(declared)


@pytest.mark.parametrize("arguments, words", [
    ({"p": 1.5}, "p is 1.5"),
    ({"p": []}, "p is empty"),
    ({"layer": "dropuot"}, "layer is 'dropuot'"),
    ({"dtypes": ["int8"]}, "dtype is 'int8'"),
    ({"framework": "numpi"}, "framework is 'numpi'"),
    ({"device": "cuda"}, "device is 'cuda'"),
    ({"profile": "fast"}, "profile is 'fast'"),
    ({"options": {"at_two": "error"}}, "at_two"),
    ({"options": {"at_one": "maybe"}}, "maybe"),
    ({"variants": [{"in_plaice": True}]}, "in_plaice"),
    ({"variants": [{"in_place": 3}]}, "in_place is 3"),
    ({"variants": [{"samples": 1.5}]}, "samples is 1.5"),
    ({"variants": [{"shared_axes": "0"}]}, 'shared_axes is "0"'),
    ({"layer": "dropout2"}, "did you mean 'dropout2d'?"),
    ({"profile": "nigthly"}, "did you mean 'nightly'?"),
    ({"strides": "some"}, "strides is 'some'"),
    ({"recipe": "numpy"}, "recipe is 'numpy'"),
    ({"recipe": {"bits": 24}}, "neither generator nor like"),
    ({"recipe": {"like": "numpy.random", "bits": 65}}, "bits is '65'"),
    ({"seed": -1}, "seed is -1"),
    ({"alpha": 0}, "alpha is 0"),
    ({"delta": float("nan")}, "delta is nan"),
    ({"threads": -1}, "threads is -1"),
    ({"shrink": -1}, "shrink is -1"),
    ({"p": True}, "p is True"),
    ({"p": "x"}, "p is 'x'"),
    ({"seed": "x"}, "seed is 'x'"),
    ({"dtypes": []}, "dtypes is empty"),
    ({"reseed": 3}, "reseed is 3"),
    ({"progress": 3}, "progress is 3"),
    ({"profile": "nightly", "time_limit": 1}, "time_limit is 1"),
    ({"shapes": [[-3]]}, "-3"),
    ({"only": ["no_such_check"]}, "no_such_check"),
    ({"replay": "nonsense"}, "nonsense"),
])
def test_bad_arguments_are_named(arguments, words):
    with pytest.raises((ValueError, TypeError)) as raised:
        dropcheck.verify(dropout, **{"p": 0.1, **arguments})
    assert words in str(raised.value)


def test_an_unknown_parameter_is_named():
    with pytest.raises(TypeError, match="parameter 'colour'"):
        dropcheck.verify(lambda x, colour: x, p=0.1)


def test_what_cannot_be_called_is_refused():
    with pytest.raises(TypeError, match="target is a int"):
        dropcheck.verify(3)


def test_progress_is_told():
    told = []
    dropcheck.verify(dropout, p=0.1, only=["drop_rate"], delta=0.001,
                     progress=lambda *state: told.append(state))
    assert told and all(done <= total for done, total, _ in told)


def test_what_progress_raises_ends_the_run():
    def fails(done, total, what):
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        dropcheck.verify(dropout, p=[0.1, 0.3], progress=fails)


def test_an_interrupt_ends_the_run():
    code = ("import dropcheck\nfrom layers import dropout\n"
            "print('begins', flush=True)\n"
            "dropcheck.verify(dropout, p=0.1, profile='nightly')\n")
    child = subprocess.Popen([sys.executable, "-c", code], cwd=HERE, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    child.stdout.readline()
    time.sleep(2)
    child.send_signal(signal.SIGINT)
    _, complaint = child.communicate(timeout=60)
    assert "KeyboardInterrupt" in complaint


def test_an_unknown_layer_is_identified():
    found = dropcheck.identify(dropout, p=0.3)
    assert found.identified
    assert "dropout" in str(found)
    assert abs(found.drop_probability - 0.3) < 0.01


def test_results_are_shown_and_written(tmp_path):
    result = dropcheck.verify(unscaled, p=0.5, only=FEW, shrink=0)
    assert "refuted" in str(result)
    assert 'dropcheck.verify(..., replay="dc1,' in str(result)
    assert "dropcheck replay" not in str(result)
    assert "no pass" in repr(result)
    assert "<table>" in result._repr_html_()
    for suffix, words in ((".html", "<html"), (".json", '"findings"'),
                          (".xml", "<testsuite"), (".md", "refuted"),
                          (".txt", "refuted")):
        path = tmp_path / f"report{suffix}"
        result.write(path)
        assert words in path.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="suffix"):
        result.write(tmp_path / "report.pdf")
    with pytest.raises(KeyError, match="no finding"):
        result["no_such_check"]


def test_sentences_are_escaped_in_notebooks():
    def shouts(x, p, training):
        raise ValueError("<script>alert(1)</script>")

    shown = dropcheck.verify(shouts, p=0.5, only=FEW)._repr_html_()
    assert "<script>" not in shown and "&lt;script&gt;" in shown


def test_the_laws_are_listed():
    names = [each["layer"] for each in dropcheck.layers()]
    assert "dropout" in names and "alpha_dropout" in names


def with_mask(x, p, training, rng):
    keep = rng.random(x.shape) >= p if training else np.ones(x.shape, bool)
    scale = 1 / (1 - p) if training and p < 1 else 1.0
    return (x * (keep * scale)).astype(x.dtype), keep


def with_inverted_mask(x, p, training, rng):
    output, keep = with_mask(x, p, training, rng)
    return output, ~keep


def test_a_returned_mask_is_compared():
    right = dropcheck.verify(with_mask, p=0.3, returns_mask=True,
                             only=["mask_output"])
    assert right["mask_output"].verdict == "certified", str(right)
    wrong = dropcheck.verify(with_inverted_mask, p=0.3, returns_mask=True,
                             only=["mask_output"])
    assert "marks what was dropped" in wrong["mask_output"].sentence


@pytest.mark.parametrize("result, words", [
    (lambda x: x, "must return (output, mask)"),
    (lambda x: (x, x), "a mask of float32"),
    (lambda x: (x, np.full(x.shape, -1)), "outside"),
    (lambda x: (x, np.ones(3, bool)), "3 entries"),
], ids=["none", "floats", "negative", "short"])
def test_a_mask_that_is_none_is_a_finding(result, words):
    def layer(x, p, training, rng):
        output, _ = with_mask(x, p, training, rng)
        return result(output)
    found = dropcheck.verify(layer, p=0.3, returns_mask=True,
                             only=["mask_output"])
    assert not found.ok
    assert any(words in one.sentence for one in found.failures), str(found)
