#pragma once

#include <string>
#include <vector>

#include "codegen/kernels/isa.h"
#include "core/target.h"

namespace xgen {

/// The names that find_target knows, "host" first.
std::vector<std::string> target_names();
/// A built-in target, "host" (this machine's architecture), or a JSON file.
/// @throws UserError for an unknown name, with the known ones, or a bad file.
Target find_target(const std::string& name_or_file);
/// The instruction sets that a bundle for `target` carries.
std::vector<const kernels::Isa*> isas_of(const Target& target);
/// Whether kernels of `target` run on this machine, and why not.
bool runs_here(const Target& target);

}  // namespace xgen
