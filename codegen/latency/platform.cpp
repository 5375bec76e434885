#include <fstream>

#include "codegen/kernels/isa.h"
#include "codegen/latency/table.h"
#include "codegen/runtime/c_compiler.h"

namespace xgen::latency {

namespace {

/// What the CPU calls itself; "unknown" where the system does not say.
std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const std::size_t colon = line.find(':');
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos)
      return line.substr(std::min(line.size(), colon + 2));
  }
  return "unknown";
}

}  // namespace

Platform host_platform(const Target& target) {
  return {target.name, kernels::host_isas().back()->name, cpu_name(),
          CCompiler(host_compiler()).version()};
}

}  // namespace xgen::latency
