#pragma once

#include <string>
#include <vector>

#include "codegen/kernels/isa.h"
#include "codegen/program.h"

/// The C files of a bundle. Every external symbol starts with the model's name, so that an app can
/// carry several models.
namespace xgen::bundle {

/// The public header, `model.h`.
std::string model_header(const Program& program);
/// `kernels.h`: what kernels and the model share, and the table of kernel functions.
std::string kernels_header(const Program& program);
/// `model.c`: the steps with their sizes, init, run.
std::string model_source(const Program& program, const std::vector<const kernels::Isa*>& isas);
/// `kernels_NAME.c`: the functions that the program calls, for one instruction set.
std::string kernels_source(const Program& program, const kernels::Isa& isa);
/// "kernels_x86_avx2.c"
std::string kernels_file(const kernels::Isa& isa);

}  // namespace xgen::bundle
