#include <algorithm>
#include <limits>
#include <numeric>

#include "train/ops/node_call.h"
#include "train/tensors.h"

namespace xgen::train {
namespace {

std::int64_t from_end(std::int64_t axis, std::int64_t rank) {
  return axis < 0 ? axis + rank : axis;
}

/// Elements first, first + step, ... of `dim`; a negative step walks backwards.
Tensor slice_one(const Tensor& x, std::int64_t dim, std::int64_t start, std::int64_t end,
                 std::int64_t step) {
  const std::int64_t n = x.size(dim);
  // Sentinels such as INT64_MIN are clamped before they are shifted by n.
  const auto resolve = [n](std::int64_t i) { return i < 0 ? std::max(i, -n - 1) + n : i; };
  if (step > 0) {
    const std::int64_t first = std::clamp<std::int64_t>(resolve(start), 0, n);
    const std::int64_t last = std::clamp<std::int64_t>(resolve(end), first, n);
    return x.slice(dim, first, last, step);
  }
  std::vector<std::int64_t> indices;
  const std::int64_t last = std::clamp<std::int64_t>(resolve(end), -1, n - 1);
  for (std::int64_t i = std::clamp<std::int64_t>(resolve(start), -1, n - 1); i > last; i += step) {
    indices.push_back(i);
  }
  return x.index_select(dim, torch::tensor(indices, torch::kLong).to(x.device()));
}

}  // namespace

Tensor compute(const ir::Concat& op, const NodeCall& call) { return at::cat(call.inputs, op.axis); }

Tensor compute(const ir::Slice& /*op*/, const NodeCall& call) {
  Tensor x = call.input();
  const auto starts = to_integers(call.input(1));
  const auto ends = to_integers(call.input(2));
  std::vector<std::int64_t> axes(starts.size());
  std::iota(axes.begin(), axes.end(), std::int64_t{0});
  if (call.has(3)) axes = to_integers(call.input(3));
  std::vector<std::int64_t> steps(starts.size(), 1);
  if (call.has(4)) steps = to_integers(call.input(4));
  for (std::size_t i = 0; i < starts.size(); ++i) {
    x = slice_one(x, from_end(axes[i], x.dim()), starts[i], ends[i], steps[i]);
  }
  return x;
}

Tensor compute(const ir::Pad& /*op*/, const NodeCall& call) {
  const auto pads = to_integers(call.input(1));
  const std::size_t rank = pads.size() / 2;
  std::vector<std::int64_t> from_last;  // LibTorch begins with the last dimension
  for (std::size_t d = rank; d-- > 0;) {
    from_last.push_back(pads[d]);
    from_last.push_back(pads[d + rank]);
  }
  while (from_last.size() > 2 && from_last.back() == 0 && from_last[from_last.size() - 2] == 0) {
    from_last.resize(from_last.size() - 2);
  }
  const double value = call.has(2) ? call.input(2).item<double>() : 0;
  return at::constant_pad_nd(call.input(), from_last, value);
}

Tensor compute(const ir::Reshape& op, const NodeCall& call) {
  auto shape = to_integers(call.input(1));
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 0 && !op.allow_zero) shape[d] = call.input().size(static_cast<std::int64_t>(d));
  }
  return call.input().reshape(shape);
}

Tensor compute(const ir::Flatten& op, const NodeCall& call) {
  const Tensor& x = call.input();
  std::int64_t rows = 1;
  for (std::int64_t d = 0; d < from_end(op.axis, x.dim()); ++d) rows *= x.size(d);
  return x.reshape({rows, rows == 0 ? 0 : x.numel() / rows});
}

Tensor compute(const ir::Transpose& op, const NodeCall& call) {
  std::vector<std::int64_t> perm = op.perm;
  for (std::int64_t d = call.input().dim(); op.perm.empty() && d-- > 0;) perm.push_back(d);
  return call.input().permute(perm);
}

Tensor compute(const ir::Unsqueeze& /*op*/, const NodeCall& call) {
  Tensor x = call.input();
  auto axes = to_integers(call.input(1));
  const std::int64_t rank = x.dim() + static_cast<std::int64_t>(axes.size());
  for (std::int64_t& axis : axes) axis = from_end(axis, rank);
  std::sort(axes.begin(), axes.end());
  for (const std::int64_t axis : axes) x = x.unsqueeze(axis);
  return x;
}

Tensor compute(const ir::Squeeze& /*op*/, const NodeCall& call) {
  Tensor x = call.input();
  if (!call.has(1)) return x.squeeze();
  auto axes = to_integers(call.input(1));
  for (std::int64_t& axis : axes) axis = from_end(axis, x.dim());
  std::sort(axes.rbegin(), axes.rend());
  for (const std::int64_t axis : axes) x = x.squeeze(axis);
  return x;
}

Tensor compute(const ir::Gather& op, const NodeCall& call) {
  const Tensor& x = call.input();
  const std::int64_t axis = from_end(op.axis, x.dim());
  const Tensor indices = call.input(1).to(x.device(), torch::kLong);
  const Tensor positive = at::where(indices < 0, indices + x.size(axis), indices);
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape.erase(shape.begin() + axis);
  const auto inner = indices.sizes().vec();
  shape.insert(shape.begin() + axis, inner.begin(), inner.end());
  return x.index_select(axis, positive.reshape({-1})).reshape(shape);
}

Tensor compute(const ir::ShapeOf& op, const NodeCall& call) {
  const auto sizes = call.input().sizes().vec();
  const auto rank = static_cast<std::int64_t>(sizes.size());
  const auto bound = [rank](std::int64_t i) {
    return std::clamp<std::int64_t>(i < 0 ? i + rank : i, 0, rank);
  };
  const std::int64_t first = bound(op.start);
  const std::int64_t last = std::max(first, bound(op.end));
  return torch::tensor(std::vector<std::int64_t>(sizes.begin() + first, sizes.begin() + last),
                       torch::kLong);
}

}  // namespace xgen::train
