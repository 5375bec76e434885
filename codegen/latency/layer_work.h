#pragma once

#include "codegen/latency/work.h"
#include "codegen/lower/context.h"
#include "core/latency_model.h"

namespace xgen::latency {

/// The work of the kernel call that a layer becomes when it is lowered alone, as single_layer()
/// makes it: counted from the shape and the variant, without weights and lists.
///
/// Dense layers get the counts of their lowered step. Of a mask whose blocks are drawn at random
/// the expected counts: equal shares of the patterns, and of groups that kernels join what their
/// union keeps on average.
///
/// @throws InternalError for a layer that lowering refuses: a result of several positions from an
///         input of one, or a depthwise layer of one position.
Work layer_work(const LayerShape& shape, const LayerVariant& variant,
                const lower::LowerOptions& options, const Machine& machine);

}  // namespace xgen::latency
