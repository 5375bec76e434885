#pragma once

#include "core/ir/graph.h"
#include "core/random.h"

namespace xgen::latency {

/// What a sample is drawn for.
enum class SampleKind { conv_f32, conv_i8, other_f32, other_i8 };

/// A small network whose kernels are measured to fit a latency model: for convolutions one layer,
/// dense or with a seeded mask, of a size that networks for images have; for others a few operators
/// of one tensor. Already in the form that lowering takes.
ir::Graph sample_graph(SampleKind kind, RandomStream& random);

}  // namespace xgen::latency
