#pragma once

#include <iosfwd>
#include <string>

namespace xgen {

/// The model of this machine's CPU; "unknown" where the system does not say.
std::string cpu_name();

/// The first CPU's model in what Linux says of them (/proc/cpuinfo): what it calls itself and, as
/// virtual machines give different CPUs one name, its numbers: "AMD EPYC, family 25, model 17". An
/// ARM CPU has numbers alone: "CPU implementer 0x41, part 0xd0c".
std::string cpu_name(std::istream& info);

}  // namespace xgen
