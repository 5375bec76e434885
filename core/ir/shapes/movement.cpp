#include <algorithm>
#include <numeric>

#include "core/ir/shapes/context.h"
#include "core/ir/shapes/dim_math.h"

namespace xgen::ir {

InferredValue infer(const Concat& op, const NodeContext& node) {
  Shape out = node.shape(0);
  const std::size_t axis = node.axis(op.axis, node.rank(0));
  for (std::size_t i = 1; i < node.input_count(); ++i) {
    const Shape& x = node.shape(i);
    bool fits = x.size() == out.size();
    for (std::size_t d = 0; fits && d < out.size(); ++d) fits = d == axis || x[d] == out[d];
    if (!fits) {
      node.fail("inputs ", to_string(node.shape(0)), " and ", to_string(x),
                " differ outside of axis ", axis);
    }
    if (node.dtype(i) != node.dtype(0))
      node.fail("inputs of types ", name_of(node.dtype(0)), " and ", name_of(node.dtype(i)));
    out[axis] = add(out[axis], x[axis]);
  }
  return result(node.dtype(0), out);
}

InferredValue infer(const Slice&, const NodeContext& node) {
  Shape out = node.shape(0);
  const auto starts = node.integers(1, "starts");
  const auto& ends = node.elements(2);
  if (!ends) node.integers(2, "ends");  // says so
  std::vector<std::int64_t> axes(starts.size());
  std::iota(axes.begin(), axes.end(), 0);
  if (node.has(3)) axes = node.integers(3, "axes");
  std::vector<std::int64_t> steps(starts.size(), 1);
  if (node.has(4)) steps = node.integers(4, "steps");
  if (ends->size() != starts.size() || axes.size() != starts.size() ||
      steps.size() != starts.size()) {
    node.fail("starts, ends, axes and steps have ", starts.size(), ", ", ends->size(), ", ",
              axes.size(), " and ", steps.size(), " entries");
  }
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::size_t axis = node.axis(axes[i], node.rank(0));
    const Dim& end = (*ends)[i];
    if (steps[i] == 0) node.fail("step 0");
    // Anything beyond 2^31 means "to the end" (exporters write INT32_MAX or INT64_MAX).
    const bool to_end = end == out[axis] || (end.is_static() && end.size >= 2147483647);
    if (out[axis].is_static() && end.is_static()) {
      out[axis] = slice_range(out[axis].size, starts[i], end.size, steps[i]).count;
    } else if (starts[i] == 0 && to_end && steps[i] == 1) {
      // everything
    } else if (steps[i] > 0 && starts[i] >= 0 && to_end) {
      out[axis] = floor_divide(add(out[axis], steps[i] - 1 - starts[i]), steps[i]);
    } else {
      node.fail("a slice ", starts[i], ":", to_string(end), ":", steps[i],
                " of the unbound dimension ", to_string(out[axis]));
    }
  }
  return result(node.dtype(0), out);
}

InferredValue infer(const Pad&, const NodeContext& node) {
  Shape out = node.shape(0);
  const auto pads = node.integers(1, "pads");
  if (pads.size() != 2 * out.size())
    node.fail(pads.size(), " pads for an input with ", out.size(), " dimensions");
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = add(out[i], pads[i] + pads[out.size() + i]);
    if (out[i].is_static() && out[i].size < 0) node.fail("pads cut more than there is");
  }
  return result(node.dtype(0), out);
}

