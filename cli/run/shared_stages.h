#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

#include "cli/run/run_context.h"

namespace xgen::cli {

/// A folder of what stages came to, for runs that have stages in common: what depends on the same
/// inputs is made once.
class SharedStages {
 public:
  explicit SharedStages(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// What the folder holds for these inputs, or what `work` makes, which is kept there. Of several
  /// processes that want the same one works and the others wait for it.
  /// @param inputs  all that the result depends on.
  /// @throws Interrupted where the user stops the wait; as `work` does, and then nothing is kept.
  StageResult once(const nlohmann::json& inputs, const std::function<StageResult()>& work) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace xgen::cli
