#include "codegen/kernels/isa.h"

#include "codegen/embedded.h"
#include "core/error.h"

namespace xgen::kernels {

namespace {

constexpr const char* kAvx2 = "avx2,fma";
constexpr const char* kAvx512 = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma";
constexpr const char* kVnni = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma";

}  // namespace

const std::vector<Isa>& all_isas() {
  // clang-format off
  static const std::vector<Isa> isas = {
    {"scalar", "any", "scalar.h", "", "", "1", 1, 16, false},
    {"x86-avx2", "x86_64", "avx2.h", kAvx2, kAvx2,
     "__builtin_cpu_supports(\"avx2\") && __builtin_cpu_supports(\"fma\")", 8, 16, false},
    {"x86-avx512", "x86_64", "avx512.h", kAvx512, kAvx512,
     "__builtin_cpu_supports(\"avx512f\") && __builtin_cpu_supports(\"avx512bw\") && "
     "__builtin_cpu_supports(\"avx512dq\") && __builtin_cpu_supports(\"avx512vl\")", 16, 32, false},
    {"x86-avx512-vnni", "x86_64", "avx512_vnni.h", kVnni, kVnni,
     "__builtin_cpu_supports(\"avx512vnni\") && __builtin_cpu_supports(\"avx512bw\") && "
     "__builtin_cpu_supports(\"avx512dq\") && __builtin_cpu_supports(\"avx512vl\")", 16, 32, true},
    {"arm-neon", "aarch64", "neon.h", "", "", "1", 4, 32, false},
    {"arm-neon-dot", "aarch64", "neon_dot.h", "arch=armv8.2-a+dotprod", "dotprod",
     "(getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0", 4, 32, true},
  };
  // clang-format on
  return isas;
}

const Isa& find_isa(const std::string& name) {
  std::string known;
  for (const Isa& isa : all_isas()) {
    if (isa.name == name) return isa;
    known += str(known.empty() ? "" : ", ", isa.name);
  }
  throw UserError(str("unknown instruction set \"", name, "\"; known: ", known));
}

std::vector<const Isa*> host_isas() {
  std::vector<const Isa*> result;
  for (const Isa& isa : all_isas()) {
    const std::string name = isa.name;
    bool runs = name == "scalar";
#if defined(__x86_64__)
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (name == "x86-avx2") runs = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (name == "x86-avx512") runs = avx512;
    if (name == "x86-avx512-vnni") runs = avx512 && __builtin_cpu_supports("avx512vnni");
#elif defined(__aarch64__)
    if (name == "arm-neon") runs = true;
#endif
    if (runs) result.push_back(&isa);
  }
  return result;
}

std::string c_text(const std::string& file) {
  std::string text(embedded_file(file));
  const std::string include = "#include \"";
  for (std::size_t at = text.find(include); at != std::string::npos; at = text.find(include, at)) {
    const std::size_t name = at + include.size(), end = text.find('"', name);
    text.replace(at, text.find('\n', at) + 1 - at, c_text(text.substr(name, end - name)));
  }
  return text;
}

}  // namespace xgen::kernels
