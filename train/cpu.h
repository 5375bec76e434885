#pragma once

/// What training takes of the CPU.
namespace xgen::train {

/// Sets up this process for training on the CPU; may be called again.
///
/// LibTorch and the BLAS under it use `threads` threads. Sums are split by thread, so results
/// depend on it: it comes from the config, never from the machine. Memory that tensors free stays
/// with the process: every step asks for the same again, and pages fresh from the system are
/// zeroed.
void set_up_cpu(int threads);

}  // namespace xgen::train