InferredValue infer(const Reshape& op, const NodeContext& node) {
  const Shape& x = node.shape(0);
  if (!node.elements(1)) node.integers(1, "the new shape");  // says so
  Shape out = *node.elements(1);
  std::size_t open = out.size();
  Dim known = 1;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i] == Dim(-1)) {
      if (open != out.size()) node.fail("more than one -1 in ", to_string(*node.elements(1)));
      open = i;
      continue;
    }
    if (out[i] == Dim(std::int64_t{0}) && !op.allow_zero) {
      if (i >= x.size()) node.fail("0 at position ", i, " of ", to_string(x));
      out[i] = x[i];
    }
    if (out[i].is_static() && out[i].size < 0) node.fail("extent ", out[i].size);
    known = multiply(known, out[i]);
  }
  const Dim count = product(x);
  const auto cannot = [&] {
    node.fail("cannot reshape ", to_string(x), " to ", to_string(*node.elements(1)));
  };
  if (open != out.size()) {
    const auto rest = divide_exactly(count, known);
    if (!rest) cannot();
    out[open] = *rest;
  } else if (known != count) {
    cannot();
  }
  return result(node.dtype(0), out);
}

InferredValue infer(const Flatten& op, const NodeContext& node) {
  const Shape& x = node.shape(0);
  // Unlike elsewhere, the axis may be the rank: everything before it.
  const auto axis =
      op.axis == static_cast<std::int64_t>(x.size()) ? x.size() : node.axis(op.axis, node.rank(0));
  const auto middle = x.begin() + static_cast<std::ptrdiff_t>(axis);
  return result(node.dtype(0),
                {product(Shape(x.begin(), middle)), product(Shape(middle, x.end()))});
}

InferredValue infer(const Transpose& op, const NodeContext& node) {
  const Shape& x = node.shape(0);
  std::vector<std::int64_t> sorted = op.perm;
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::int64_t> identity(x.size());
  std::iota(identity.begin(), identity.end(), 0);
  if (sorted != identity) {
    node.fail("perm ", to_string(to_shape(op.perm)), " is no permutation of ", x.size(),
              " dimensions");
  }
  Shape out;
  for (const std::int64_t p : op.perm) out.push_back(x[static_cast<std::size_t>(p)]);
  return result(node.dtype(0), out);
}

InferredValue infer(const Unsqueeze&, const NodeContext& node) {
  const Shape& x = node.shape(0);
  const auto axes = node.integers(1, "axes");
  const int rank = static_cast<int>(x.size() + axes.size());
  std::vector<bool> is_new(static_cast<std::size_t>(rank), false);
  for (const std::int64_t a : axes) {
    const std::size_t axis = node.axis(a, rank);
    if (is_new[axis]) node.fail("axis ", a, " is given twice");
    is_new[axis] = true;
  }
  Shape out;
  std::size_t next = 0;
  for (const bool fresh : is_new) out.push_back(fresh ? Dim(1) : x[next++]);
  return result(node.dtype(0), out);
}

InferredValue infer(const Squeeze&, const NodeContext& node) {
  const Shape& x = node.shape(0);
  std::vector<bool> drop(x.size(), false);
  if (node.has(1)) {
    for (const std::int64_t a : node.integers(1, "axes")) {
      const std::size_t axis = node.axis(a, node.rank(0));
      if (x[axis] != Dim(1)) node.fail("axis ", a, " of ", to_string(x), " is not 1");
      drop[axis] = true;
    }
  } else {
    for (std::size_t i = 0; i < x.size(); ++i) drop[i] = x[i] == Dim(1);
  }
  Shape out;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!drop[i]) out.push_back(x[i]);
  }
  return result(node.dtype(0), out);
}

InferredValue infer(const Gather& op, const NodeContext& node) {
  const Shape& x = node.shape(0);
  const auto axis = static_cast<std::ptrdiff_t>(node.axis(op.axis, node.rank(0)));
  if (node.dtype(1) != DType::i64 && node.dtype(1) != DType::i32)
    node.fail("indices of type ", name_of(node.dtype(1)));
  Shape out(x.begin(), x.begin() + axis);
  out.insert(out.end(), node.shape(1).begin(), node.shape(1).end());
  out.insert(out.end(), x.begin() + axis + 1, x.end());
  return result(node.dtype(0), out);
}

InferredValue infer(const ShapeOf& op, const NodeContext& node) {
  const SliceRange range = slice_range(node.rank(0), op.start, op.end, 1);
  return result(DType::i64, {range.count});
}

}  // namespace xgen::ir
