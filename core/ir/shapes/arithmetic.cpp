#include <algorithm>

#include "core/ir/shapes/context.h"
#include "core/ir/shapes/dim_math.h"

namespace xgen::ir {

namespace {

using Elements = std::optional<std::vector<Dim>>;

std::optional<Dim> apply(Binary::Kind kind, const Dim& a, const Dim& b) {
  const bool numbers = a.is_static() && b.is_static();
  switch (kind) {
    case Binary::Kind::add:
      return add(a, b);
    case Binary::Kind::sub:
      return subtract(a, b);
    case Binary::Kind::mul:
      return multiply(a, b);
    case Binary::Kind::div:
      // ONNX divides integers as C does; that is the floor only for what is not negative.
      if (numbers && b.size != 0) return a.size / b.size;
      if (b.is_static() && b.size > 0) return floor_divide(a, b.size);
      return divide_exactly(a, b);
    case Binary::Kind::max:
      if (numbers) return std::max(a.size, b.size);
      return a == b ? std::optional(a) : std::nullopt;
    case Binary::Kind::min:
      if (numbers) return std::min(a.size, b.size);
      return a == b ? std::optional(a) : std::nullopt;
    case Binary::Kind::pow:
      return std::nullopt;
  }
  return std::nullopt;
}

Elements binary(const Binary& op, const std::vector<Dim>& a, const std::vector<Dim>& b) {
  std::vector<Dim> out;
  for (std::size_t i = 0; i < (a.size() == 1 ? b.size() : a.size()); ++i) {
    const auto value = apply(op.kind, a.size() == 1 ? a[0] : a[i], b.size() == 1 ? b[0] : b[i]);
    if (!value) return std::nullopt;
    out.push_back(*value);
  }
  return out;
}

Elements gather(const NodeContext& node, const std::vector<Dim>& x) {
  const auto& indices = node.elements(1);
  if (!indices || node.rank(0) != 1) return std::nullopt;
  const auto extent = static_cast<std::int64_t>(x.size());
  std::vector<Dim> out;
  for (const Dim& index : *indices) {
    if (!index.is_static()) return std::nullopt;
    const std::int64_t at = index.size < 0 ? index.size + extent : index.size;
    if (at < 0 || at >= extent) node.fail("index ", index.size, " of ", extent, " elements");
    out.push_back(x[static_cast<std::size_t>(at)]);
  }
  return out;
}

Elements slice(const NodeContext& node, const std::vector<Dim>& x) {
  const auto first = [&](std::size_t i) -> std::optional<std::int64_t> {
    const auto& e = node.elements(i);
    if (!e || e->size() != 1 || !(*e)[0].is_static()) return std::nullopt;
    return (*e)[0].size;
  };
  const auto start = first(1);
  const auto end = first(2);
  const auto step = node.has(4) ? first(4) : 1;
  if (!start || !end || !step || *step == 0 || node.rank(0) != 1) return std::nullopt;
  const SliceRange range = slice_range(static_cast<std::int64_t>(x.size()), *start, *end, *step);
  std::vector<Dim> out;
  for (std::int64_t i = 0; i < range.count; ++i)
    out.push_back(x[static_cast<std::size_t>(range.start + i * range.step)]);
  return out;
}

bool is_integer(DType type) { return type == DType::i64 || type == DType::i32; }

}  // namespace

Elements infer_elements(const NodeContext& node, const Shape& output) {
  const Op& op = node.node().op;
  if (const auto* shape_of = std::get_if<ShapeOf>(&op)) {
    const Shape& x = node.shape(0);
    const SliceRange r = slice_range(node.rank(0), shape_of->start, shape_of->end, 1);
    const auto begin = x.begin() + static_cast<std::ptrdiff_t>(r.start);
    return std::vector<Dim>(begin, begin + static_cast<std::ptrdiff_t>(r.count));
  }
  if (output.size() > 1 || !is_integer(node.dtype(0)) || !node.elements(0)) return std::nullopt;
  const std::vector<Dim>& x = *node.elements(0);
  if (const auto* b = std::get_if<Binary>(&op))
    return node.elements(1) ? binary(*b, x, *node.elements(1)) : std::nullopt;
  if (std::holds_alternative<Gather>(op)) return gather(node, x);
  if (std::holds_alternative<Slice>(op)) return slice(node, x);
  if (std::holds_alternative<Concat>(op)) {
    std::vector<Dim> out;
    for (std::size_t i = 0; i < node.input_count(); ++i) {
      if (!node.elements(i)) return std::nullopt;
      out.insert(out.end(), node.elements(i)->begin(), node.elements(i)->end());
    }
    return out;
  }
  if (const auto* cast = std::get_if<Cast>(&op))
    return is_integer(cast->to) ? Elements(x) : std::nullopt;
  const bool moves_nothing = std::holds_alternative<Unsqueeze>(op) ||
                             std::holds_alternative<Squeeze>(op) ||
                             std::holds_alternative<Reshape>(op);
  return moves_nothing ? Elements(x) : std::nullopt;
}

}  // namespace xgen::ir
