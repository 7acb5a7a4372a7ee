import keras
import numpy as np
import pytest

from training.model.kept_weights import kept

SMALL, LARGE = (3, 2), (2**18 + 1, 64)  # the large one has more than 64 MiB


@pytest.mark.parametrize("shape", [SMALL, LARGE])
def test_weights_are_what_they_were_bit_for_bit_also_after_an_error(shape: tuple[int, int]) -> None:
    values = np.random.default_rng(1).random(shape, np.float32)
    weight = keras.Variable(values)

    def fail() -> None:
        with kept([weight]):
            weight.assign(0.3 * weight)
            np.testing.assert_allclose(weight.numpy()[-1], 0.3 * values[-1], rtol=1e-6)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    np.testing.assert_array_equal(weight.numpy(), values)
