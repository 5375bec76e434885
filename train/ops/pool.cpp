#include <limits>

#include "train/ops/node_call.h"

namespace xgen::train {
namespace {

/// The pads which make every window lie inside, whatever the rounding of the output's extent is.
/// With ceil_mode a window that would begin in the padding at the end is left out, as PyTorch does
/// and ONNX demands from opset 19 on. Windows never reach further than the pads; fewer are cut off.
std::array<std::int64_t, 4> effective_pads(const ir::Pool& op, const Tensor& x) {
  std::array<std::int64_t, 4> pads = op.pads;
  for (std::size_t d = 0; d < 2; ++d) {
    const std::int64_t in = x.size(static_cast<std::int64_t>(d) - 2);
    const std::int64_t window = op.dilations[d] * (op.kernel[d] - 1) + 1;
    const std::int64_t room = in + pads[d] + pads[d + 2] - window;
    XGEN_CHECK(room >= 0, "a window of ", window, " does not fit ", in, " positions and pads");
    std::int64_t out = room / op.strides[d] + 1;
    if (op.ceil_mode) {
      out = (room + op.strides[d] - 1) / op.strides[d] + 1;
      if ((out - 1) * op.strides[d] >= in + pads[d]) --out;
    }
    pads[d + 2] = (out - 1) * op.strides[d] + window - in - pads[d];
  }
  return pads;
}

bool torch_can_pad(const ir::Pool& op, const std::array<std::int64_t, 4>& pads) {
  return pads[0] == pads[2] && pads[1] == pads[3] && 2 * pads[0] <= op.kernel[0] &&
         2 * pads[1] <= op.kernel[1] && pads[0] >= 0 && pads[1] >= 0;
}

/// Sums of the windows of a padded image.
Tensor window_sums(const ir::Pool& op, const Tensor& x) {
  if (op.dilations == std::array<std::int64_t, 2>{1, 1}) {
    return at::avg_pool2d(x, op.kernel, op.strides, {0, 0}, false, true, 1);
  }
  Tensor sum;
  for (std::int64_t row = 0; row < op.kernel[0]; ++row) {
    for (std::int64_t column = 0; column < op.kernel[1]; ++column) {
      // The last position of a tap: as many windows as fit.
      const auto positions = [&](const Tensor& t, std::int64_t dim, std::int64_t tap) {
        const auto d = static_cast<std::size_t>(dim + 2);
        const std::int64_t first = tap * op.dilations[d];
        const std::int64_t span = op.dilations[d] * (op.kernel[d] - 1);
        return t.slice(dim, first, t.size(dim) - span + first, op.strides[d]);
      };
      const Tensor tap = positions(positions(x, -2, row), -1, column);
      sum = sum.defined() ? sum + tap : tap;
    }
  }
  return sum;
}

}  // namespace

Tensor compute(const ir::MaxPool& op, const NodeCall& call) {
  const auto pads = effective_pads(op, call.input());
  if (torch_can_pad(op, pads)) {
    return at::max_pool2d(call.input(), op.kernel, op.strides, {pads[0], pads[1]}, op.dilations);
  }
  const Tensor x = pad_image(call.input(), pads, -std::numeric_limits<double>::infinity());
  return at::max_pool2d(x, op.kernel, op.strides, {0, 0}, op.dilations);
}

Tensor compute(const ir::AveragePool& op, const NodeCall& call) {
  const auto pads = effective_pads(op, call.input());
  if (pads == std::array<std::int64_t, 4>{} && op.dilations == std::array<std::int64_t, 2>{1, 1}) {
    return at::avg_pool2d(call.input(), op.kernel, op.strides);
  }
  const Tensor sums = window_sums(op, pad_image(call.input(), pads, 0));
  // How many positions each window averages: the image's, the padding's where that counts, never
  // those which ceil_mode added beyond.
  std::array<std::int64_t, 4> counted{};
  if (op.count_include_pad) {
    for (std::size_t side = 0; side < 4; ++side)
      counted[side] = std::min(op.pads[side], pads[side]);
  }
  std::array<std::int64_t, 4> rest{};
  for (std::size_t side = 0; side < 4; ++side) rest[side] = pads[side] - counted[side];
  const Tensor ones = torch::ones({1, 1, call.input().size(2), call.input().size(3)},
                                  call.input().options().requires_grad(false));
  const Tensor counts = window_sums(op, pad_image(pad_image(ones, counted, 1), rest, 0));
  return sums / counts;
}

Tensor compute(const ir::GlobalAveragePool& /*op*/, const NodeCall& call) {
  return call.input().mean(at::IntArrayRef({2, 3}), true);
}

}  // namespace xgen::train
