#include "core/cpu_name.h"

#include <algorithm>
#include <fstream>

namespace xgen {

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const std::size_t colon = line.find(':');
    if (line.starts_with("model name") && colon != std::string::npos)
      return line.substr(std::min(line.size(), colon + 2));
  }
  return "unknown";
}

}  // namespace xgen
