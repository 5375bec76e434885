#pragma once

#include <vector>

#include "codegen/program.h"

namespace xgen::lower {

/// Gives every buffer a place in the arena: two buffers share bytes only where no step needs both.
///
/// Buffers are placed largest first at the lowest offset that is free over their life (greedy by
/// size; Pisarchyk and Lee, arXiv:2001.03288). Symbolic offsets in the steps become real ones;
/// Program::arena_bytes, Program::buffers and Step::buffers are set.
void plan_memory(Program& program, const std::vector<std::size_t>& buffer_bytes);

}  // namespace xgen::lower
