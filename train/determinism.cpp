#include "train/determinism.h"

#include <ATen/Context.h>

#include <cstdlib>

namespace xgen::train {

void make_deterministic(torch::Device device) {
  if (!device.is_cuda()) return;  // the CPU's operators are, for a given number of threads
  setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
  at::globalContext().setDeterministicAlgorithms(true, false);
  at::globalContext().setBenchmarkCuDNN(false);
}

}  // namespace xgen::train
