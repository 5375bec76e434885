#pragma once

#include "core/ir/ops.h"

namespace xgen::reference {

/// The function of `op` at x, as ONNX defines it.
float apply(const ir::Unary& op, float x);

/// The same for an epilogue; Kind::none is the identity.
float apply(const ir::Activation& activation, float x);

}  // namespace xgen::reference
