#include "codegen/kernels/isa.h"
#include "codegen/latency/table.h"
#include "codegen/runtime/c_compiler.h"
#include "core/cpu_name.h"

namespace xgen::latency {

Platform host_platform(const Target& target) {
  return {target.name, kernels::host_isas().back()->name, cpu_name(),
          CCompiler(host_compiler()).version()};
}

}  // namespace xgen::latency
