#include <algorithm>
#include <cmath>

#include "train/ops/node_call.h"
#include "train/tensors.h"

namespace xgen::train {
namespace {

/// Where position `i` of the output lies in the input.
double source_position(ir::Resize::Coordinates rule, double i, double scale, std::int64_t in,
                       std::int64_t out) {
  using Coordinates = ir::Resize::Coordinates;
  switch (rule) {
    case Coordinates::half_pixel:
      return (i + 0.5) / scale - 0.5;
    case Coordinates::pytorch_half_pixel:
      return out > 1 ? (i + 0.5) / scale - 0.5 : 0;
    case Coordinates::align_corners:
      return out > 1 ? i * static_cast<double>(in - 1) / static_cast<double>(out - 1) : 0;
    case Coordinates::asymmetric:
      return i / scale;
  }
  return i;
}

double nearest_position(ir::Resize::Nearest rule, double x) {
  using Nearest = ir::Resize::Nearest;
  switch (rule) {
    case Nearest::round_prefer_floor:
      return std::ceil(x - 0.5);
    case Nearest::round_prefer_ceil:
      return std::floor(x + 0.5);
    case Nearest::floor:
      return std::floor(x);
    case Nearest::ceil:
      return std::ceil(x);
  }
  return x;
}

Tensor resize_axis(const ir::Resize& op, const Tensor& x, std::int64_t dim, std::int64_t out,
                   double scale) {
  const std::int64_t in = x.size(dim);
  std::vector<std::int64_t> low(static_cast<std::size_t>(out));
  std::vector<std::int64_t> high(low.size());
  std::vector<double> share(low.size());  // of `high`
  for (std::size_t i = 0; i < low.size(); ++i) {
    double at = source_position(op.coordinates, static_cast<double>(i), scale, in, out);
    if (op.mode == ir::Resize::Mode::nearest) {
      at = nearest_position(op.nearest, at);
    }
    at = std::clamp(at, 0.0, static_cast<double>(in - 1));
    low[i] = static_cast<std::int64_t>(std::floor(at));
    high[i] = std::min(low[i] + 1, in - 1);
    share[i] = at - std::floor(at);
  }
  const auto pick = [&](const std::vector<std::int64_t>& indices) {
    return x.index_select(dim, torch::tensor(indices, torch::kLong).to(x.device()));
  };
  if (op.mode == ir::Resize::Mode::nearest) return pick(low);
  std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim()), 1);
  shape[static_cast<std::size_t>(dim)] = out;
  const Tensor weight =
      torch::tensor(share, torch::kDouble).to(x.device(), x.scalar_type()).reshape(shape);
  return pick(low) * (1 - weight) + pick(high) * weight;
}

}  // namespace

Tensor compute(const ir::Resize& op, const NodeCall& call) {
  Tensor x = call.input();
  const bool by_size = call.has(3) && call.input(3).numel() > 0;
  XGEN_CHECK(by_size || (call.has(2) && call.input(2).numel() > 0), "node \"", call.node.name,
             "\": Resize without scales and sizes");
  std::vector<std::int64_t> sizes;
  if (by_size) sizes = to_integers(call.input(3));
  const Tensor scales = by_size ? Tensor() : call.input(2).to(torch::kCPU, torch::kDouble);
  for (std::int64_t d = 0; d < call.input().dim(); ++d) {
    const auto in = static_cast<double>(x.size(d));
    const double scale = by_size ? static_cast<double>(sizes[static_cast<std::size_t>(d)]) / in
                                 : scales[d].item<double>();
    const std::int64_t out = by_size ? sizes[static_cast<std::size_t>(d)]
                                     : static_cast<std::int64_t>(std::floor(in * scale));
    if (out != x.size(d)) x = resize_axis(op, x, d, out, scale);
  }
  return x;
}

}  // namespace xgen::train
