#include <algorithm>
#include <cmath>
#include <limits>

#include "core/ir/infer_shapes.h"
#include "core/reference/operands.h"

namespace xgen::reference {

void compute(const ir::BatchNorm& op, const Operands& in, Tensor& out) {
  const auto x = in.as<float>(0);
  auto y = out.as_mutable<float>();
  const auto channels = static_cast<std::size_t>(in.extent(0, 1));
  const std::size_t plane =
      x.empty() ? 1 : x.size() / (static_cast<std::size_t>(in.extent(0, 0)) * channels);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = i / plane % channels;
    const double scale =
        static_cast<double>(in.as<float>(1)[c]) /
        std::sqrt(static_cast<double>(in.as<float>(4)[c]) + static_cast<double>(op.epsilon));
    y[i] = static_cast<float>(
        (static_cast<double>(x[i]) - static_cast<double>(in.as<float>(3)[c])) * scale +
        static_cast<double>(in.as<float>(2)[c]));
  }
}

namespace {

/// Index into an operand of shape `shape` that is broadcast to an output with `index`.
std::size_t broadcast_at(const ir::Extents& shape, const std::vector<std::int64_t>& strides,
                         const std::vector<std::int64_t>& index) {
  std::int64_t at = 0;
  const std::size_t offset = index.size() - shape.size();
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] != 1) at += index[offset + i] * strides[i];
  }
  return static_cast<std::size_t>(at);
}

}  // namespace

void compute(const ir::Gemm& op, const Operands& in, Tensor& out) {
  const auto a = in.as<float>(0);
  const auto b = in.as<float>(1);
  auto y = out.as_mutable<float>();
  const std::int64_t inner = in.extent(0, op.trans_a ? 0 : 1);
  const std::int64_t a_width = in.extent(0, 1);
  const std::int64_t b_width = in.extent(1, 1);
  const auto c_strides = in.has(2) ? strides_of(in.shape(2)) : std::vector<std::int64_t>{};
  for_each_index(out.shape, [&, at = std::size_t{0}](const auto& index) mutable {
    double sum = 0;
    for (std::int64_t k = 0; k < inner; ++k) {
      const std::int64_t ai = op.trans_a ? k * a_width + index[0] : index[0] * a_width + k;
      const std::int64_t bi = op.trans_b ? index[1] * b_width + k : k * b_width + index[1];
      sum += static_cast<double>(a[static_cast<std::size_t>(ai)]) *
             static_cast<double>(b[static_cast<std::size_t>(bi)]);
    }
    sum *= static_cast<double>(op.alpha);
    if (in.has(2)) {
      sum += static_cast<double>(op.beta) *
             static_cast<double>(in.as<float>(2)[broadcast_at(in.shape(2), c_strides, index)]);
    }
    y[at++] = static_cast<float>(sum);
  });
}

void compute(const ir::MatMul&, const Operands& in, Tensor& out) {
  ir::Extents a_shape = in.shape(0);
  ir::Extents b_shape = in.shape(1);
  ir::Extents y_shape = out.shape;
  // A vector is a matrix of one row (left) or one column (right).
  if (a_shape.size() == 1) {
    a_shape.insert(a_shape.begin(), 1);
    y_shape.insert(y_shape.end() - (b_shape.size() == 1 ? 0 : 1), 1);
  }
  if (b_shape.size() == 1) {
    b_shape.push_back(1);
    y_shape.push_back(1);
  }
  const std::int64_t inner = a_shape.back();
  const std::int64_t columns = b_shape.back();
  const std::int64_t rows = a_shape[a_shape.size() - 2];
  const ir::Extents a_batch(a_shape.begin(), a_shape.end() - 2);
  const ir::Extents b_batch(b_shape.begin(), b_shape.end() - 2);
  const ir::Extents y_batch(y_shape.begin(), y_shape.end() - 2);
  const auto a_strides = strides_of(a_batch);
  const auto b_strides = strides_of(b_batch);
  const auto a = in.as<float>(0);
  const auto b = in.as<float>(1);
  auto y = out.as_mutable<float>();
  std::size_t at = 0;
  for_each_index(y_batch, [&](const auto& index) {
    const float* left =
        a.data() + broadcast_at(a_batch, a_strides, index) * static_cast<std::size_t>(rows * inner);
    const float* right = b.data() + broadcast_at(b_batch, b_strides, index) *
                                        static_cast<std::size_t>(inner * columns);
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t c = 0; c < columns; ++c) {
        double sum = 0;
        for (std::int64_t k = 0; k < inner; ++k) {
          sum += static_cast<double>(left[r * inner + k]) *
                 static_cast<double>(right[k * columns + c]);
        }
        y[at++] = static_cast<float>(sum);
      }
    }
  });
}

void compute(const ir::Softmax& op, const Operands& in, Tensor& out) {
  const auto x = in.as<float>(0);
  auto y = out.as_mutable<float>();
  const auto rank = static_cast<std::int64_t>(out.shape.size());
  const auto axis = static_cast<std::size_t>(op.axis < 0 ? op.axis + rank : op.axis);
  const auto length = static_cast<std::size_t>(out.shape[axis]);
  const auto stride = static_cast<std::size_t>(strides_of(out.shape)[axis]);
  for (std::size_t start = 0; start < x.size(); ++start) {
    if (start / stride % length != 0) continue;  // not the first of its row
    float most = -std::numeric_limits<float>::infinity();
    for (std::size_t i = 0; i < length; ++i) most = std::max(most, x[start + i * stride]);
    double sum = 0;
    for (std::size_t i = 0; i < length; ++i)
      sum += std::exp(static_cast<double>(x[start + i * stride]) - static_cast<double>(most));
    for (std::size_t i = 0; i < length; ++i) {
      const double e =
          std::exp(static_cast<double>(x[start + i * stride]) - static_cast<double>(most));
      y[start + i * stride] = static_cast<float>(e / sum);
    }
  }
}

void compute(const ir::Reduce& op, const Operands& in, Tensor& out) {
  const ir::Extents& shape = in.shape(0);
  const auto rank = static_cast<std::int64_t>(shape.size());
  std::vector<bool> reduced(shape.size(), !in.has(1) || in[1].size() == 0);
  if (in.has(1)) {
    for (const std::int64_t a : in[1].as_integers())
      reduced[static_cast<std::size_t>(a < 0 ? a + rank : a)] = true;
  }
  ir::Extents kept = shape;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (reduced[i]) kept[i] = 1;
  }
  const auto strides = strides_of(kept);
  const double start =
      op.kind == ir::Reduce::Kind::max ? -std::numeric_limits<double>::infinity() : 0.0;
  std::vector<double> results(static_cast<std::size_t>(out.size()), start);
  with_type(out.dtype, [&](auto type) {
    using T = decltype(type);
    const auto x = in.as<T>(0);
    for_each_index(shape, [&, at = std::size_t{0}](const auto& index) mutable {
      const auto value = static_cast<double>(x[at++]);
      double& slot = results[broadcast_at(kept, strides, index)];
      slot = op.kind == ir::Reduce::Kind::max ? std::max(slot, value) : slot + value;
    });
    const double count =
        static_cast<double>(x.size()) / static_cast<double>(std::max<std::int64_t>(out.size(), 1));
    auto y = out.as_mutable<T>();
    for (std::size_t i = 0; i < y.size(); ++i)
      y[i] = static_cast<T>(op.kind == ir::Reduce::Kind::mean ? results[i] / count : results[i]);
  });
}

}  // namespace xgen::reference
