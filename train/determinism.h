#pragma once

#include <torch/types.h>

namespace xgen::train {

/// Makes operators of a device give the same bits every time, or throw where they cannot. To be
/// called before the first of them runs: cuBLAS reads its part once.
void make_deterministic(torch::Device device);

}  // namespace xgen::train
