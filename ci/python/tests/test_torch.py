import pytest

import dropcheck

torch = pytest.importorskip("torch")


def test_a_module_class_is_verified_with_gradients_and_in_place():
    result = dropcheck.verify(torch.nn.Dropout, p=0.1,
                              variants=[{"in_place": True}],
                              strides="non-negative",
                              options={"dropped_nonfinite": "nan",
                                       "dropped_zero": "signed",
                                       "evaluation_return": "alias",
                                       "rank_is_checked": False})
    bad = {each.check for each in result.failures}
    # A seed of more than 32 bits is cut: known, and refuted rightly.
    assert bad <= {"seeding"}, [each.sentence for each in result.failures]
    assert result["backward_mask"].verdict == "certified"


def test_a_module_is_verified_as_it_is():
    module = torch.nn.Dropout2d(0.3)
    result = dropcheck.verify(module, layer="dropout2d", only=["granularity"])
    assert result.ok, result


def test_a_function_on_tensors_is_verified():
    def wrong(x, p, training):
        return torch.nn.functional.dropout(x, p, training) * (1 - p)

    result = dropcheck.verify(wrong, p=0.5, framework="torch",
                              only=["support"])
    assert "not scaled" in result["support"].sentence
