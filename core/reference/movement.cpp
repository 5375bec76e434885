#include <algorithm>

#include "core/ir/shapes/context.h"
#include "core/reference/integer.h"
#include "core/reference/operands.h"

namespace xgen::reference {

namespace {

std::size_t normalized(std::int64_t axis, std::size_t rank) {
  return static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis);
}

/// f(operand, element of it, element of the output) for everything that is concatenated.
template <class F>
void for_each_concat_element(const ir::Concat& op, const Operands& in, const Tensor& out, F&& f) {
  const auto strides = strides_of(out.shape);
  const std::size_t axis = normalized(op.axis, out.shape.size());
  std::int64_t start = 0;
  for (std::size_t i = 0; i < in.tensors.size(); ++i) {
    for_each_index(in.shape(i), [&, from = std::int64_t{0}](const auto& index) mutable {
      std::int64_t to = start * strides[axis];
      for (std::size_t d = 0; d < index.size(); ++d) to += index[d] * strides[d];
      f(i, from++, to);
    });
    start += in.extent(i, axis);
  }
}

}  // namespace

void compute(const ir::Concat& op, const Operands& in, Tensor& out) {
  for_each_concat_element(op, in, out, [&](std::size_t i, std::int64_t from, std::int64_t to) {
    copy_element(in[i], from, out, to);
  });
}

void compute_integer(const ir::Concat& op, const Operands& in, Tensor& out) {
  const ir::QuantParams& q = in.result.quant.value();
  auto y = out.as_mutable<std::uint8_t>();
  for_each_concat_element(op, in, out, [&](std::size_t i, std::int64_t from, std::int64_t to) {
    y[static_cast<std::size_t>(to)] = rescale(
        in.as<std::uint8_t>(i)[static_cast<std::size_t>(from)], in.quant(i).zero_point.at(0),
        rescale_factor(in.quant(i).scale.at(0), q.scale.at(0)), q.zero_point.at(0));
  });
}

void compute(const ir::Slice&, const Operands& in, Tensor& out) {
  const std::size_t rank = out.shape.size();
  std::vector<std::int64_t> starts(rank, 0);
  std::vector<std::int64_t> steps(rank, 1);
  const auto from = in[1].as_integers();
  const auto to = in[2].as_integers();
  for (std::size_t i = 0; i < from.size(); ++i) {
    const std::size_t axis = in.has(3) ? normalized(in[3].as_integers().at(i), rank) : i;
    const std::int64_t step = in.has(4) ? in[4].as_integers().at(i) : 1;
    const ir::SliceRange range = ir::slice_range(in.extent(0, axis), from[i], to[i], step);
    starts[axis] = range.start;
    steps[axis] = range.step;
  }
  const auto strides = strides_of(in.shape(0));
  for_each_index(out.shape, [&, at = std::int64_t{0}](const auto& index) mutable {
    std::int64_t source = 0;
    for (std::size_t d = 0; d < rank; ++d) source += (starts[d] + index[d] * steps[d]) * strides[d];
    copy_element(in[0], source, out, at++);
  });
}

void compute(const ir::Pad&, const Operands& in, Tensor& out) {
  const auto pads = in[1].as_integers();
  const auto strides = strides_of(in.shape(0));
  Tensor fill = make_tensor(out.dtype, {});
  if (in.has(2)) {
    fill = in[2];
  } else if (in.is_quantized(0) && out.dtype == ir::DType::u8) {
    fill.as_mutable<std::uint8_t>()[0] = static_cast<std::uint8_t>(in.quant(0).zero_point.at(0));
  }
  for_each_index(out.shape, [&, at = std::int64_t{0}](const auto& index) mutable {
    std::int64_t source = 0;
    bool inside = true;
    for (std::size_t d = 0; d < index.size(); ++d) {
      const std::int64_t i = index[d] - pads[d];
      inside = inside && i >= 0 && i < in.extent(0, d);
      source += i * strides[d];
    }
    if (inside)
      copy_element(in[0], source, out, at++);
    else
      copy_element(fill, 0, out, at++);
  });
}

// These only change the shape.
void compute(const ir::Reshape&, const Operands& in, Tensor& out) { out.bytes = in[0].bytes; }
void compute(const ir::Flatten&, const Operands& in, Tensor& out) { out.bytes = in[0].bytes; }
void compute(const ir::Unsqueeze&, const Operands& in, Tensor& out) { out.bytes = in[0].bytes; }
void compute(const ir::Squeeze&, const Operands& in, Tensor& out) { out.bytes = in[0].bytes; }

void compute(const ir::Transpose& op, const Operands& in, Tensor& out) {
  const auto strides = strides_of(in.shape(0));
  for_each_index(out.shape, [&, at = std::int64_t{0}](const auto& index) mutable {
    std::int64_t source = 0;
    for (std::size_t d = 0; d < index.size(); ++d)
      source += index[d] * strides[static_cast<std::size_t>(op.perm[d])];
    copy_element(in[0], source, out, at++);
  });
}

void compute(const ir::Gather& op, const Operands& in, Tensor& out) {
  const std::size_t axis = normalized(op.axis, in.shape(0).size());
  const std::int64_t extent = in.extent(0, axis);
  const std::int64_t inner = strides_of(in.shape(0))[axis];
  const auto indices = in[1].as_integers();
  const std::int64_t outer = in[0].size() / std::max<std::int64_t>(extent * inner, 1);
  std::int64_t at = 0;
  for (std::int64_t o = 0; o < outer; ++o) {
    for (const std::int64_t wanted : indices) {
      const std::int64_t index = wanted < 0 ? wanted + extent : wanted;
      if (index < 0 || index >= extent) {
        throw UserError(
            str("node \"", in.node.name, "\" (Gather): index ", wanted, " of ", extent));
      }
      for (std::int64_t i = 0; i < inner; ++i)
        copy_element(in[0], (o * extent + index) * inner + i, out, at++);
    }
  }
}

void compute(const ir::ShapeOf& op, const Operands& in, Tensor& out) {
  const auto rank = static_cast<std::int64_t>(in.shape(0).size());
  const ir::SliceRange range = ir::slice_range(rank, op.start, op.end, 1);
  auto y = out.as_mutable<std::int64_t>();
  for (std::int64_t i = 0; i < range.count; ++i)
    y[static_cast<std::size_t>(i)] = in.extent(0, static_cast<std::size_t>(range.start + i));
}

}  // namespace xgen::reference
