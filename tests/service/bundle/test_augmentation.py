import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from service.bundle.augmentation import augment

Array = NDArray[np.float32]


@given(
    embeddings=arrays(np.float32, (6, 3), elements=st.floats(-4, 4, width=32)),
    query=arrays(np.float32, 3, elements=st.floats(-4, 4, width=32)),
)
def test_angles_to_augmented_vectors_order_as_dot_products_do(embeddings: Array, query: Array) -> None:
    augmented = augment(embeddings).astype(np.float64)
    assert augmented.shape == (6, 4)
    np.testing.assert_array_equal(augmented[:, :3], embeddings)
    longest = np.sqrt(np.max(np.sum(embeddings.astype(np.float64) ** 2, axis=1)))
    np.testing.assert_allclose(np.linalg.norm(augmented, axis=1), longest, rtol=1e-5, atol=1e-5)
    if longest > 0 and np.linalg.norm(query) > 0:
        cosines = augmented @ [*query, 0] / longest / np.linalg.norm(query)
        dots = embeddings.astype(np.float64) @ query
        np.testing.assert_allclose(cosines * longest * np.linalg.norm(query), dots, atol=1e-4)
