#include "core/ir/shapes/context.h"

#include <algorithm>

namespace xgen::ir {

const InferredValue& NodeContext::info(std::size_t i) const {
  if (!has(i)) fail("input ", i, " is missing");
  return values_.at(static_cast<std::size_t>(node_.inputs[i]));
}

std::vector<std::int64_t> NodeContext::integers(std::size_t i, const std::string& what) const {
  const auto& known = elements(i);
  if (!known) {
    fail(what, " must be known without running the model, but \"",
         graph_.value(node_.inputs[i]).name, "\" is computed from data");
  }
  std::vector<std::int64_t> result;
  for (const Dim& dim : *known) {
    if (!dim.is_static()) fail(what, " depends on the unbound dimension ", dim.symbol);
    result.push_back(dim.size);
  }
  return result;
}

std::vector<float> NodeContext::floats(std::size_t i, const std::string& what) const {
  const Constant* c = constant(i);
  if (c == nullptr) fail(what, " must be a constant");
  if (c->dtype != DType::f32) fail(what, " must be f32, is ", name_of(c->dtype));
  const auto values = c->as<float>();
  return {values.begin(), values.end()};
}

std::size_t NodeContext::axis(std::int64_t axis, int rank) const {
  if (axis < -rank || axis >= rank) fail("axis ", axis, " of a tensor with ", rank, " dimensions");
  return static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
}

void NodeContext::require_rank(std::size_t i, int expected, const std::string& what) const {
  if (rank(i) != expected)
    fail(what, " must have ", expected, " dimensions, has ", to_string(shape(i)));
}

void NodeContext::require_equal(const Dim& a, const Dim& b, const std::string& what) const {
  if (a != b) fail(what, ": ", to_string(a), " and ", to_string(b), " must be equal");
}

Dim NodeContext::broadcast(const Dim& a, const Dim& b) const {
  if (a == b || b == Dim(1)) return a;
  if (a == Dim(1)) return b;
  fail("extents ", to_string(a), " and ", to_string(b), " cannot be broadcast");
}

Shape NodeContext::broadcast(const Shape& a, const Shape& b) const {
  if (a.size() < b.size()) return broadcast(b, a);
  Shape out = a;
  const std::size_t offset = a.size() - b.size();
  for (std::size_t i = 0; i < b.size(); ++i) {
    const Dim& x = a[offset + i];
    if (x != b[i] && x != Dim(1) && b[i] != Dim(1))
      fail("shapes ", to_string(a), " and ", to_string(b), " cannot be broadcast");
    out[offset + i] = broadcast(x, b[i]);
  }
  return out;
}

SliceRange slice_range(std::int64_t extent, std::int64_t start, std::int64_t end,
                       std::int64_t step) {
  XGEN_CHECK(step != 0, "a slice with step 0");
  if (start < 0) start += extent;
  // "Up to the first element, backwards" is written as a very negative end; see the clamp.
  if (end < 0) end += extent;
  if (step > 0) {
    start = std::clamp<std::int64_t>(start, 0, extent);
    end = std::clamp<std::int64_t>(end, 0, extent);
    const std::int64_t length = std::max<std::int64_t>(end - start, 0);
    return {start, step, length / step + (length % step != 0 ? 1 : 0)};
  }
  start = std::clamp<std::int64_t>(start, 0, std::max<std::int64_t>(extent - 1, 0));
  end = std::clamp<std::int64_t>(end, -1, extent - 1);
  const std::int64_t length = std::max<std::int64_t>(start - end, 0);
  // A step of INT64_MIN cannot be negated.
  const std::int64_t stride = step == std::numeric_limits<std::int64_t>::min()
                                  ? std::numeric_limits<std::int64_t>::max()
                                  : -step;
  return {start, -stride, length / stride + (length % stride != 0 ? 1 : 0)};
}

}  // namespace xgen::ir
