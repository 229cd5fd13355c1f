import numpy as np
import pytest

from noria.training.losses import cross_entropy_rows, sequence_cross_entropy

torch = pytest.importorskip("torch", reason="PyTorch is the outside judge of losses; install noria[torch]")

pytestmark = pytest.mark.usefixtures("either_engine")


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-14), (np.float32, 1e-6)])
def test_cross_entropy_and_gradient(dtype, tolerance):
    rng = np.random.default_rng(5)
    logits = (3 * rng.standard_normal((9, 17))).astype(dtype)
    targets = rng.integers(0, 17, 9)
    theirs = torch.tensor(logits, requires_grad=True)
    torch_rows = torch.nn.functional.cross_entropy(theirs, torch.tensor(targets), reduction="none")
    torch_rows.mean().backward()
    loss, backward = sequence_cross_entropy(logits, targets)
    np.testing.assert_allclose(loss, torch_rows.mean().item(), rtol=tolerance)
    np.testing.assert_allclose(
        cross_entropy_rows(logits, targets), torch_rows.detach().numpy(), rtol=10 * tolerance
    )
    np.testing.assert_allclose(backward(), theirs.grad.numpy(), rtol=0, atol=tolerance)
