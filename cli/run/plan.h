#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/config.h"

namespace xgen::cli {

/// What a run would do, without doing it: config, model and data are read and checked, two training
/// steps are timed. {"stages": [{"name", "kind", "seconds"}], "seconds", "memory_bytes", "layers":
/// ...}
nlohmann::json make_plan(const LoadedConfig& loaded);
std::string plan_text(const nlohmann::json& plan);

}  // namespace xgen::cli
