"""A convolution of a network in training by the algorithm that is the fastest for its maps, in bfloat16."""

from torch import Tensor, nn

from dawn.kernels import products, winograd
from dawn.kernels.winograd import with_bias


class Convolution:
    """A convolution, with a max pooling after it or not: by Winograd's algorithm, as a matrix product, or PyTorch's."""

    def __init__(self, layer: nn.Conv2d, pool: bool = False) -> None:
        self.layer, self.pool = layer, pool
        self.products, self.winograd = products.fits(layer) and not pool, winograd.fits(layer)

    def __call__(self, x: Tensor) -> Tensor:
        """(b, c_in, h, w) to (b, c_out, h', w'), with pooling half as high and wide."""
        layer = self.layer
        if self.products and products.faster(layer, *x.shape[2:]):
            return with_bias(products.Operation.apply(x, layer.weight, layer.stride[0]), layer.bias)
        if self.winograd:
            return with_bias(winograd.Operation.apply(x, layer.weight, self.pool), layer.bias)
        y: Tensor = layer(x)
        return y


def convolution_of(layer: nn.Module, pool: bool = False) -> Convolution | None:
    """Return the convolution of a layer, with pooling or not; None if it is another layer, or never faster this way."""
    if type(layer) is not nn.Conv2d or (pool and layer.bias is not None):
        return None
    fits = winograd.fits(layer) or (products.fits(layer) and not pool)
    return Convolution(layer, pool) if fits else None
