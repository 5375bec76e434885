#pragma once

#include <string>

namespace xgen {

/// What this machine's CPU calls itself, "AMD EPYC 7B13"; "unknown" where the system does not say.
std::string cpu_name();

}  // namespace xgen
