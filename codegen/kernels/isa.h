#pragma once

#include <string>
#include <vector>

namespace xgen::kernels {

/// One instruction set: a prelude in C that spells the few vector operations which kernels are
/// written in, and what a tile may use of its registers. One kernel text serves every Isa.
struct Isa {
  const char* name;          ///< "x86-avx512-vnni": also the name of the kernel file.
  const char* arch;          ///< "any", "x86_64", "aarch64".
  const char* prelude;       ///< file of codegen/kernels/isa/.
  const char* target;        ///< what `#pragma GCC target` gets; "" for none.
  const char* clang_target;  ///< the same in Clang's words.
  const char* detect;        ///< C expression, true where the CPU has it.
  int lanes;                 ///< 32-bit lanes of a vector.
  int registers;             ///< vector registers.
  bool fast_int8;  ///< integer products cost no more than fp32 ones at a quarter of the count.
};

/// All instruction sets, widest last within an architecture.
const std::vector<Isa>& all_isas();
const Isa& find_isa(const std::string& name);
/// Those that this machine can run, slowest first.
std::vector<const Isa*> host_isas();

/// The text of an embedded C file, `#include "x.h"` of the same folder resolved.
std::string c_text(const std::string& file);

}  // namespace xgen::kernels
