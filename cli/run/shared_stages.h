#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

#include "cli/run/run_context.h"

namespace xgen::cli {

/// What a folder holds of a stage with these inputs, or what `work` makes, which is kept there: of
/// runs that have stages in common, what depends on the same inputs is made once. Of several
/// processes that want the same one works and the others wait for it. No stage needs what is kept
/// once it has it: the folder may be deleted when nothing runs.
///
/// @param inputs  all that the result depends on.
/// @throws Interrupted where the user stops the wait; as `work` does, and then nothing is kept.
StageResult shared_stage(const std::filesystem::path& folder, const nlohmann::json& inputs,
                         const std::function<StageResult()>& work);

}  // namespace xgen::cli
