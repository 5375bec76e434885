#pragma once

#include <cstdint>

#include "core/ir/graph.h"
#include "core/random.h"

/// The builder functions that zoo.inc lists.
namespace xgen::train::zoo_models {

#define XGEN_ZOO_MODEL(name, channels, height, width, usual_classes, description) \
  ir::Graph name(std::int64_t classes, const Random& random);
#include "train/zoo/zoo.inc"
#undef XGEN_ZOO_MODEL

}  // namespace xgen::train::zoo_models
