#include "cli/library_settings.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string_view>

namespace xgen::cli {

namespace {

bool is_set(const char* variable) { return std::getenv(variable) != nullptr; }

// The name by which OpenBLAS knows kernels that this CPU has, where it chose those of its oldest;
// nullptr where it chose well, or is not there.
const char* better_openblas_core() {
#if defined(__x86_64__)
  using CoreName = const char* (*)();
  void* function = dlsym(RTLD_DEFAULT, "openblas_get_corename");
  if (function == nullptr || reinterpret_cast<CoreName>(function)() != std::string_view("Prescott"))
    return nullptr;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return "SkylakeX";
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "Haswell";
#endif
  return nullptr;
}

}  // namespace

void apply_library_settings(char** argv) {
  bool changed = false;
  if (!is_set("OMP_WAIT_POLICY")) {
    setenv("OMP_WAIT_POLICY", "passive", 1);
    setenv("GOMP_SPINCOUNT", "2000", 0);
    changed = true;
  }
  const char* core = is_set("OPENBLAS_CORETYPE") ? nullptr : better_openblas_core();
  if (core != nullptr) {
    setenv("OPENBLAS_CORETYPE", core, 1);
    changed = true;
  }
  if (!changed) return;
  // By its own path, so that ps and pkill know the program by name.
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) execv(self.c_str(), argv);
}

}  // namespace xgen::cli
