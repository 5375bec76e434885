#pragma once

#include <torch/cuda.h>

#include <string>

#include "core/error.h"

namespace xgen::search {

/// @param whose  for the message: "the supernet's". @throws UserError for "cuda" where there is
/// none.
inline torch::Device device_of(const std::string& name, const std::string& whose) {
  if (name == "cuda" && !torch::cuda::is_available())
    throw UserError(whose +
                    " device: expected one of this machine, got \"cuda\"; LibTorch finds no CUDA "
                    "device");
  return {name};
}

}  // namespace xgen::search
