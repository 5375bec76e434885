#include <filesystem>
#include <fstream>
#include <string>

#include "codegen/kernels/isa.h"
#include "codegen/latency/table.h"
#include "codegen/runtime/c_compiler.h"
#include "core/cpu_name.h"
#include "core/error.h"

namespace xgen::latency {

Platform host_platform(const Target& target) {
  return {target.name, kernels::host_isas().back()->name, cpu_name(),
          CCompiler(host_compiler()).version()};
}

Caches host_caches(const Target& target) {
  Caches caches = machine_of(target, target.kernels.back()).caches;
  // What Linux says of the first processor: "32768K" and the like.
  for (int index = 0;; ++index) {
    const std::filesystem::path folder = str("/sys/devices/system/cpu/cpu0/cache/index", index);
    int level = 0;
    std::int64_t kilobytes = 0;
    std::string type;
    if (!(std::ifstream(folder / "level") >> level) || !(std::ifstream(folder / "type") >> type))
      return caches;
    if (type == "Instruction" || !(std::ifstream(folder / "size") >> kilobytes)) continue;
    std::int64_t* const levels[] = {&caches.l1_bytes, &caches.l2_bytes, &caches.l3_bytes};
    if (level >= 1 && level <= 3 && kilobytes > 0) *levels[level - 1] = 1024 * kilobytes;
  }
}

}  // namespace xgen::latency
