#pragma once

#include <optional>

#include "core/ir/types.h"

/// Arithmetic on extents which may be symbols. Results are written in one normal form, so that the
/// same formula in two branches of a network gives equal symbols: products are sorted ("2*M*N"),
/// constant offsets are merged ("(H+2)").
namespace xgen::ir {

Dim add(const Dim& a, const Dim& b);
Dim subtract(const Dim& a, const Dim& b);
Dim multiply(const Dim& a, const Dim& b);
Dim floor_divide(const Dim& a, std::int64_t divisor);
/// a / b where b divides a whatever the symbols are; nothing otherwise.
std::optional<Dim> divide_exactly(const Dim& a, const Dim& b);
Dim product(const Shape& shape);

}  // namespace xgen::ir
