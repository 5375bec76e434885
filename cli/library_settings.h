#pragma once

namespace xgen::cli {

/// Starts the program again, once, with what the libraries that LibTorch computes with read from
/// the environment when they are loaded, where that makes it faster; returns where nothing is to be
/// set. Whoever sets one of the variables decides on it.
///
/// * `OMP_WAIT_POLICY`, `GOMP_SPINCOUNT`: GCC's OpenMP lets idle threads spin for long. Beside any
///   other busy program they then take the processor from each other: 10 to 20 times less speed was
///   measured, while 2,000 turns cost nothing on an idle machine.
/// * `OPENBLAS_CORETYPE`: OpenBLAS takes a CPU that is newer than itself for one of 2004. With
///   0.3.21 on a Xeon of family 6, model 207, matrix products took 4.4 times as long as they can.
void apply_library_settings(char** argv);

}  // namespace xgen::cli
