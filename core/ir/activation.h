#pragma once

#include <optional>

#include "core/ir/ops.h"

namespace xgen::ir {

/// `op` as the epilogue of another node; nothing for kinds which no epilogue has (exp, sqrt, ...).
std::optional<Activation> to_activation(const Unary& op);

/// The opposite; @throws InternalError for Kind::none.
Unary to_unary(const Activation& activation);

}  // namespace xgen::ir
